"""Reading the audit: the list, one event, and the file."""

import csv
import io
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.context import Context, Source, worker_context
from audit.log import record
from audit.models import Action, AuditEvent
from audit.seals import seal_pending
from tests.conftest import queries_of
from tests.contacts.scene import GATEWAY, LEDGER, as_person
from tests.plain import plain

LIST = reverse("contacts:audit_list")
EXPORT = reverse("contacts:audit_export")


@pytest.fixture
def events(scene, alice):
    """Three events; the oldest is first."""
    person = Context(actor=alice, source=Source.PAGE, reason="=Rota moves", request_id="abc123")
    drifted = record(
        Action.CONTACT_DRIFT,
        worker_context(),
        account_id=GATEWAY,
        contact_type="BILLING",
        unit_path=scene.payments.path,
        before={"status": "set", "email": "old@northwind.example"},
        after={"status": "set", "email": "new@northwind.example"},
    )
    asked = record(Action.CHANGE_REQUESTED, person, account_id=LEDGER, contact_type="SECURITY", change_id=77)
    exported = record(Action.CONTACTS_EXPORTED, person, detail={"contacts": 12})
    return {"drifted": drifted, "asked": asked, "exported": exported}


def shown(page) -> list[AuditEvent]:
    return [entry.event for entry in page.context["entries"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action": "contact.drift"}, ["drifted"]),
        ({"action": ["contact.drift", "contact.exported"]}, ["exported", "drifted"]),
        ({"group": "drift"}, ["drifted"]),
        ({"group": "drift", "action": "contact.drift"}, ["drifted"]),
        ({"group": "failed", "action": "contact.drift"}, []),
        ({"person": "alice"}, ["exported", "asked"]),
        ({"by": "Alice"}, ["exported", "asked"]),
        ({"account": LEDGER}, ["asked"]),
        ({"account": "4421 0915 3376"}, ["asked"]),
        ({"type": "BILLING"}, ["drifted"]),
        ({"source": "worker"}, ["drifted"]),
        ({"unit": "ou-ab12-payments"}, ["drifted"]),
        ({"change": "77"}, ["asked"]),
        ({"change_set": "78"}, []),
        ({"request": "abc123"}, ["exported", "asked"]),
        ({"q": "rota"}, ["exported", "asked"]),
        ({"q": "new@northwind"}, ["drifted"]),
        ({"since": "2001-01-01", "until": "2001-01-02"}, []),
    ],
)
def test_filters_of_the_list(events, dana, query, expected):
    assert shown(as_person(dana).get(LIST, query)) == [events[name] for name in expected]


def test_days_are_the_readers_and_whole(events, dana):
    today = timezone.localdate()
    client = as_person(dana)
    assert len(shown(client.get(LIST, {"since": today, "until": today, "person": "alice"}))) == 2
    yesterday = today - timedelta(days=1)
    assert shown(client.get(LIST, {"until": yesterday})) == []


def test_rows_say_old_new_who_why_and_by_which_door(events, dana):
    text = plain(as_person(dana).get(LIST).text)
    for words in ("old@northwind.example", "new@northwind.example", "Alice", "Page", "=Rota moves"):
        assert words in text
    assert "partner-gateway-dev" in text


def test_pages_are_turned_by_id(scene, dana):
    for _ in range(60):
        record(Action.ACCOUNT_RENAMED, worker_context(), account_id=LEDGER)
    client, query = as_person(dana), {"account": LEDGER}
    first = client.get(LIST, query)
    second = client.get(LIST + first.context["older"])
    third = client.get(LIST + second.context["older"])
    assert [len(shown(page)) for page in (first, second, third)] == [25, 25, 10]
    assert (first.context["newer"], third.context["older"]) == ("", "")
    assert shown(client.get(LIST + third.context["newer"])) == shown(second)
    assert "25 of 60 events" in first.text


def test_a_filter_that_makes_no_sense_is_named_and_shows_nothing(events, dana):
    page = as_person(dana).get(LIST, {"since": "last week"})
    assert shown(page) == []
    assert "From:" in page.text
    assert as_person(dana).get(EXPORT, {"since": "last week"}).status_code == 400


def test_a_text_that_is_too_short_is_named(events, dana):
    page = as_person(dana).get(LIST, {"q": "ro"})
    assert shown(page) == []
    assert "Type three characters or more" in page.text


def test_the_person_of_an_event_leads_to_all_they_did(events, dana, alice):
    client = as_person(dana)
    address = reverse("contacts:audit_detail", args=[events["asked"].pk])
    assert f"{LIST}?person=alice" in client.get(address).text
    gone = record(
        Action.SIGNED_OUT, Context(actor=SimpleNamespace(pk=999, label="Ann Ex"), source=Source.PAGE)
    )
    page = client.get(reverse("contacts:audit_detail", args=[gone.pk]))
    assert f"{LIST}?by=Ann+Ex" in page.text
    assert shown(client.get(LIST, {"by": "Ann Ex"})) == [gone]


def test_a_person_leads_to_all_they_did(events, erin, alice):
    page = as_person(erin).get(reverse("orgs:person_detail", args=[alice.pk]))
    assert f"{LIST}?person=alice" in page.text


def test_the_list_costs_the_same_for_many(scene, dana):
    record(Action.ACCOUNT_RENAMED, worker_context(), account_id=LEDGER)
    client = as_person(dana)
    few = queries_of(lambda: client.get(LIST))
    for _ in range(25):
        record(Action.ACCOUNT_RENAMED, worker_context(), account_id=LEDGER)
    assert queries_of(lambda: client.get(LIST)) <= few


def test_one_event_shows_all_and_that_its_seal_holds(events, dana):
    address = reverse("contacts:audit_detail", args=[events["drifted"].pk])
    client = as_person(dana)
    assert "Not sealed yet" in client.get(address).text
    seal_pending()
    page = client.get(address)
    assert "Holds" in page.text
    assert "old@northwind.example" in plain(page.text)
    assert reverse("contacts:account_detail", args=[GATEWAY]) in page.text


def test_an_event_leads_to_the_others_of_the_same_click(events, dana):
    page = as_person(dana).get(reverse("contacts:audit_detail", args=[events["exported"].pk]))
    assert [entry.event for entry in page.context["related"]] == [events["asked"]]


def test_an_event_that_is_not_there_is_404(scene, dana):
    assert as_person(dana).get(reverse("contacts:audit_detail", args=[999999])).status_code == 404


def test_the_file_holds_what_the_list_shows_and_is_an_event_itself(events, dana):
    answer = as_person(dana).get(EXPORT, {"person": "alice"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["action"] for row in rows] == ["contact.exported", "contact.change_requested"]
    assert rows[0]["reason"] == "'=Rota moves"
    event = AuditEvent.objects.get(action=Action.AUDIT_EXPORTED)
    assert event.actor_id == dana.pk
    assert event.detail == {"events": 2, "filters": {"person": "alice"}, "format": "csv"}


def test_the_file_as_json_lines_holds_what_was_sealed(events, dana):
    seal_pending()
    answer = as_person(dana).get(EXPORT, {"person": "alice", "format": "jsonl"})
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert [line["event"]["reason"] for line in lines] == ["=Rota moves"] * 2  # no cell: nothing to escape
    assert [line["hash"] for line in lines] == [events[name].seal.hash for name in ("exported", "asked")]
    event = AuditEvent.objects.get(action=Action.AUDIT_EXPORTED)
    assert event.detail == {"events": 2, "filters": {"person": "alice"}, "format": "jsonl"}
    assert as_person(dana).get(EXPORT, {"format": "xml"}).status_code == 400
