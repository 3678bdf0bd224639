"""What anybody changes, removes, swaps or slips in is found and named; with anchors also what is cut off."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db.models import F

from audit import triggers
from audit.anchors import Anchor
from audit.canonical import texts_of
from audit.context import Source
from audit.models import Action, AuditEvent, AuditSeal
from audit.seals import GENESIS, get_head, link, seal_pending
from audit.verification import Fault, verify, verify_event, verify_stretch
from tests.audit.writing import OPS, write

pytestmark = pytest.mark.django_db


def first_bad() -> Fault | None:
    """What a verification names, in one go and in stretches that are joined: the same."""
    fault = verify().first_bad
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audit.verification.STRETCH", 2)
        patch.setattr("audit.verification.verify_in_processes", here)
        assert verify(processes=2).first_bad == fault
    return fault


def here(stretches, processes: int):
    """In place of processes, which would see nothing of a test's transaction."""
    return (verify_stretch(*stretch) for stretch in stretches)


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
SEAL_BENT = {"event_id": 10**9, "previous_hash": "ü" * 64, "hash": "f" * 64}


class TestTampering:
    """With the triggers out of the way, as the owner of a database may have it."""

    @pytest.mark.parametrize("column", COLUMNS)
    def test_finds_a_changed_column(self, chain, column):
        victim = chain[3]
        AuditEvent.objects.filter(pk=victim.pk).update(**{column: BENT.get(column, "bent")})
        fault = first_bad()
        assert (fault.seq, fault.event_id) == (4, victim.pk)
        assert verify_event(victim.pk) or column == "id"

    @pytest.mark.parametrize("column", ["change_id", "ip", "before", "after"])
    def test_finds_a_column_that_became_null(self, chain, column):
        AuditEvent.objects.filter(pk=chain[3].pk).update(**{column: None})
        assert first_bad().event_id == chain[3].pk

    @pytest.mark.parametrize(("column", "bent"), SEAL_BENT.items())
    def test_finds_a_changed_column_of_a_seal(self, chain, column, bent):
        AuditSeal.objects.filter(seq=4).update(**{column: bent})
        fault = first_bad()
        assert (fault.seq, fault.event_id) == (4, bent if column == "event_id" else chain[3].pk)
        assert verify_event(chain[3].pk)

    @pytest.mark.parametrize("seq", [0, -3, 99])
    def test_finds_a_seal_that_was_moved(self, chain, seq):
        AuditSeal.objects.filter(seq=4).update(seq=seq)
        assert first_bad().seq == (4 if seq > 0 else seq)

    def test_finds_a_removed_event(self, chain):
        AuditEvent.objects.filter(pk=chain[3].pk).delete()
        fault = first_bad()
        assert (fault.seq, fault.event_id, fault.reason) == (4, chain[3].pk, "The event was removed.")

    def test_finds_a_removed_seal(self, chain):
        AuditSeal.objects.filter(seq=4).delete()
        assert (first_bad().seq, first_bad().event_id) == (4, chain[3].pk)
        assert verify_event(chain[3].pk)

    @pytest.mark.parametrize("place", [1, 4])
    def test_finds_an_event_that_was_removed_with_its_seal(self, chain, place):
        AuditEvent.objects.filter(seal__seq=place)._raw_delete("default")
        AuditSeal.objects.filter(seq=place).delete()
        fault = first_bad()
        assert (fault.seq, fault.event_id) == (place, None)
        assert "The seal is missing" in fault.reason

    def test_finds_the_last_seal_removed(self, chain):
        AuditSeal.objects.filter(seq=7).delete()
        assert first_bad().event_id == chain[6].pk

    def test_finds_two_swapped_events(self, chain):
        swap_ids(chain[2].pk, chain[4].pk)
        assert (first_bad().seq, first_bad().event_id) == (3, chain[2].pk)

    def test_finds_two_swapped_seals(self, chain):
        for old, new in ((3, 99), (5, 3), (99, 5)):
            AuditSeal.objects.filter(seq=old).update(seq=new)
        assert first_bad().seq == 3

    def test_finds_an_event_that_was_slipped_in(self, chain):
        stranger = AuditEvent.objects.create(at=chain[0].at, action=Action.SIGNED_IN, source=Source.PAGE)
        assert first_bad().event_id == stranger.pk
        assert verify_event(stranger.pk)

    def test_finds_an_event_that_was_slipped_in_with_a_seal(self, chain):
        stranger = AuditEvent.objects.create(at=chain[0].at, action=Action.SIGNED_IN, source=Source.PAGE)
        for seq in (7, 6, 5, 4):
            AuditSeal.objects.filter(seq=seq).update(seq=seq + 1)
        before = AuditSeal.objects.get(seq=3).hash
        AuditSeal.objects.create(seq=4, event=stranger, previous_hash=before, hash="f" * 64)
        assert (first_bad().seq, first_bad().event_id) == (4, stranger.pk)

    def test_finds_an_event_that_was_removed_before_its_seal(self, chain):
        victim, after = write(2)
        AuditEvent.objects.filter(pk=victim.pk)._raw_delete("default")
        assert seal_pending() == 2
        fault = first_bad()
        assert (fault.seq, fault.event_id, fault.reason) == (8, victim.pk, "The event was removed.")

    def test_finds_nothing_wrong_with_the_neighbours(self, chain):
        AuditEvent.objects.filter(pk=chain[3].pk).update(reason="bent")
        assert [bool(verify_event(event.pk)) for event in chain] == [number == 3 for number in range(7)]


def swap_ids(one: int, other: int) -> None:
    for old, new in ((one, 10**9), (other, one), (10**9, other)):
        AuditEvent.objects.filter(pk=old).update(id=new)


class TestAnchors:
    """With what was kept outside the database."""

    def test_a_chain_holds_its_anchors(self, chain):
        anchors = [anchor(seq) for seq in (2, 2, 5, 7)]
        write(2)
        seal_pending()
        verdict = verify(anchors=anchors)
        assert (verdict.ok, verdict.anchors) == (True, 4)
        assert verify(anchors=[]).anchors == 0

    def test_locates_an_end_that_was_cut_off(self, chain):
        anchors = [anchor(seq) for seq in (2, 5, 7)]
        cut_off_after(5)
        assert verify().ok
        fault = verify(anchors=anchors).first_bad
        assert (fault.seq, fault.between) == (7, (5, 7))
        assert "it ends at seal 5." in fault.reason
        assert "after the anchor of 2026-11-23T14:00:05Z (seal 5), and not later than" in fault.reason

    def test_locates_an_end_that_was_cut_off_and_grew_again(self, chain):
        anchors = [anchor(seq) for seq in (2, 5, 7)]
        cut_off_after(5)
        write(4)
        seal_pending()
        assert verify().ok
        fault = verify(anchors=anchors).first_bad
        assert (fault.between, "written anew" in fault.reason) == ((5, 7), True)

    @pytest.mark.parametrize(("place", "between"), [(1, (0, 2)), (4, (2, 5)), (7, (5, 7))])
    def test_locates_what_was_written_anew(self, chain, place, between):
        anchors = [anchor(seq) for seq in (7, 2, 5)]
        AuditEvent.objects.filter(seal__seq=place).update(reason="bent")
        write_anew()
        assert verify().ok
        fault = verify(anchors=anchors).first_bad
        assert (fault.between, fault.event_id) == (between, None)
        assert ("before the first anchor" in fault.reason) == (place == 1)

    def test_names_the_event_where_the_chain_still_tells(self, chain):
        anchors = [anchor(7)]
        AuditEvent.objects.filter(seal__seq=4).update(reason="bent")
        assert verify(anchors=anchors).first_bad.event_id == chain[3].pk


def anchor(seq: int) -> Anchor:
    at = datetime(2026, 11, 23, 14, 0, seq, tzinfo=UTC)
    return Anchor(at, seq, AuditSeal.objects.get(seq=seq).hash)


def cut_off_after(seq: int) -> None:
    AuditEvent.objects.filter(seal__seq__gt=seq)._raw_delete("default")
    AuditSeal.objects.filter(seq__gt=seq).delete()


def write_anew() -> None:
    """All seals computed again, as the manual says how."""
    before = GENESIS
    for seal in AuditSeal.objects.order_by("seq"):
        digest = link(before, texts_of([seal.event_id])[seal.event_id])
        AuditSeal.objects.filter(seq=seal.seq).update(previous_hash=before, hash=digest)
        before = digest


@pytest.mark.django_db(transaction=True)
def test_processes_share_a_chain_and_name_the_same_event(chain, monkeypatch):
    monkeypatch.setattr("audit.verification.STRETCH", 2)
    assert verify(processes=2).checked == 7
    AuditEvent.objects.filter(pk=chain[5].pk).update(reason="bent")
    verdict = verify(processes=2)
    assert (verdict.first_bad.event_id, verdict.checked) == (chain[5].pk, 5)
