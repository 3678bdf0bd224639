"""Change sets at a terminal: a file planned, sent, watched to its end, and rolled back."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import Action, AuditEvent
from contacts.approval import save_rules
from contacts.bulk import commands
from contacts.models import ApprovalRules, ChangeSet, ContactChange, ContactType, PlannedChange, SetStatus
from contacts.observation import read_account
from orgs.models import Account, Organization
from portal.quota import Lane
from sandbox.testing import MANAGEMENT_ID, Sandbox
from tests.contacts.bulk.plans import by
from tests.contacts.scene import LEDGER, Scene

HEADER = "AccountId,AlternateContactType,Action,Name,Title,EmailAddress,PhoneNumber"
ROTA = {"name": "Duty Rota", "title": "Duty", "email": "rota@northwind.example", "phone": "+44 20 7946 0199"}
RAW = {"name": " Old  Desk ", "title": "-", "email": "old@northwind.example", "phone": " 000 "}
ROTA_CELLS = ",".join(ROTA.values())


@pytest.fixture
def accounts(organization: Organization, sandbox: Sandbox) -> list[Account]:
    """Two active members: a raw SECURITY contact, and one that is not set; all of it read."""
    found = organization.accounts.filter(state="ACTIVE").exclude(aws_id=MANAGEMENT_ID).order_by("aws_id")
    first, second = found[:2]
    for contact_type in ContactType.values:
        for account in (first, second):
            sandbox.set_contact(account.aws_id, contact_type, **RAW)
    sandbox.set_contact(second.aws_id, "SECURITY")
    for account in (first, second):
        read_account(account, lane=Lane.PERSON)
    return [first, second]


@pytest.fixture
def file(accounts: list[Account], tmp_path: Path) -> Path:
    """One contact to change, one new, one to delete, one unchanged."""
    first, second = (account.aws_id for account in accounts)
    rows = [
        f"{first},SECURITY,,{ROTA_CELLS}",
        f"{second},SECURITY,,{ROTA_CELLS}",
        f"{first},BILLING,delete,,,,",
        f"{second},BILLING,,,,,",
    ]
    path = tmp_path / "rota.csv"
    path.write_text("\r\n".join([HEADER, *rows]) + "\r\n")
    return path


def typed(*words: Any, code: int = 0) -> tuple[str, str]:
    """What the command prints, and its last word when it ends with another exit code than 0."""
    out, error = io.StringIO(), ""
    try:
        call_command(*map(str, words), stdout=out, stderr=io.StringIO())
        ended = 0
    except CommandError as problem:
        ended, error = problem.returncode, str(problem)
    assert ended == code, f"{words}: {ended}\n{out.getvalue()}\n{error}"
    return out.getvalue(), error


def imported(file: Path | str, *words: str, user: str = "alice", code: int = 0) -> tuple[dict, str]:
    """The facts that import_contacts prints."""
    command = ["import_contacts", file, "--as", user, "--reason", "Rota moves.", "--json", *words]
    out, error = typed(*command, code=code)
    return json.loads(out) if out else {}, error


def counted(facts: dict) -> dict[str, int]:
    return {name: count for name, count in facts["counts"].items() if count}


def add_mistakes(file: Path, account: Account) -> None:
    """Line 6 holds two, line 7 one."""
    with file.open("a") as more:
        more.write(f"{account.aws_id},OPERATIONS,,,,nobody,ext. 4\r\n123,SECURITY,,{ROTA_CELLS}\r\n")


def held(sandbox: Sandbox, accounts: list[Account]) -> list[dict | None]:
    return [sandbox.contact(account.aws_id, kind) for account in accounts for kind in ContactType.values]


def writes(sandbox: Sandbox) -> int:
    return sum(attempt["operation"].startswith(("Put", "Delete")) for attempt in sandbox.log())


def test_a_file_is_planned_sent_and_rolled_back(
    alice: Any, accounts: list[Account], file: Path, sandbox: Sandbox
):
    before, (first, second) = held(sandbox, accounts), accounts
    facts, _ = imported(file)
    assert counted(facts) == {"change": 1, "new": 1, "delete": 1, "unchanged": 1}
    assert facts["rows"] == 4 and facts["errors"] == [] and facts["status"] == "planned"
    assert not ContactChange.objects.exists() and writes(sandbox) == 0

    facts, _ = imported(file, "--apply", "--wait", "20", "--ticket", "OPS-7")
    assert facts["status"] == "finished" and facts["not_done"] == []
    assert facts["outcomes"] == {"applied": 3, "unchanged": 1}
    assert sandbox.contact(first.aws_id, "SECURITY") == sandbox.contact(second.aws_id, "SECURITY") == ROTA
    assert sandbox.contact(first.aws_id, "BILLING") is None
    event = AuditEvent.objects.get(action=Action.SET_SUBMITTED)
    assert (event.actor_id, event.source, event.ticket) == (alice.pk, "command", "OPS-7") and event.os_user

    words = ["roll_back", facts["change_set"], "--as", "alice", "--reason", "Too early."]
    out, _ = typed(*words, "--wait", "20")
    assert "finished; 3 applied" in out
    assert held(sandbox, accounts) == before


def test_refused_lines_are_told_and_stop_the_others(
    alice: Any, accounts: list[Account], file: Path, sandbox: Sandbox
):
    add_mistakes(file, accounts[0])
    facts, error = imported(file, code=1)
    places = {(mistake["line"], mistake["field"]) for mistake in facts["errors"]}
    assert places == {(6, "EmailAddress"), (6, "PhoneNumber"), (7, "AccountId")}
    assert facts["status"] == "planned" and "2 lines are refused" in error
    out, _ = typed("import_contacts", file, "--as", "alice", "--reason", "x", code=1)
    assert "Line 6: PhoneNumber: " in out and "1 to change, 1 new" in out

    facts, error = imported(file, "--apply", code=1)
    assert facts["status"] == "discarded" and len(facts["errors"]) == 3 and "--skip-refused" in error
    assert not PlannedChange.objects.filter(change_set=facts["change_set"]).exists()
    assert writes(sandbox) == 0


@pytest.mark.sqlite  # nothing here depends on the database
def test_nothing_to_send_is_no_failure(alice: Any, accounts: list[Account], tmp_path: Path):
    path = tmp_path / "same.csv"
    path.write_text(f"{HEADER}\n{accounts[0].aws_id},SECURITY,,{RAW['name']},,,\n")
    facts, _ = imported(path, "--apply", "--wait", "20")
    assert facts["status"] == "discarded" and counted(facts) == {"unchanged": 1}


@pytest.mark.sqlite  # nothing here depends on the database
def test_what_needs_approval_waits_and_says_so(
    alice: Any, erin: Any, accounts: list[Account], file: Path, sandbox: Sandbox
):
    save_rules(ApprovalRules(any_delete=True), context=by(erin))
    facts, error = imported(file, "--apply", "--wait", "20", code=1)
    assert facts["status"] == "waiting" and facts["needs_approval"] == ["it deletes a contact"]
    assert "Needs approval, because it deletes a contact. See " in error
    assert error.endswith(f"/change-sets/{facts['change_set']}/") and writes(sandbox) == 0
    out, _ = typed("change_sets", facts["change_set"])
    assert "Needs approval, because it deletes a contact: not decided." in out


@pytest.mark.sqlite  # nothing here depends on the database
def test_refused_lines_a_conflict_and_what_was_changed_since_are_left_alone(
    alice: Any, accounts: list[Account], file: Path, sandbox: Sandbox
):
    first, second = accounts
    add_mistakes(file, first)
    sandbox.set_contact(first.aws_id, "SECURITY", **(RAW | {"name": "Stranger"}))
    facts, error = imported(file, "--apply", "--skip-refused", "--wait", "20", code=1)
    assert facts["outcomes"] == {"applied": 2, "conflict": 1, "unchanged": 1} and len(facts["errors"]) == 3
    assert [(row["line"], row["status"]) for row in facts["not_done"]] == [(2, "conflict")]
    assert "1 contact is not as" in error

    sandbox.set_contact(second.aws_id, "SECURITY", **(ROTA | {"name": "Somebody Else"}))
    read_account(second, lane=Lane.PERSON)
    words = ["roll_back", facts["change_set"], "--as", "alice", "--reason", "Too early.", "--wait", "20"]
    out, error = typed(*words, code=1)
    assert "SECURITY of " + second.aws_id in out and "left out" in out and "1 contact was not" in error
    assert sandbox.contact(second.aws_id, "SECURITY")["name"] == "Somebody Else"
    assert sandbox.contact(first.aws_id, "SECURITY")["name"] == "Stranger"
    assert sandbox.contact(first.aws_id, "BILLING") == RAW


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (
            ["import_contacts", "nowhere.csv", "--as", "alice", "--reason", "x"],
            2,
            "nowhere.csv cannot be read",
        ),
        (["import_contacts", "no-table.csv", "--as", "alice", "--reason", "x"], 2, "AccountId"),
        (["import_contacts", "rota.csv", "--as", "nobody", "--reason", "x"], 2, "no user"),
        (["import_contacts", "rota.csv", "--as", "alice", "--reason", " ", "--apply"], 2, "Say why"),
        (["import_contacts", "rota.csv", "--as", "bob", "--reason", "x"], 1, "Change contacts"),
        (["roll_back", "99999", "--as", "alice", "--reason", "x"], 2, "no change set 99999"),
        (["change_sets", "99999"], 2, "no change set 99999"),
    ],
)
def test_wrong_usage_leaves_no_plan(
    alice: Any,
    bob: Any,
    scene: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    says: str,
):
    monkeypatch.chdir(tmp_path)
    Path("rota.csv").write_text(f"{HEADER}\n{LEDGER},SECURITY,,{ROTA_CELLS}\n")
    Path("no-table.csv").write_text("Shopping,List\nmilk,eggs\n")
    _, error = typed(*words, code=code)
    assert says in error
    assert not ChangeSet.objects.exclude(status=SetStatus.DISCARDED).exists()
    assert not PlannedChange.objects.exists()
    assert AuditEvent.objects.filter(action=Action.ACCESS_REFUSED).count() == ("bob" in words)


def test_standard_input_and_an_interruption(
    alice: Any, file: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    def interrupt(change: ContactChange) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file.open("rb")))
    monkeypatch.setattr(commands, "deliver_one", interrupt)
    _, error = imported("-", "--apply", "--wait", "20", code=130)
    change_set = ChangeSet.objects.get()
    assert "The workers go on" in error and f"/change-sets/{change_set.pk}/" in error
    assert change_set.status == SetStatus.RUNNING and change_set.changes.count() == 4

    listed = json.loads(typed("change_sets", "--json")[0])
    assert [(one["change_set"], one["status"], one["requested_by"]) for one in listed] == [
        (change_set.pk, "running", "alice")
    ]
    assert "standard input" in typed("change_sets")[0]
    assert RAW["email"] not in typed("change_sets", change_set.pk, "--json")[0]
