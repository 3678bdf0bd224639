"""Finding events, page by page, and taking them away as a file."""

import csv
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.context import Context, Source, worker_context
from audit.export import export_events
from audit.log import event, record_all
from audit.models import Action, AuditEvent
from audit.queries import EventFilters, count_words
from audit.seals import seal_pending
from audit.searching import is_searchable
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
        ({"text": "ZOE@example.com"}, [1]),
        ({"text": "zoe@example.org"}, []),
        ({"text": " Zoë "}, [2, 1]),
        ({"text": "chg-77"}, [2, 1]),
        ({"text": "aws-9"}, [2]),
        ({"text": "44445555"}, [4]),
        ({"text": "click"}, []),  # words begin no random id
        ({"text": "lick-1"}, []),  # nor is the middle of one looked at
        ({"text": "Zoë Team"}, [1]),
        ({"text": "%"}, []),
        ({"actions": ("account.left", "user.signed_in"), "text": "4444"}, [4]),
        ({"actor_label": "Zoë"}, []),
    ],
)
def test_filters(events, filters, places):
    found = AuditEvent.objects.matching(EventFilters(**filters))
    assert [event.pk for event in found] == [events[place].pk for place in places]


@pytest.mark.parametrize(
    "facts",
    [
        {"after": {"BILLING": {"status": "absent"}, "SECURITY": ZOE}},
        {"before": ZOE, "after": {"status": "absent"}},
        {"detail": {"found": ZOE}},
        {"detail": {"user": "zoe@example.com"}},
    ],
)
def test_a_value_is_found_wherever_an_event_holds_it(facts):
    (found,) = record_all([event(Action.CONTACT_BASELINE, worker_context(), **facts)])
    assert list(AuditEvent.objects.containing("ZOE@example")) == [found]


def test_who_left_is_found_by_the_name_that_was_written_down(alice):
    context = Context(actor=alice, source=Source.COMMAND, os_user="root")
    (found,) = record_all([event(Action.SIGNED_IN, context)])
    for name in ("Alice", "root"):
        assert list(AuditEvent.objects.matching(EventFilters(actor_label=name))) == [found]
    assert not AuditEvent.objects.matching(EventFilters(actor_label="Alic")).exists()


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


@pytest.mark.parametrize(
    "filters",
    [{"text": "o-a"}, {"actions": (Action.SIGNED_IN,)}, {"text": "here", "since": True}, {"until": True}],
)
def test_pages_of_what_is_rare_go_there_and_back_too(filters, monkeypatch):
    monkeypatch.setattr("audit.paging.NEAR", 3)
    now = timezone.now()
    written = [event(Action.SIGNED_IN, Context(source=Source.PAGE, reason="o-a here")) for _ in range(5)]
    for hours, one in zip((9, 8, 7, 5, 6), written, strict=True):  # a long transaction: ids follow no clock
        one.at = now - timedelta(hours=hours)
    record_all([*written, *(event(Action.ACCOUNT_LEFT, worker_context()) for _ in range(9))])
    limits = {"since": now - timedelta(days=1), "until": now}
    found = AuditEvent.objects.matching(
        EventFilters(**{name: limits.get(name, value) for name, value in filters.items()})
    )
    places = (3, 4, 2, 1, 0) if {"since", "until"} & set(filters) else (4, 3, 2, 1, 0)
    newest = found.page(size=2)
    middle = found.page(older_than=newest.older_than, size=2)
    last = found.page(older_than=middle.older_than, size=2)
    assert pks(newest) + pks(middle) + pks(last) == pks_of(written, *places)
    assert last.older_than is None
    assert pks(found.page(newer_than=last.newer_than, size=2)) == pks(middle)


@pytest.mark.postgres
def test_postgresql_finds_texts_by_the_index_beside_other_filters():
    """The expression of the search is the index's, letter by letter, and no other index is taken instead."""
    with connection.cursor() as cursor:
        cursor.execute(FILLING)
        cursor.execute("SELECT gin_clean_pending_list('audit_by_text')")  # as autovacuum does
        cursor.execute("ANALYZE audit_auditevent")
    filters = EventFilters(text="Quetzal Coatl", contact_type="SECURITY", since=timezone.now() - timedelta(1))
    for asked in (filters, replace(filters, since=None)):
        found = AuditEvent.objects.matching(asked)
        with CaptureQueriesContext(connection) as queries:
            assert not found.page(older_than=10**9, size=25).events
            assert found.count_up_to() == 0
        searches = [query["sql"] for query in queries if "LIKE" in query["sql"]]
        assert "audit_by_text" in plan_of(searches[-1])
        assert "audit_by_text" in plan_of(searches[-2])


FILLING = """
    INSERT INTO audit_auditevent (at, action, actor_label, os_user, source, request_id, aws_request_id,
        organization_id, unit_path, account_id, contact_type, reason, ticket, detail)
    SELECT now(), 'contact.drift', 'Person ' || n, '', 'worker', md5(n::text), '', '', '', '', 'SECURITY',
        'The rota ' || md5(n::text), '', '{}'
    FROM generate_series(1, 3000) n
"""


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(("count", "words"), [(0, "0 events"), (1, "1 event"), (10_001, "10,000+ events")])
def test_a_long_history_is_not_counted_through(count, words):
    assert count_words(count) == words


@pytest.mark.parametrize("dates", [{}, {"since": timezone.now() - timedelta(1)}])
@pytest.mark.parametrize("others", [0, 1, 3])
def test_what_is_frequent_is_counted_as_far_as_it_is_shown(monkeypatch, others, dates):
    monkeypatch.setattr("audit.paging.NEAR", 3)
    about = [Context(source=Source.PAGE, reason="Rota moved"), *[Context(source=Source.PAGE)] * others]
    record_all([event(Action.SIGNED_IN, context) for _ in range(20) for context in about])

    found = AuditEvent.objects.matching(EventFilters(text="rota moved", **dates))

    assert [found.count_up_to(limit) for limit in (1, 4, 10, 19, 20, 21)] == [2, 5, 11, 20, 20, 20]
    assert found.filter(contact_type="BILLING").count_up_to(4) == 0


@pytest.mark.postgres
def test_postgresql_counts_what_is_frequent_among_the_newest_alone(monkeypatch):
    monkeypatch.setattr("audit.paging.NEAR", 3)
    record_all([event(Action.SIGNED_IN, Context(source=Source.PAGE, reason="Rota moved")) for _ in range(20)])
    with CaptureQueriesContext(connection) as queries:
        assert AuditEvent.objects.matching(EventFilters(text="rota moved")).count_up_to(4) == 5
    texts = [query["sql"] for query in queries if "LIKE" in query["sql"]]
    assert len(texts) == 2
    assert all('"audit_auditevent"."id" >' in text for text in texts)


@pytest.mark.parametrize(
    ("text", "is_enough"),
    [("ab", False), ("a b c", False), ("...", False), (" ab ", False), ("+44", True), ("Zoë", True)],
)
def test_what_is_too_short_to_look_for(text, is_enough):
    assert is_searchable(text) is is_enough


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
