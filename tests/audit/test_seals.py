"""The chain of seals: what anybody changes, removes, swaps or slips in is found and named."""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from audit import triggers
from audit.context import Context, Source, worker_context
from audit.log import event, record, record_all
from audit.models import Action, AuditEvent, AuditPending, AuditSeal
from audit.seals import GENESIS, canonical, get_head, seal_pending
from audit.tasks import seal_events
from audit.verification import verify, verify_event
from portal.celery import app

pytestmark = pytest.mark.django_db

OPS = {
    "status": "set",
    "name": "Ops",
    "title": "Team",
    "email": "ops@example.com",
    "phone": "+44 20 7946 0155",
}


def write(count: int = 1) -> list[AuditEvent]:
    """Events in which no column is empty."""
    context = Context(source=Source.PAGE, reason="Moved", ticket="CHG-1", ip="192.0.2.7", os_user="root")
    return record_all(
        [
            event(
                Action.CHANGE_APPLIED,
                context,
                account_id="111122223333",
                organization_id="o-abcdefghij",
                unit_path="r-ab12/",
                contact_type="BILLING",
                change_id=number,
                aws_request_id="5f1c",
                before=OPS,
                after={"status": "absent"},
                detail={"note": "für Zoë"},
            )
            for number in range(count)
        ]
    )


@pytest.fixture
def chain() -> list[AuditEvent]:
    """Seven sealed events, and nothing that protects them."""
    events = write(7)
    seal_pending()
    assert verify().ok
    triggers.uninstall()
    return events


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

    def test_the_task_seals_more_than_one_batch(self):
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


class TestVerdict:
    def test_an_empty_audit_is_whole(self):
        verdict = verify()
        assert (verdict.ok, verdict.checked, verdict.unsealed, verdict.head.seq) == (True, 0, 0, 0)

    def test_says_how_many_are_younger_than_their_seal(self, chain):
        write(2)
        verdict = verify()
        assert (verdict.ok, verdict.checked, verdict.unsealed) == (True, 7, 2)
        assert verdict.head == get_head()

    def test_writes_nothing_and_asks_for_chunks(self, chain, django_assert_max_num_queries):
        with django_assert_max_num_queries(8) as queries:
            verify()
        assert all(query["sql"].startswith("SELECT") for query in queries)

    def test_goes_on_over_the_border_of_a_chunk(self, chain, monkeypatch):
        monkeypatch.setattr("audit.verification.CHUNK", 3)
        steps = []
        assert verify(on_progress=steps.append).checked == 7
        assert steps == [3, 3, 1]

    def test_since_starts_at_the_first_event_of_that_time(self):
        with time_machine.travel("2026-11-01T10:00:00Z"):
            write(2)
        with time_machine.travel("2026-11-02T10:00:00Z"):
            write(3)
        seal_pending()
        assert verify(datetime(2026, 11, 2, tzinfo=UTC)).checked == 3
        assert verify(datetime(2026, 11, 3, tzinfo=UTC)).checked == 0

        triggers.uninstall()
        AuditEvent.objects.filter(seal__seq=1).update(reason="bent")
        assert verify(datetime(2026, 11, 2, tzinfo=UTC)).ok
        assert verify().first_bad.seq == 1


COLUMNS = [field.attname for field in AuditEvent._meta.concrete_fields]
BENT = {
    "id": 10**9,
    "at": F("at") + timedelta(microseconds=1),
    "actor_id": 99,
    "ip": "192.0.2.8",
    "change_id": 99,
    "change_set_id": 98,
    "before": OPS | {"phone": "+44 20 7946 0156"},
    "after": {"status": "unknown"},
    "detail": {"note": "fur Zoe"},
}


class TestTampering:
    """With the triggers out of the way, as the owner of a database may have it."""

    @pytest.mark.parametrize("column", COLUMNS)
    def test_finds_a_changed_column(self, chain, column):
        victim = chain[3]
        AuditEvent.objects.filter(pk=victim.pk).update(**{column: BENT.get(column, "bent")})
        fault = verify().first_bad
        assert (fault.seq, fault.event_id) == (4, victim.pk)
        assert verify_event(victim.pk) or column == "id"

    @pytest.mark.parametrize("column", ["change_id", "ip", "before", "after"])
    def test_finds_a_column_that_became_null(self, chain, column):
        AuditEvent.objects.filter(pk=chain[3].pk).update(**{column: None})
        assert verify().first_bad.event_id == chain[3].pk

    @pytest.mark.parametrize("column", ["hash", "previous_hash"])
    def test_finds_a_changed_hash(self, chain, column):
        AuditSeal.objects.filter(seq=4).update(**{column: "f" * 64})
        assert (verify().first_bad.seq, verify().first_bad.event_id) == (4, chain[3].pk)
        assert verify_event(chain[3].pk)

    @pytest.mark.parametrize("seq", [0, -3, 99])
    def test_finds_a_seal_that_was_moved(self, chain, seq):
        AuditSeal.objects.filter(seq=4).update(seq=seq)
        assert verify().first_bad.seq == (4 if seq > 0 else seq)

    def test_finds_a_removed_event(self, chain):
        AuditEvent.objects.filter(pk=chain[3].pk).delete()
        fault = verify().first_bad
        assert (fault.seq, fault.event_id, fault.reason) == (4, chain[3].pk, "The event was removed.")

    def test_finds_a_removed_seal(self, chain):
        AuditSeal.objects.filter(seq=4).delete()
        assert (verify().first_bad.seq, verify().first_bad.event_id) == (4, chain[3].pk)
        assert verify_event(chain[3].pk)

    @pytest.mark.parametrize("place", [1, 4])
    def test_finds_an_event_that_was_removed_with_its_seal(self, chain, place):
        AuditEvent.objects.filter(seal__seq=place)._raw_delete("default")
        AuditSeal.objects.filter(seq=place).delete()
        fault = verify().first_bad
        assert (fault.seq, fault.event_id) == (place, None)
        assert "are missing" in fault.reason

    def test_finds_the_last_seal_removed(self, chain):
        AuditSeal.objects.filter(seq=7).delete()
        assert verify().first_bad.event_id == chain[6].pk

    def test_finds_two_swapped_events(self, chain):
        swap_ids(chain[2].pk, chain[4].pk)
        assert (verify().first_bad.seq, verify().first_bad.event_id) == (3, chain[2].pk)

    def test_finds_two_swapped_seals(self, chain):
        for old, new in ((3, 99), (5, 3), (99, 5)):
            AuditSeal.objects.filter(seq=old).update(seq=new)
        assert verify().first_bad.seq == 3

    def test_finds_an_event_that_was_slipped_in(self, chain):
        stranger = AuditEvent.objects.create(at=chain[0].at, action=Action.SIGNED_IN, source=Source.PAGE)
        assert verify().first_bad.event_id == stranger.pk
        assert verify_event(stranger.pk)

    def test_finds_an_event_that_was_slipped_in_with_a_seal(self, chain):
        stranger = AuditEvent.objects.create(at=chain[0].at, action=Action.SIGNED_IN, source=Source.PAGE)
        for seq in (7, 6, 5, 4):
            AuditSeal.objects.filter(seq=seq).update(seq=seq + 1)
        before = AuditSeal.objects.get(seq=3).hash
        AuditSeal.objects.create(seq=4, event=stranger, previous_hash=before, hash="f" * 64)
        assert (verify().first_bad.seq, verify().first_bad.event_id) == (4, stranger.pk)

    def test_finds_an_event_that_was_removed_before_its_seal(self, chain):
        victim, after = write(2)
        AuditEvent.objects.filter(pk=victim.pk)._raw_delete("default")
        assert seal_pending() == 2
        fault = verify().first_bad
        assert (fault.seq, fault.event_id, fault.reason) == (8, victim.pk, "The event was removed.")

    def test_finds_nothing_wrong_with_the_neighbours(self, chain):
        AuditEvent.objects.filter(pk=chain[3].pk).update(reason="bent")
        assert [bool(verify_event(event.pk)) for event in chain] == [number == 3 for number in range(7)]


def swap_ids(one: int, other: int) -> None:
    for old, new in ((one, 10**9), (other, one), (10**9, other)):
        AuditEvent.objects.filter(pk=old).update(id=new)


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
        assert canonical(stored) == canonical(columns)
