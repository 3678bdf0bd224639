"""Actions on selected accounts: the lines they give, and what the plan makes of them."""

import pytest
from django.core.exceptions import ValidationError

from contacts.bulk.line import Line
from contacts.bulk.plan import make_plan
from contacts.bulk.selecting import lines_to_copy, lines_to_delete, lines_to_replace, lines_to_set
from contacts.mirror import ensure_contacts
from contacts.models import AlternateContact, SetKind
from orgs.models import Account
from portal.aws import ContactDetails
from portal.causes import Cause
from tests.contacts.bulk.plans import by
from tests.contacts.scene import ARCHIVE, DESK, FINANCE, GATEWAY, LAB, LEDGER, ROTA, Scene

CONTACTS = AlternateContact.objects.all()


def asked(lines) -> list[tuple[str, str]]:
    lines = list(lines)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    return [(line.account_id, line.contact_type) for line in lines]


def some(*ids: str):
    return Account.objects.filter(aws_id__in=ids).order_by("-aws_id")


def test_set_gives_a_line_for_each_account_and_type_in_the_order_of_the_list(scene: Scene):
    lines = list(
        lines_to_set(some(LEDGER, GATEWAY), CONTACTS, ["SECURITY", "BILLING"], {"name": "New", "title": ""})
    )
    assert lines[0] == Line(1, GATEWAY, "BILLING", {"name": "New"})
    assert asked(lines) == [
        (GATEWAY, "BILLING"),
        (GATEWAY, "SECURITY"),
        (LEDGER, "BILLING"),
        (LEDGER, "SECURITY"),
    ]
    both = Account.objects.filter(contacts__contact_type__in=["SECURITY", "BILLING"], aws_id=LEDGER)
    assert asked(lines_to_delete(both, ["OPERATIONS"])) == [(LEDGER, "OPERATIONS")]


def test_what_is_missing_is_what_is_absent_and_what_is_unknown_is_refused_for_all_to_see(scene: Scene, alice):
    AlternateContact.objects.filter(account=scene.lab).delete()
    accounts = some(LEDGER, GATEWAY, LAB)
    lines = list(lines_to_set(accounts, CONTACTS, ["SECURITY", "OPERATIONS"], vars(ROTA), only_missing=True))
    assert asked(lines) == [
        (GATEWAY, "OPERATIONS"),
        (GATEWAY, "SECURITY"),
        (LAB, "OPERATIONS"),
        (LAB, "SECURITY"),
    ]
    plan = make_plan(lines, kind=SetKind.FILL, title="Fill", context=by(alice))
    verdicts = [row.verdict for row in plan.rows.order_by("line")]
    assert verdicts == ["refused", "new", "refused", "refused"]


def test_replace_finds_by_email_without_case_and_by_the_digits_of_the_phone(scene: Scene):
    every, values = some(LEDGER, GATEWAY, ARCHIVE, LAB), {"email": "new@northwind.example"}
    found = [(GATEWAY, "BILLING"), (LEDGER, "BILLING")]
    lines = list(lines_to_replace(every, CONTACTS, " Billing@NORTHWIND.example ", "", values))
    assert (asked(lines), lines[0].values) == (found, values)
    assert asked(lines_to_replace(every, CONTACTS, "", "44(20)7946-0123", values)) == found
    assert asked(lines_to_replace(every, CONTACTS, DESK.email, DESK.phone, values)) == [(LEDGER, "SECURITY")]
    assert asked(lines_to_replace(every, CONTACTS, FINANCE.email, DESK.phone, values)) == []
    assert asked(lines_to_replace(every, CONTACTS, "illing@northwind.example", "", values)) == []
    scene.lose(scene.ledger, "BILLING", Cause.POLICY_DENIES)  # last seen counts: the plan refuses it
    assert asked(lines_to_replace(every, CONTACTS, FINANCE.email, "", values)) == found


@pytest.mark.parametrize("email,phone", [("", ""), (" ", " "), ("", "ext."), ("a@northwind.example", "ext.")])
def test_replace_needs_something_to_look_for(scene: Scene, email, phone):
    with pytest.raises(ValidationError, match="to look for"):
        list(lines_to_replace(some(LEDGER), CONTACTS, email, phone, {"name": "New"}))


def test_copy_takes_the_value_raw_and_says_where_there_is_none(scene: Scene, alice):
    raw = ContactDetails(" Desk ", " ", DESK.email, DESK.phone)
    scene.put(scene.ledger, "SECURITY", raw)
    lines = list(
        lines_to_copy(some(LEDGER, GATEWAY), CONTACTS, "SECURITY", ["BILLING", "SECURITY", "OPERATIONS"])
    )
    assert asked(lines) == [
        (GATEWAY, "BILLING"),
        (GATEWAY, "OPERATIONS"),
        (LEDGER, "BILLING"),
        (LEDGER, "OPERATIONS"),
    ]
    plan = make_plan(lines, kind=SetKind.COPY, title="Copy", context=by(alice))
    refused, _, copied, _ = plan.rows.order_by("line")
    assert refused.problems == [{"field": "", "text": "Security is not set, so there is nothing to copy."}]
    assert (copied.verdict, copied.wanted) == ("change", vars(raw))
    (line,) = lines_to_copy(some(GATEWAY), CONTACTS, "OPERATIONS", ["SECURITY"])
    assert [problem.text for problem in line.problems] == [
        "What AWS has for Operations is not known, so it cannot be copied."
    ]


def test_delete_asks_for_no_value(scene: Scene, alice):
    plan = make_plan(
        lines_to_delete(some(LEDGER, GATEWAY), ["SECURITY"]),
        kind=SetKind.DELETE,
        title="Delete",
        context=by(alice),
    )
    assert [(row.verdict, row.wanted) for row in plan.rows.order_by("line")] == [
        ("unchanged", None),
        ("delete", None),
    ]


def test_a_selection_is_looked_up_in_pieces(scene: Scene, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr("contacts.bulk.selecting.CHUNK", 4)
    members = [Account(aws_id=f"2{number:011}", state="ACTIVE") for number in range(10)]
    ensure_contacts(Account.objects.bulk_create(members))
    with django_assert_max_num_queries(1 + 2 * 3):
        lines = lines_to_set(
            Account.objects.filter(aws_id__startswith="2"), CONTACTS, ["BILLING"], {}, only_missing=True
        )
        assert len(asked(lines)) == 10
