"""Holds every event against its seal, every seal against the one before, and the chain against anchors."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Min
from django.utils import timezone

from audit.anchors import Anchor
from audit.canonical import texts_of
from audit.models import AuditEvent, AuditPending, AuditSeal, AuditVerification
from audit.seals import GENESIS, Head, get_head, link
from audit.stretches import verify_in_processes

CHUNK = 2000
STRETCH = 20_000  # seals that one process takes at a time; a shorter chain is not worth a process
PROBLEM_LENGTH = AuditVerification._meta.get_field("problem").max_length

Step = Callable[[int], None]


@dataclass(frozen=True)
class Fault:
    """The first place where something disagrees; None where the chain no longer tells.

    `between` are the seals of two anchors: the chain still holds the first of them, and no longer the second.
    """

    seq: int | None
    event_id: int | None
    reason: str
    between: tuple[int, int] | None = None


@dataclass(frozen=True)
class Verdict:
    """What a verification found; unsealed events are too young to have a seal."""

    checked: int
    unsealed: int
    first_bad: Fault | None
    head: Head
    anchors: int | None = None  # how many were held against the chain; None: there were none to hold

    @property
    def ok(self) -> bool:
        return self.first_bad is None


def verify(
    since: datetime | None = None,
    *,
    anchors: Iterable[Anchor] | None = None,
    processes: int = 0,
    on_progress: Step = lambda count: None,
) -> Verdict:
    """Compare every event with its seal, every seal with the one before; stops at the first that is bad.

    Reads in chunks that need no common transaction, because events and seals never change; writes nothing.
    With `since`, the chain before the first event of that time is taken as good. A long chain is shared out
    among that many processes; with 0 this one does it all.
    """
    head = get_head()
    checked, fault = _verify_chain(_first_seq(since), head.seq, processes, on_progress)
    fault = fault or _find_stray(**({"at__gte": since} if since else {}))
    held = None
    if anchors is not None:
        held, broken = _hold_against(anchors)
        fault = fault or broken
    return Verdict(checked, AuditPending.objects.count(), fault, head, held)


def verify_stretch(first: int, last: int, on_progress: Step = lambda count: None) -> tuple[int, Fault | None]:
    """Compare the seals from first to last with their events and with each other.

    The seal before the first is taken as good. Returns how many hold, and what is wrong with the next.
    """
    expected, previous_hash, checked = max(first, 1), _hash_before(first), 0
    for seals in _chunks(first, last):
        texts = texts_of([event_id for _, event_id, _, _ in seals])
        for seal in seals:
            reason = _reason(seal, texts.get(seal[1]), expected, previous_hash)
            if reason:
                return checked, _fault(seal, expected, reason)
            expected, previous_hash, checked = expected + 1, seal[3], checked + 1
        on_progress(len(seals))
    return checked, _missing(expected) if expected <= last else None


def verify_event(event_id: int) -> Fault | None:
    """Compare one event with its own seal and its neighbour; None also while it waits for its seal."""
    seal = AuditSeal.objects.filter(event_id=event_id).values_list(*SEAL).first()
    if seal is None:
        return _find_stray(pk=event_id)
    reason = _reason(seal, texts_of([event_id]).get(event_id), seal[0], _hash_before(seal[0]))
    return Fault(seal[0], event_id, reason) if reason else None


def keep(verdict: Verdict, problem: str = "") -> AuditVerification:
    """Write down what a verification of the whole chain found, or what else is wrong with its protection."""
    fault = verdict.first_bad
    return AuditVerification.objects.create(
        at=timezone.now(),
        checked=verdict.checked,
        seq=verdict.head.seq,
        hash=verdict.head.hash,
        anchors=verdict.anchors,
        is_intact=verdict.ok and not problem,
        problem=(sentence(fault) if fault else problem)[:PROBLEM_LENGTH],
        bad_event_id=fault.event_id if fault else None,
    )


def sentence(fault: Fault) -> str:
    """The first bad event, or the two anchors, and what is wrong."""
    if fault.between:
        return fault.reason
    event = f"Event {fault.event_id}" if fault.event_id else "An event that is gone"
    seal = f" (seal {fault.seq})" if fault.seq else ""
    return f"First bad event: {event}{seal}. {fault.reason}"


# The chain. A seal is a plain row here, because objects would double the time.

SEAL = ("seq", "event_id", "previous_hash", "hash")
Seal = tuple[int, int, str, str]


def _first_seq(since: datetime | None) -> int:
    """Where verification begins; before 1 when somebody slipped a seal in there."""
    seals = AuditSeal.objects.filter(event__at__gte=since) if since else AuditSeal.objects
    first = seals.aggregate(first=Min("seq"))["first"]
    if since:
        return get_head().seq + 1 if first is None else first
    return 1 if first is None else min(1, first)


def _verify_chain(first: int, last: int, processes: int, on_progress: Step) -> tuple[int, Fault | None]:
    if not processes or last - first < STRETCH:
        return verify_stretch(first, last, on_progress)
    checked = 0
    for count, fault in verify_in_processes(_stretches(first, last), processes):
        checked += count
        on_progress(count)
        if fault:
            return checked, fault
    return checked, None


def _stretches(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Each is verified by itself, from the hash that the seal before it has: joined, they are the chain."""
    while first <= last:
        yield first, min(first + STRETCH - 1, last)
        first += STRETCH


def _chunks(first: int, last: int) -> Iterator[list[Seal]]:
    seals = AuditSeal.objects.order_by("seq").values_list(*SEAL)
    while chunk := list(seals.filter(seq__gte=first, seq__lte=last)[:CHUNK]):
        yield chunk
        first = chunk[-1][0] + 1


def _hash_before(seq: int) -> str | None:
    if seq <= 1:
        return GENESIS
    return AuditSeal.objects.filter(seq=seq - 1).values_list("hash", flat=True).first()


def _reason(seal: Seal, text: bytes | None, expected: int, previous_hash: str | None) -> str:
    """What is wrong with one link, or nothing."""
    seq, _, previous, digest = seal
    if seq != expected:
        return "The seal does not belong to the chain."
    if previous != previous_hash:
        return "The seal does not follow the one before it: one of the two was changed, or the order."
    if text is None:
        return "The event was removed."
    if digest != link(previous, text):
        return "The event is not what was sealed: it, or its seal, was changed."
    return ""


def _fault(seal: Seal, expected: int, reason: str) -> Fault:
    return _missing(expected) if seal[0] > expected else Fault(seal[0], seal[1], reason)


def _missing(seq: int) -> Fault:
    """Where a seal is missing, the bad event is one without a seal, if it is still there."""
    stray = _find_stray()
    if stray:
        return Fault(seq, stray.event_id, "Its seal is missing.")
    return Fault(seq, None, "The seal is missing, and its event is gone or has another one.")


def _find_stray(**condition: Any) -> Fault | None:
    """An event that neither has a seal nor waits for one."""
    stray = AuditEvent.objects.filter(seal=None, pending=None, **condition).order_by("pk").first()
    if stray is None:
        return None
    return Fault(None, stray.pk, "The event was slipped in, or its seal was removed.")


# Anchors


def _hold_against(anchors: Iterable[Anchor]) -> tuple[int, Fault | None]:
    """How many anchors there are, and between which of them the chain was cut off or written anew."""
    count, good, bad = 0, None, None
    for chunk in _batches(anchors):
        count += len(chunk)
        # Asked after the anchors were read: a working portal adds to both.
        hashes = dict(AuditSeal.objects.filter(seq__in=[a.seq for a in chunk]).values_list("seq", "hash"))
        for anchor in chunk:
            if hashes.get(anchor.seq) == anchor.hash:
                good = anchor if bad is None or anchor.seq < bad.seq else good
            elif bad is None or anchor.seq < bad.seq:
                bad = anchor
    return count, _between(good, bad) if bad else None


def _batches(anchors: Iterable[Anchor]) -> Iterator[list[Anchor]]:
    batch: list[Anchor] = []
    for anchor in anchors:
        batch.append(anchor)
        if len(batch) == CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


def _between(good: Anchor | None, bad: Anchor) -> Fault:
    last = get_head().seq
    what = (
        f"The end of the chain was cut off: it ends at seal {last}"
        if last < bad.seq
        else "The chain was written anew"
    )
    start = f"after {good.words}" if good and good.seq < bad.seq else "before the first anchor"
    reason = f"{what}. It happened {start}, and not later than {bad.words}."
    return Fault(bad.seq, None, reason, (good.seq if good else 0, bad.seq))
