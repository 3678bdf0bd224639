"""The second dimension of the table of permissions: each role inside and outside of what it was given for."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.context import Context, Source, worker_context
from audit.log import record
from audit.models import Action
from contacts.approval import approver_problem
from contacts.change_sets import decide
from contacts.models import ChangeSet, Decision
from contacts.notices import tell_approvers
from orgs.models import AccessGrant, Organization, Role, Standing
from portal.causes import Cause
from portal.models import OutgoingMail
from tests.contacts.bulk.test_bulk_commands import typed
from tests.contacts.scene import LEDGER, Scene, as_person
from tests.contacts.test_permissions import ROLES, TABLE

LIMITED = ("bob", "hank", "alice", "frank", "dana")  # an administrator is one everywhere
PLACES = {"account_id", "contact_type", "aws_id"}  # arguments that name something with a place
THINGS = {"change", "set", "drift", "event"}  # examples of a pk that do
ELSEWHERE = {  # of people, of reviews of everything, and of pages alone
    *("person", "grant", "group", "session", "question", "week", "2100-01-04"),
    *("identity", "account", "place", "holder"),
}
ABSENT = {"account_id": "999999999999", "aws_id": "o-absent0000", "pk": 10**9}
OF_PEOPLE = {"give_access", "end_access"}  # of the portal as a whole
AS_PERSON = {"set_contact", "delete_contact", "import_contacts", "export_contacts", "roll_back"}
ROOMS = {"audit", "contacts", "orgs", "portal"}
VALUES = ["--name", "Desk", "--title", "SOC", "--email", "desk@northwind.example", "--phone", "+44 20"]
WHY = ["--reason", "Rota moves."]


def names_a_thing(example: dict[str, str]) -> bool:
    return any(key in PLACES or value in THINGS for key, value in example.items())


NAMING = [row for row in TABLE if names_a_thing(row[1])]


def test_every_argument_of_an_address_is_one_that_this_table_knows():
    known = {*THINGS, *ELSEWHERE}
    unknown = [row for row in TABLE if any(k not in PLACES and v not in known for k, v in row[1].items())]
    assert unknown == []


@pytest.fixture
def things(scene: Scene, cast) -> dict[str, Any]:
    """What the addresses name, all about the SECURITY contact of one account, of an author without limits."""
    author = cast["erin"]
    change = scene.change(author, scene.ledger)
    waiting = scene.change_set(author)
    scene.row(waiting, scene.contact(scene.ledger, "SECURITY"))
    event = record(Action.ACCOUNT_RENAMED, worker_context(), account_id=LEDGER)
    drift = scene.drift(scene.ledger, "SECURITY")
    return {"change": change.pk, "set": waiting.pk, "event": event.pk, "drift": drift.pk}


@pytest.fixture
def subsidiary(scene: Scene) -> Organization:
    """Another organization with an account."""
    other = Organization.objects.create(
        aws_id="o-zz99zz99zz",
        name="Subsidiary",
        management_account_id="222222222222",
        caller_account_id="222222222222",
        standing=Standing.MANAGEMENT,
    )
    scene.account("222222222222", "elsewhere", organization=other, unit=None)
    return other


def limit(**place: Any) -> None:
    """Let every grant but the administrators' hold there alone."""
    AccessGrant.objects.exclude(role=Role.ADMINISTRATOR).update(**place)


_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


@dataclass(frozen=True)
class Answer:
    code: int
    text: str
    queries: int


def ask(client: Client, method: str, name: str, arguments: dict[str, Any]) -> Answer:
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        answer = getattr(client, method)(reverse(name, kwargs=arguments))
        text = _TOKEN.sub("", answer.content.decode()) if answer.status_code >= 400 else ""
        transaction.set_rollback(True)
    return Answer(answer.status_code, text.partition("<main")[2].partition("</main>")[0], len(queries))


def clients_of(cast: dict[str, Any]) -> dict[str, Client]:
    return {name: as_person(cast[name]) for name in LIMITED}


def test_inside_each_role_gets_the_codes_of_the_table(scene, things, cast):
    waiting = ChangeSet.objects.get(pk=things["set"])
    waiting.requested_by = cast["alice"]  # as in the table
    waiting.save(update_fields=["requested_by"])
    limit(organization=scene.organization)
    clients, wrong = clients_of(cast), []
    for name, example, method, codes in NAMING:
        arguments = {key: things.get(value, value) for key, value in example.items()}
        expected = dict(zip(ROLES, codes, strict=True))
        for who, client in clients.items():
            code = ask(client, method, name, arguments).code
            wrong += [(name, method, who, code)] if code != expected[who] else []
    assert wrong == []


@pytest.mark.parametrize("by_type", [False, True])
def test_outside_each_role_gets_the_answer_of_what_is_absent(subsidiary, things, cast, by_type):
    """The same code, words and number of queries; 403 only where the role may do this to nothing at all."""
    limit(**({"contact_types": ["BILLING"]} if by_type else {"organization": subsidiary}))
    clients, told = clients_of(cast), []
    for name, example, method, codes in NAMING:
        if by_type and "contact_type" not in example and "pk" not in example:
            continue
        everywhere = dict(zip(ROLES, codes, strict=True))
        for who, client in clients.items():
            there = {key: things.get(value, value) for key, value in example.items()}
            found = ask(client, method, name, there)
            nothing = ask(client, method, name, example | {k: v for k, v in ABSENT.items() if k in example})
            is_closed = found.code == 403 and everywhere[who] == 403
            if found != nothing or not (found.code == 404 or is_closed):
                told.append((name, method, who, found, nothing))
    assert told == []


def test_every_command_for_a_person_is_in_this_table():
    commands = {name: app for name, app in get_commands().items() if app in ROOMS}
    parsers = {name: load_command_class(app, name).create_parser("", name) for name, app in commands.items()}
    takes_person = {name for name, parser in parsers.items() if "--as" in parser._option_string_actions}
    assert takes_person == AS_PERSON | OF_PEOPLE


def words_for(account: str, change_set: int, tmp_path: Any) -> dict[str, list[Any]]:
    """Each command about this account, or this change set."""
    file = tmp_path / "rows.csv"
    file.write_text(f"AccountId,AlternateContactType,Title\n{account},BILLING,New title\n")
    return {
        "set_contact": ["set_contact", account, "SECURITY", *VALUES, *WHY],
        "delete_contact": ["delete_contact", account, "SECURITY", *WHY],
        "import_contacts": ["import_contacts", file, *WHY],
        "roll_back": ["roll_back", change_set, *WHY],
        "export_contacts": ["export_contacts"],
    }


def run(words: list[Any], who: str) -> tuple[int, str]:
    """How a command ends, and all that it says, without the number of the plan that it made."""
    for code in (0, 1, 2):
        try:
            out, error = _typed_and_undone(*words, "--as", who, code=code)
        except AssertionError:
            continue
        return code, f"{out}{error}"
    raise AssertionError(words)


@pytest.mark.parametrize("who", LIMITED)
def test_commands_inside_and_outside(subsidiary, scene, things, cast, tmp_path, who):
    may_edit, may_export = who in ("hank", "alice"), who != "bob"
    inside = words_for(LEDGER, things["set"], tmp_path)
    assert inside.keys() == AS_PERSON
    limit(organization=scene.organization)
    codes = {name: run(words, who)[0] for name, words in inside.items()}
    edit = 0 if may_edit else 1
    assert codes == {
        "set_contact": edit,
        "delete_contact": edit,
        "import_contacts": edit,
        "roll_back": 2 if may_edit else 1,  # it has not ended
        "export_contacts": 0 if may_export else 1,
    }
    assert (LEDGER in run(inside["export_contacts"], who)[1]) == may_export
    limit(organization=subsidiary)
    assert LEDGER not in run(inside["export_contacts"], who)[1]
    found = {name: _plain(run(words, who), LEDGER, things["set"]) for name, words in inside.items()}
    absent = words_for("999999999999", 99999, tmp_path)
    assert found == {name: _plain(run(words, who), "999999999999", 99999) for name, words in absent.items()}


def _typed_and_undone(*words: Any, code: int) -> tuple[str, str]:
    """The command, which then leaves no trace."""
    with transaction.atomic():
        try:
            return typed(*words, code=code)
        finally:
            transaction.set_rollback(True)


def _plain(ended: tuple[int, str], account: str, change_set: int) -> tuple[int, str]:
    """Without what differs by itself: the ids that were typed, and the number of the new plan."""
    code, text = ended
    text = text.replace(account, "ID").replace(f"change set {change_set}.", "change set N.")
    return code, re.sub(r"(Change set |change-sets/)\d+", r"\1N", text)


# Approvals


def page_of(person: Any) -> Context:
    return Context(actor=person, source=Source.PAGE, reason="x")


def test_only_who_may_approve_every_contact_is_asked(scene, things, cast, subsidiary):
    waiting = ChangeSet.objects.get(pk=things["set"])
    for name in ("frank", "dana", "hank"):
        cast[name].email = f"{name}@northwind.example"
        cast[name].save(update_fields=["email"])
    AccessGrant.objects.filter(role=Role.APPROVER).update(contact_types=["SECURITY"])
    AccessGrant.objects.create(person=cast["hank"], role=Role.APPROVER, organization=subsidiary)
    AccessGrant.objects.create(person=cast["dana"], role=Role.APPROVER, contact_types=["BILLING"])
    tell_approvers(waiting)
    assert set(OutgoingMail.objects.values_list("to", flat=True)) == {"frank@northwind.example"}
    inboxes = {
        name: as_person(cast[name]).get(reverse("contacts:approval_list")).context["page_obj"].paginator.count
        for name in ("frank", "hank", "dana")
    }
    assert inboxes == {"frank": 1, "hank": 0, "dana": 0}
    address = reverse("contacts:change_set_decide", args=[waiting.pk])
    assert as_person(cast["hank"]).post(address).status_code == 403  # sees it, as helpdesk everywhere
    scene.row(waiting, scene.contact(scene.ledger, "BILLING"), line=2)
    OutgoingMail.objects.all().delete()
    tell_approvers(waiting)
    assert not OutgoingMail.objects.exists()


def test_an_approver_is_looked_at_again_for_each_contact(scene, things, frank):
    waiting = ChangeSet.objects.get(pk=things["set"])
    note = {"note": "", "plan_hash": waiting.plan_hash, "context": page_of(frank)}
    decide(waiting, Decision.APPROVED, **note)
    waiting = ChangeSet.objects.get(pk=waiting.pk)
    security, billing = (scene.contact(scene.ledger, kind) for kind in ("SECURITY", "BILLING"))
    assert approver_problem(waiting, security) is None
    AccessGrant.objects.filter(person=frank).update(contact_types=["BILLING"])
    waiting = ChangeSet.objects.get(pk=waiting.pk)
    assert approver_problem(waiting, security) == Cause.APPROVER
    assert approver_problem(waiting, billing) is None


def test_a_report_needs_the_right_to_export_all_of_it(scene, things, bob):
    address = reverse("contacts:change_set_export", args=[things["set"]])
    AccessGrant.objects.create(person=bob, role=Role.HELPDESK, contact_types=["BILLING"])
    assert as_person(bob).get(address).status_code == 403
    AccessGrant.objects.create(person=bob, role=Role.HELPDESK, account=scene.ledger)
    assert as_person(bob).get(address).status_code == 200


def test_a_plan_refuses_what_may_not_be_changed_without_its_value(scene, cast):
    AccessGrant.objects.filter(person=cast["alice"]).update(contact_types=["BILLING"])
    AccessGrant.objects.create(person=cast["alice"], role=Role.VIEWER)
    rows = f"AccountId,AlternateContactType,Title\n{LEDGER},SECURITY,Desk\n{LEDGER},BILLING,Desk"
    as_person(cast["alice"]).post(reverse("contacts:bulk_file"), {"rows": rows})
    hidden, shown = ChangeSet.objects.get().rows.order_by("line")
    assert (hidden.verdict, hidden.before, hidden.contact) == ("refused", {}, None)
    assert [problem["text"] for problem in hidden.problems] == [
        "You may not change the SECURITY contact of this account."
    ]
    assert (shown.verdict, shown.before["status"]) == ("change", "set")


def test_rights_that_are_for_one_account_show_no_buttons_elsewhere(scene, cast):
    AccessGrant.objects.filter(person=cast["hank"]).update(account=scene.ledger)
    AccessGrant.objects.create(person=cast["hank"], role=Role.VIEWER)
    client = as_person(cast["hank"])
    pages = {
        account.aws_id: client.get(reverse("contacts:account_detail", args=[account.aws_id])).text
        for account in (scene.ledger, scene.gateway)
    }
    assert [("Check now" in text, "Edit" in text) for text in pages.values()] == [
        (True, True),
        (False, False),
    ]
    address = reverse("contacts:account_check", args=[scene.gateway.aws_id])
    assert client.post(address).status_code == 403
