"""Finding events, page by page, and taking them away as a file."""

import csv
from datetime import timedelta
from io import StringIO

import pytest

from audit.context import Context, Source, worker_context
from audit.export import export_events
from audit.log import event, record_all
from audit.models import Action, AuditEvent
from audit.queries import EventFilters
from audit.seals import seal_pending
from portal.spreadsheets import csv_lines, safe_cell

pytestmark = pytest.mark.django_db

ZOE = {"status": "set", "name": "Zoë", "title": "Team", "email": "zoe@example.com", "phone": "+442079460155"}


@pytest.fixture
def events() -> list[AuditEvent]:
    page = Context(source=Source.PAGE, reason="Zoë moved", ticket="CHG-77", request_id="click-1")
    unit = {"organization_id": "o-a", "unit_path": "r-1/ou-1/"}
    billing = {"account_id": "111122223333", "contact_type": "BILLING", **unit}
    return record_all(
        [
            event(Action.SIGNED_IN, Context(source=Source.PAGE)),
            event(Action.CHANGE_REQUESTED, page, change_id=5, change_set_id=3, after=ZOE, **billing),
            event(Action.CHANGE_APPLIED, page, change_id=5, aws_request_id="aws-9", **billing),
            event(Action.CONTACT_DRIFT, worker_context(), account_id="111122223333", contact_type="SECURITY"),
            event(Action.ACCOUNT_LEFT, worker_context(), account_id="444455556666", unit_path="r-1/ou-2/"),
        ]
    )


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"actions": ("account.left", "user.signed_in")}, [4, 0]),
        ({"source": "worker"}, [4, 3]),
        ({"account_id": "111122223333"}, [3, 2, 1]),
        ({"contact_type": "BILLING"}, [2, 1]),
        ({"organization_id": "o-a"}, [2, 1]),
        ({"unit_path": "r-1/"}, [4, 2, 1]),
        ({"unit_path": "r-1/ou-2/"}, [4]),
        ({"change_id": 5, "actions": ("contact.change_applied",)}, [2]),
        ({"change_set_id": 3}, [1]),
        ({"request_id": "click-1"}, [2, 1]),
        ({"actor_id": 7}, []),
        ({"text": "ZOE@"}, [1]),
        ({"text": " Zoë "}, [2, 1]),
        ({"text": "chg-77"}, [2, 1]),
        ({"text": "aws-9"}, [2]),
        ({"text": "44445555"}, [4]),
        ({"text": "%"}, []),
    ],
)
def test_filters(events, filters, places):
    found = AuditEvent.objects.matching(EventFilters(**filters))
    assert [event.pk for event in found] == [events[place].pk for place in places]


def test_a_span_of_time_ends_before_its_end(events):
    at = events[0].at
    spans = {"since": at, "until": at + timedelta(hours=1)}
    assert AuditEvent.objects.matching(EventFilters(**spans)).count() == 5
    assert AuditEvent.objects.matching(EventFilters(until=at)).count() == 0


def test_the_life_of_an_account_and_of_a_contact(events):
    assert AuditEvent.objects.for_account("111122223333").count() == 3
    assert AuditEvent.objects.for_contact("111122223333", "BILLING").count() == 2


def test_pages_go_there_and_back(events):
    newest = AuditEvent.objects.page(size=2)
    assert pks(newest) == pks_of(events, 4, 3)
    assert newest.newer_than is None

    middle = AuditEvent.objects.page(older_than=newest.older_than, size=2)
    assert pks(middle) == pks_of(events, 2, 1)

    last = AuditEvent.objects.page(older_than=middle.older_than, size=2)
    assert pks(last) == pks_of(events, 0)
    assert last.older_than is None

    back = AuditEvent.objects.page(newer_than=last.newer_than, size=2)
    assert pks(back) == pks(middle)
    front = AuditEvent.objects.page(newer_than=back.newer_than, size=2)
    assert (pks(front), front.newer_than) == (pks(newest), None)


def test_a_page_costs_one_query(events, django_assert_num_queries):
    with django_assert_num_queries(1):
        AuditEvent.objects.page(older_than=events[3].pk, size=2)


def pks(page) -> list[int]:
    return [event.pk for event in page.events]


def pks_of(events: list[AuditEvent], *places: int) -> list[int]:
    return [events[place].pk for place in places]


def test_exports_events_with_their_seals_and_says_so(events, monkeypatch):
    monkeypatch.setattr("audit.export.CHUNK", 2)
    seal_pending(4)
    context = Context(source=Source.PAGE)

    text = "".join(export_events(AuditEvent.objects.all(), filters={"source": "page"}, context=context))

    table = list(csv.DictReader(StringIO(text.removeprefix("\ufeff"))))
    assert [int(row["id"]) for row in table] == [event.pk for event in reversed(events)]
    assert [row["seq"] for row in table] == ["", "4", "3", "2", "1"]
    assert table[3]["hash"] == events[1].seal.hash
    assert '"name": "Zoë"' in table[3]["after"]
    export = AuditEvent.objects.page(size=1).events[0]
    detail = {"events": 5, "filters": {"source": "page"}, "format": "csv"}
    assert (export.action, export.detail) == ("audit.exported", detail)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start):
    assert safe_cell(start + "1") == "'" + start + "1"


@pytest.mark.parametrize(("value", "cell"), [(None, ""), (7, "7"), ("a=b", "a=b"), ("", ""), (-7, "'-7")])
def test_a_harmless_cell_stays_what_it_is(value, cell):
    assert safe_cell(value) == cell


def test_lines_are_utf8_for_excel_and_quoted_as_csv_wants_it():
    lines = list(csv_lines([["a", 'b"c'], ["=1", "x\ny"]]))
    assert lines == ['\ufeffa,"b""c"\r\n', '\'=1,"x\ny"\r\n']
