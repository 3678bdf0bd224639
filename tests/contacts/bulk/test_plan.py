"""The plan says of each line what would happen, refuses with every reason, and sends nothing."""

from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.context import Source
from audit.models import AuditEvent
from contacts.bulk.line import Line, Problem
from contacts.bulk.plan import CHUNK, choose, make_plan, optional_rows, summarise
from contacts.details import EMAIL_MESSAGE, PHONE_MESSAGE
from contacts.fingerprint import fingerprint
from contacts.mirror import ensure_contacts
from contacts.models import (
    AlternateContact,
    ChangeSet,
    ChangeStatus,
    ContactChange,
    PlannedChange,
    SetKind,
    SetStatus,
)
from orgs.models import Account, AccountState, Organization
from portal.aws import ContactDetails
from portal.causes import Cause
from tests.contacts.bulk.plans import by, submit
from tests.contacts.scene import ARCHIVE, DESK, GATEWAY, LEDGER, Scene

SOC = {"name": "On-call", "title": "SOC", "email": "oncall@northwind.example", "phone": "+44 20 7946 0110"}


def plan_of(person, *lines: Line, **facts) -> ChangeSet:
    usual = {"kind": SetKind.FILE, "title": "November", "context": by(person, reason="")}
    return make_plan(lines, **(usual | facts))


def row_of(person, account_id: str, contact_type: str = "SECURITY", values=SOC, **facts) -> PlannedChange:
    return plan_of(person, Line(2, account_id, contact_type, values, **facts)).rows.get()


def told(row: PlannedChange) -> list[str]:
    return [f"{problem['field']}: {problem['text']}" for problem in row.problems]


# Verdicts


@pytest.mark.parametrize(
    "account_id,values,verdict,wanted",
    [
        (LEDGER, {"phone": "+44 1 2345678"}, "change", {"phone": "+44 1 2345678"}),
        (LEDGER, {"phone": DESK.phone}, "unchanged", {}),
        (LEDGER, {"phone": " "}, "unchanged", {}),
        (LEDGER, {}, "unchanged", {}),
        (LEDGER, None, "delete", None),
        (GATEWAY, SOC, "new", SOC),
        (GATEWAY, None, "unchanged", None),
        (GATEWAY, {}, "unchanged", None),
    ],
)
def test_a_verdict_and_what_it_rests_on(scene: Scene, alice, account_id, values, verdict, wanted):
    row = row_of(alice, account_id, values=values)
    assert (row.verdict, row.problems, row.is_left_out) == (verdict, [], False)
    assert row.wanted == (None if wanted is None else vars(DESK) | wanted)
    contact = scene.contact(row.account, "SECURITY")
    assert (row.contact, row.caller_key) == (contact, "aws:111111111111")
    assert (row.before, row.seen_version) == (contact.value, contact.version)
    assert row.observed_at == contact.observed_at
    assert not ContactChange.objects.exists()
    assert not AuditEvent.objects.exists()


def test_what_was_trimmed_is_said_and_so_is_what_a_careful_colleague_would_say(scene: Scene, alice, settings):
    settings.COMPANY_EMAIL_DOMAINS = ["northwind.example"]
    row = row_of(alice, LEDGER, values={"name": " Desk\u00a0", "title": "SOC ", "email": "desk@gmail.com"})
    assert (row.verdict, row.wanted["name"], row.wanted["title"]) == ("change", "Desk", "SOC")
    assert row.remarks[0] == "Spaces around Name, Title were taken off."
    assert row.remarks[1].startswith("gmail.com is a free-mail provider.")
    for contact_type in ("BILLING", "OPERATIONS"):
        scene.put(scene.ledger, contact_type, DESK)
    row = row_of(alice, LEDGER, values={"title": "Second line"})
    assert row.remarks == ["The same address stands in all three types. When it fails, nobody is told."]


def test_a_value_that_equals_the_one_aws_has_is_kept_raw(scene: Scene, alice):
    raw = ContactDetails(" Desk ", " ", DESK.email, " 112 ")
    scene.put(scene.ledger, "SECURITY", raw)
    row = row_of(alice, LEDGER, values=vars(raw))
    assert (row.verdict, row.wanted, row.remarks) == ("unchanged", vars(raw), [])
    row = row_of(alice, LEDGER, values=vars(raw) | {"name": "Desk"})
    assert (row.verdict, row.wanted) == ("change", vars(raw) | {"name": "Desk"})
    row = row_of(alice, LEDGER, values=SOC | {"name": " On-call "}, is_raw=True)
    assert (row.wanted["name"], row.remarks) == (" On-call ", [])


# Refusals


def _member_organization(scene: Scene) -> str:
    Organization.objects.update(standing="member")
    return f"AccountId: {Cause.NOT_ADMINISTRATOR.label} {Cause.NOT_ADMINISTRATOR.remedy}"


def _left(scene: Scene) -> str:
    Account.objects.filter(aws_id=LEDGER).update(left_at=scene.contact(scene.ledger, "SECURITY").observed_at)
    return f"AccountId: {Cause.LEFT.label} {Cause.LEFT.remedy}"


def _closed(scene: Scene) -> str:
    Account.objects.filter(aws_id=LEDGER).update(state=AccountState.PENDING_CLOSURE)
    return f"AccountId: The account is pending closure. {Cause.STATE.remedy}"


def _unread(scene: Scene) -> str:
    AlternateContact.objects.update(status="unknown", problem=Cause.POLICY_DENIES)
    return f": What AWS has here is not known. {Cause.POLICY_DENIES.label} {Cause.POLICY_DENIES.remedy}"


def _rows_missing(scene: Scene) -> str:
    AlternateContact.objects.all().delete()
    return f": What AWS has here is not known. {Cause.NOT_READ_YET.label} {Cause.NOT_READ_YET.remedy}"


@pytest.mark.parametrize("spoil", [_member_organization, _left, _closed, _unread, _rows_missing])
def test_an_account_or_contact_that_cannot_be_written_is_refused(scene: Scene, alice, spoil):
    words = spoil(scene)
    row = row_of(alice, LEDGER)
    assert (row.verdict, told(row), row.wanted) == ("refused", [words], SOC)


@pytest.mark.parametrize("person,who", [("alice", "you"), ("erin", "Erin")])
def test_a_contact_with_an_open_wish_is_refused(scene: Scene, cast, person, who):
    scene.change(cast[person], scene.ledger, status=ChangeStatus.UNCONFIRMED)
    row = row_of(cast["alice"], LEDGER)
    words = f": A change of this contact that {who} asked for has not ended. It has to end first."
    assert (row.verdict, told(row)) == ("refused", [words])
    assert row_of(cast["alice"], LEDGER, "BILLING").verdict == "change"


@pytest.mark.parametrize(
    "line,words",
    [
        (
            Line(5, "999999999999", "BILING", {"phone": "112 ext. 3"}),
            [
                "AlternateContactType: Use BILLING, OPERATIONS or SECURITY.",
                "AccountId: No account 999999999999 is known to you.",
                f"PhoneNumber: {PHONE_MESSAGE}",
            ],
        ),
        (
            Line(5, "1.2E+11", "x" * 90, SOC, problems=(Problem("AccountId", "A"), Problem("Name", "B"))),
            ["AccountId: A", "Name: B", "AlternateContactType: Use BILLING, OPERATIONS or SECURITY."],
        ),
        (
            Line(5, GATEWAY, "SECURITY", {"name": "n" * 65, "email": "soc@northwind"}),
            [
                "Title: Not set today, so AWS needs all four values: Title and PhoneNumber are empty.",
                "Name: AWS takes at most 64 characters; this has 65.",
                f"EmailAddress: {EMAIL_MESSAGE}",
            ],
        ),
        (
            Line(5, LEDGER, "SECURITY", {"name": "a\0b\ud800"}),
            ["Name: This holds a character that cannot be sent."],
        ),
        (
            Line(5, "\0" * 70, "SECURITY", SOC),
            [f"AccountId: No account {chr(0xFFFD) * 70} is known to you."],
        ),
    ],
)
def test_a_line_keeps_every_problem_it_has(scene: Scene, alice, line, words):
    row = plan_of(alice, line).rows.get()
    assert (row.verdict, told(row)) == ("refused", words)


def test_the_same_contact_twice_is_refused_the_second_time(scene: Scene, alice):
    lines = [Line(number, LEDGER, "SECURITY", SOC) for number in (2, 7)]
    first, second = plan_of(alice, *lines).rows.order_by("line")
    assert first.verdict == "change"
    assert told(second) == [": Line 2 is about the same contact. Keep one of the two."]


# The set


def test_the_plan_sums_up_to_counts_effort_and_a_hash(scene: Scene, alice):
    scene.organization.management_account_id = scene.organization.caller_account_id = LEDGER
    scene.organization.save()
    lines = [
        Line(2, LEDGER, "SECURITY", None),
        Line(3, LEDGER, "BILLING", SOC),
        Line(4, GATEWAY, "SECURITY", SOC),
        Line(5, GATEWAY, "BILLING", {}),
        Line(6, ARCHIVE, "BILLING", SOC),
        Line(7, LEDGER, "OPERATIONS", SOC, is_left_out=True, remarks=("Changed since.",)),
    ]
    change_set = plan_of(alice, *lines, title="t" * 130, file_name="f" * 130)
    assert (change_set.status, len(change_set.title), len(change_set.file_name)) == ("planned", 120, 120)
    assert (change_set.requested_by, change_set.source) == (alice, Source.PAGE)
    counts = {"change": 1, "new": 1, "delete": 1, "unchanged": 1, "refused": 1, "left_out": 1}
    assert change_set.counts == counts | {"management": 2}
    assert change_set.effort == {
        "run": {"aws:442109153376": {"reads": 4, "puts": 2, "deletes": 1}},
        "undo": {"aws:442109153376": {"reads": 3, "puts": 2, "deletes": 1}},
    }
    assert change_set.plan_hash == fingerprint(change_set.rows.order_by("line"))


def test_left_out_rows_are_sent_when_they_are_chosen(scene: Scene, alice, erin, bob):
    lines = [
        Line(n, LEDGER, kind, SOC, is_left_out=n < 3) for n, kind in enumerate(("SECURITY", "BILLING"), 1)
    ]
    change_set = plan_of(alice, *lines, Line(3, LEDGER, "OPERATIONS", SOC))
    one, two, three = change_set.rows.order_by("line")
    assert [row.is_left_out for row in (one, two, three)] == [True, True, False]
    other = choose(change_set, [one.pk, three.pk], context=by(alice))
    assert (other.counts["change"], other.counts["left_out"]) == (2, 1)
    assert other.plan_hash not in ("", change_set.plan_hash)
    assert list(optional_rows(other).order_by("line")) == [one, two]
    back = choose(change_set, [], context=by(alice))
    assert (back.plan_hash, back.counts) == (change_set.plan_hash, change_set.counts)
    for person in (erin, bob):
        with pytest.raises(PermissionDenied):
            choose(change_set, [], context=by(person))
    submit(back)
    with pytest.raises(ValidationError, match="submitted or discarded already"):
        choose(change_set, [], context=by(alice))


def test_a_choice_that_was_overtaken_writes_nothing(scene: Scene, alice):
    change_set = plan_of(alice, Line(1, LEDGER, "SECURITY", SOC, is_left_out=True))
    overtaken = ChangeSet.objects.get(pk=change_set.pk)
    overtaken.plan_hash = "choosing-older"
    assert summarise(overtaken).plan_hash == change_set.plan_hash


def test_a_plan_whose_choice_broke_off_is_sent_only_after_another(scene: Scene, alice, monkeypatch):
    row = Line(1, LEDGER, "SECURITY", SOC, is_left_out=True)
    change_set = plan_of(alice, row, Line(2, LEDGER, "BILLING", SOC))
    chosen = [change_set.rows.get(line=1).pk]
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr("contacts.bulk.plan.summarise", lambda _: 1 // 0)
        choose(change_set, chosen, context=by(alice))
    change_set.refresh_from_db()
    assert change_set.counts["change"] == 1, "by this the rules of approval would judge"
    with pytest.raises(ValidationError, match="Choose its lines again"):
        submit(change_set)
    submit(choose(change_set, chosen, context=by(alice)))
    change_set.refresh_from_db()
    assert (change_set.status, change_set.counts["change"]) == (SetStatus.PREPARING, 2)


def test_a_plan_whose_lines_break_off_is_discarded(scene: Scene, alice):
    def broken(after: int) -> Iterator[Line]:
        for number in range(after):
            yield Line(number + 1, LEDGER, "SECURITY", SOC)
        raise RuntimeError("the upload ended")

    with pytest.raises(RuntimeError):
        make_plan(broken(CHUNK - 1), kind=SetKind.FILE, title="", context=by(alice))
    assert not ChangeSet.objects.exists()
    with pytest.raises(RuntimeError):
        make_plan(broken(CHUNK + 1), kind=SetKind.FILE, title="", context=by(alice))
    assert ChangeSet.objects.get().status == SetStatus.DISCARDED
    assert not PlannedChange.objects.exists()


@pytest.mark.parametrize("name", ["bob", "carol", "dana", "frank", None])
def test_who_may_not_edit_makes_no_plan(scene: Scene, cast, name):
    with pytest.raises(PermissionDenied):
        plan_of(cast.get(name), Line(1, LEDGER, "SECURITY", SOC))
    assert not ChangeSet.objects.exists()


def test_lines_that_do_not_rise_make_no_plan(scene: Scene, alice):
    """The fingerprint is taken while they pass by, and looked at again in the order of the lines."""
    with pytest.raises(ValueError, match=r"Line 1 comes after line 2\."):
        plan_of(alice, Line(2, LEDGER, "SECURITY", SOC), Line(1, LEDGER, "BILLING", SOC))
    assert not PlannedChange.objects.exists()


def test_a_chunk_takes_as_many_queries_whatever_its_lines(scene: Scene, alice):
    members = [
        Account(aws_id=f"2{number:011}", organization=scene.organization, state="ACTIVE")
        for number in range(CHUNK)
    ]
    ensure_contacts(Account.objects.bulk_create(members))
    AlternateContact.objects.filter(account__in=members).update(status="absent")
    lines = [Line(number, member.aws_id, "BILLING", SOC) for number, member in enumerate(members, start=1)]
    plan_of(alice, *lines[:1])  # her roles are looked up once
    queries = []
    for count in (1, CHUNK):
        with CaptureQueriesContext(connection) as captured:
            plan_of(alice, *lines[:count])
        queries.append([query["sql"] for query in captured])
    inserts = [[sql for sql in each if "INSERT" in sql] for each in queries]
    assert len(queries[0]) - len(inserts[0]) == len(queries[1]) - len(inserts[1])
    assert len(queries[0]) <= 16
    assert ChangeSet.objects.first().counts["new"] == CHUNK


# What is held for any text

TEXTS = st.text(max_size=30)
VALUES = st.dictionaries(st.sampled_from(["name", "title", "email", "phone"]), TEXTS)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=VALUES, account=st.sampled_from([LEDGER, GATEWAY, "", "１２３"]) | TEXTS, kind=TEXTS)
def test_any_text_can_be_planned_and_what_is_empty_is_kept(scene: Scene, alice, values, account, kind):
    change_set = plan_of(
        alice,
        Line(1, LEDGER, "SECURITY", values),
        Line(2, account, kind, values),
        Line(3, account, "BILLING", values),
    )
    assert change_set.plan_hash == fingerprint(change_set.rows.order_by("line"))
    row = change_set.rows.get(line=1)
    for name, old in vars(DESK).items():
        typed = values.get(name, "").strip()
        if not typed:
            assert row.wanted[name] == old
        elif row.verdict != "refused":
            assert row.wanted[name] == typed
