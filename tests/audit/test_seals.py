"""Sealing: every event once, in one chain, in the format of the manual."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import canonical, texts_of
from audit.context import worker_context
from audit.log import record
from audit.models import Action, AuditEvent, AuditPending, AuditSeal
from audit.seals import GENESIS, _waiting_sql, get_head, seal_pending
from audit.tasks import seal_events
from audit.verification import verify
from portal.celery import app
from tests.audit.writing import write

pytestmark = pytest.mark.django_db


class TestSealing:
    def test_links_each_event_to_the_one_before(self):
        events = write(3)
        assert seal_pending() == 3
        seals = list(AuditSeal.objects.order_by("seq"))
        assert [seal.seq for seal in seals] == [1, 2, 3]
        assert [seal.event_id for seal in seals] == [event.pk for event in events]
        assert [seal.previous_hash for seal in seals] == [GENESIS, seals[0].hash, seals[1].hash]

    def test_goes_on_where_the_chain_ended(self):
        write(2)
        seal_pending()
        head = get_head()
        write()
        assert seal_pending() == 1
        assert AuditSeal.objects.get(seq=3).previous_hash == head.hash

    def test_does_at_most_what_it_is_told(self):
        write(5)
        assert [seal_pending(2), seal_pending(2), seal_pending(2), seal_pending(2)] == [2, 2, 1, 0]
        assert verify().ok

    def test_takes_an_event_whose_smaller_id_appears_late(self):
        late, early = write(2)
        AuditPending.objects.filter(pk=late.pk).delete()
        assert seal_pending() == 1
        AuditPending.objects.create(pk=late.pk)
        assert seal_pending() == 1
        assert list(AuditSeal.objects.values_list("event_id", flat=True)) == [early.pk, late.pk]
        assert verify().ok

    def test_asks_one_cheap_question_when_nothing_is_pending(self, django_assert_num_queries):
        write(3)
        seal_pending()
        with django_assert_num_queries(1):
            assert seal_pending() == 0

    @pytest.mark.sqlite  # PostgreSQL's choice depends on how many there are
    def test_reads_no_event_that_does_not_wait(self):
        write(3)
        with CaptureQueriesContext(connection) as asked:
            seal_pending()
        question = next(query["sql"] for query in asked if "LEFT JOIN" in query["sql"])
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {question}")
            steps = [row[-1] for row in cursor.fetchall()]
        assert any(step.startswith("SEARCH audit_auditevent USING INTEGER PRIMARY KEY") for step in steps)
        assert not any(step.startswith("SCAN audit_auditevent") for step in steps)

    @pytest.mark.postgres
    def test_old_statistics_lead_through_no_events_that_do_not_wait(self):
        write(4000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE audit_auditevent; ANALYZE audit_auditpending")
        AuditPending.objects.filter(pk__lt=AuditEvent.objects.latest("pk").pk - 100).delete()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off")
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + _waiting_sql(), [2000])
            plan = cursor.fetchone()[0][0]["Plan"]
        reads = [step for step in steps_of(plan) if step.get("Relation Name") == "audit_auditevent"]
        assert sum(step["Actual Rows"] for step in reads) <= 110

    def test_the_task_seals_more_than_one_batch(self, monkeypatch):
        monkeypatch.setattr("audit.tasks.BATCH", 500)
        write(1100)
        assert seal_events() == 1100
        assert seal_events() == 0
        assert verify().checked == 1100

    def test_beat_calls_the_task(self):
        assert app.conf.beat_schedule["seal-audit-events"]["task"] == seal_events.name
        assert seal_events.name in app.tasks

    def test_an_event_that_its_transaction_takes_back_leaves_nothing(self):
        with suppress(RuntimeError), transaction.atomic():
            write()
            raise RuntimeError("The use case failed.")
        assert (AuditEvent.objects.count(), AuditPending.objects.count()) == (0, 0)

    @pytest.mark.sqlite  # PostgreSQL refuses to store it
    def test_seals_a_text_that_utf8_cannot_hold(self):
        record(Action.SIGN_IN_FAILED, worker_context(), detail={"name": "\ud800"})
        assert seal_pending() == 1
        assert verify().ok


def steps_of(plan: dict) -> Iterator[dict]:
    yield plan
    for step in plan.get("Plans", []):
        yield from steps_of(step)


class TestFormat:
    """docs/audit.md, byte for byte."""

    def test_the_manual_s_example_is_true(self):
        manual = (settings.BASE_DIR / "docs" / "audit.md").read_text()
        line = re.search(r"^ +(\{\"account_id.*\})$", manual, re.MULTILINE)[1]
        digest = re.search(r"hash = ([0-9a-f]{64})$", manual, re.MULTILINE)[1]
        assert canonical(json.loads(line)) == line.encode()
        assert hashlib.sha256(b"0" * 64 + line.encode()).hexdigest() == digest

    def test_a_seal_can_be_made_again_with_the_manual_alone(self, chain):
        seal = AuditSeal.objects.get(seq=4)
        columns = AuditEvent.objects.filter(pk=seal.event_id).values().get()
        facts = {name: value for name, value in columns.items() if value is not None}
        facts["at"] = columns["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256((seal.previous_hash + text).encode()).hexdigest() == seal.hash

    def test_what_is_null_is_left_out_so_that_new_columns_fit_old_seals(self):
        assert canonical({"id": 1, "change_set_id": None}) == canonical({"id": 1}) == b'{"id":1}'

    def test_escapes_as_little_as_json_allows(self):
        assert canonical({"a": "\x00\n\x7f\u2028ü😀\ud800"}) == (
            b'{"a":"\\u0000\\n\x7f' + "\u2028ü😀".encode() + b'\\ud800"}'
        )

    @pytest.mark.parametrize("offset", [-11, 0, 14])
    def test_a_time_is_written_in_utc_whatever_its_zone(self, offset):
        at = datetime(2026, 11, 23, 14, 32, 17, tzinfo=UTC).astimezone(timezone(timedelta(hours=offset)))
        assert canonical({"at": at}) == b'{"at":"2026-11-23T14:32:17.000000Z"}'


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: object, shuffle: Callable[[list], None]) -> object:
    """The same JSON with its keys in another order."""
    if isinstance(value, list):
        return [shuffled(part, shuffle) for part in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    shuffle(keys)
    return {key: shuffled(value[key], shuffle) for key in keys}


class TestProperties:
    @given(st.dictionaries(TEXT, JSON), st.randoms())
    def test_the_order_of_keys_does_not_matter(self, row, random):
        assert canonical(row) == canonical(shuffled(row, random.shuffle))

    @given(st.dictionaries(TEXT, JSON))
    def test_the_bytes_hold_all_that_was_sealed(self, row):
        assert json.loads(canonical(row)) == {name: value for name, value in row.items() if value is not None}

    @given(JSON, TEXT)
    def test_an_event_reads_back_from_the_database_as_it_was_written(self, value, reason):
        written = record(
            Action.CONTACT_DRIFT, worker_context(), before=value, detail={"x": value}, reason=reason
        )
        columns = {
            field.attname: getattr(written, field.attname) for field in AuditEvent._meta.concrete_fields
        }
        stored = AuditEvent.objects.filter(pk=written.pk).values().get()
        assert canonical(stored) == canonical(columns) == texts_of([written.pk])[written.pk]
