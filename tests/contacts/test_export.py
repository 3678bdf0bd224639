"""Contacts on their way out: by page and by command."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from audit.models import Action, AuditEvent
from contacts.exporting import COLUMNS
from portal.aws import ContactDetails
from portal.causes import Cause
from tests.contacts.scene import DESK, GATEWAY, LAB, LEDGER, as_person

EXPORT = reverse("contacts:account_export")


def content(answer) -> str:
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def rows_of(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(answer))))


def test_csv_has_a_row_for_each_contact_and_aws_own_names(scene, alice):
    answer = as_person(alice).get(EXPORT)
    rows = rows_of(answer)
    assert answer["Content-Disposition"] == 'attachment; filename="contacts.csv"'
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 12
    (row,) = [row for row in rows if (row["AccountId"], row["AlternateContactType"]) == (LEDGER, "SECURITY")]
    assert (row["AccountName"], row["Status"], row["Name"]) == ("payments-ledger-prod", "set", DESK.name)
    assert (row["EmailAddress"], row["PhoneNumber"]) == (DESK.email, f"'{DESK.phone}")
    assert row["ObservedAt"].endswith("Z")


def test_set_not_set_and_unknown_are_three_things(scene, alice):
    rows = rows_of(as_person(alice).get(EXPORT, {"q": GATEWAY}))
    assert [(row["AlternateContactType"], row["Status"], row["Problem"]) for row in rows] == [
        ("BILLING", "set", ""),
        ("OPERATIONS", "unknown", Cause.POLICY_DENIES.label),
        ("SECURITY", "absent", ""),
    ]


def test_json_is_one_list(scene, alice):
    rows = json.loads(content(as_person(alice).get(EXPORT, {"format": "json", "q": LEDGER})))
    assert [row["Status"] for row in rows] == ["set"] * 3
    assert json.loads(content(as_person(alice).get(EXPORT, {"format": "json", "q": "none such"}))) == []


def test_a_file_holds_what_the_list_shows_on_all_its_pages(scene, alice):
    rows = rows_of(as_person(alice).get(EXPORT, {"type": "SECURITY", "contact": "absent", "page": "4"}))
    assert {row["AccountId"] for row in rows} == {GATEWAY}


def test_no_cell_is_a_formula(scene, alice):
    scene.put(scene.ledger, "SECURITY", ContactDetails("=1+1", "@SUM(A1)", "-a@b.co", "+1 206 555"))
    (row,) = [
        row
        for row in rows_of(as_person(alice).get(EXPORT, {"q": LEDGER}))
        if row["AlternateContactType"] == "SECURITY"
    ]
    assert [row[name] for name in COLUMNS[4:8]] == ["'=1+1", "'@SUM(A1)", "'-a@b.co", "'+1 206 555"]


def test_an_export_is_written_down_with_count_and_filters(scene, alice):
    content(as_person(alice).get(EXPORT, {"q": LEDGER, "format": "csv"}))
    event = AuditEvent.objects.get(action=Action.CONTACTS_EXPORTED)
    assert (event.actor_id, event.source) == (alice.pk, "page")
    assert event.detail == {"contacts": 3, "format": "csv", "filters": {"q": LEDGER}}


@pytest.mark.parametrize("query", [{"format": "xlsx"}, {"unit": "ou-none"}, {"contact": "maybe"}])
def test_an_export_that_makes_no_sense_is_refused(scene, alice, query):
    assert as_person(alice).get(EXPORT, query).status_code == 400
    assert not AuditEvent.objects.filter(action=Action.CONTACTS_EXPORTED).exists()


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("export_contacts", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_for_a_person_and_keeps_the_system_user(scene, alice):
    rows = list(csv.DictReader(io.StringIO(run("--as", "alice"))))
    assert (len(rows), rows[0]["AccountId"]) == (12, LAB)
    assert len(json.loads(run("--as", "alice", "--format", "json"))) == 12
    event = AuditEvent.objects.filter(action=Action.CONTACTS_EXPORTED).first()
    assert (event.actor_id, event.source, bool(event.os_user)) == (alice.pk, "command", True)


def test_the_command_obeys_the_persons_rights(scene, bob):
    with pytest.raises(CommandError) as refused:
        run("--as", "bob")
    assert refused.value.returncode == 1
    with pytest.raises(CommandError) as unknown:
        run("--as", "nobody")
    assert unknown.value.returncode == 2
    assert not AuditEvent.objects.filter(action=Action.CONTACTS_EXPORTED).exists()


def test_a_refused_export_at_a_terminal_is_written_down(scene, bob):
    with pytest.raises(CommandError):
        run("--as", "bob")
    refused = AuditEvent.objects.get(action=Action.ACCESS_REFUSED)
    assert (refused.actor_id, refused.source, bool(refused.os_user)) == (bob.pk, "command", True)
    assert refused.detail == {"command": "export_contacts"}
