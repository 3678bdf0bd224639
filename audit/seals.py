"""Seals link events into a chain of hashes: what is changed, removed, swapped or slipped in later is found.

docs/audit.md gives the format byte for byte.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Min

from audit.models import AuditEvent, AuditPending, AuditSeal

GENESIS = "0" * 64
SEALER_LOCK = 0x5EA1  # the advisory lock on PostgreSQL; any number that nobody else takes
CHUNK = 2000

Row = Mapping[str, Any]  # the columns of an event by name: numbers, texts, times and JSON


@dataclass(frozen=True)
class Head:
    """The last seal; kept elsewhere, it proves later that the chain up to here was not rewritten."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Fault:
    """The first place where events and seals disagree; None where the chain no longer tells."""

    seq: int | None
    event_id: int | None
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What a verification found; unsealed events are too young to have a seal."""

    checked: int
    unsealed: int
    first_bad: Fault | None
    head: Head

    @property
    def ok(self) -> bool:
        return self.first_bad is None


def canonical(row: Row) -> bytes:
    """One event as bytes that every program can write: JSON as in RFC 8785, nulls left out.

    Left out, so that a column which is added later changes no old seal. Halves of a surrogate pair, which
    UTF-8 cannot hold, become escapes as in RFC 8785's JSON.stringify.
    """
    facts = {name: _plain(value) for name, value in row.items() if value is not None}
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def link(previous_hash: str, row: Row) -> str:
    """The hash that ties an event to all events before it."""
    return hashlib.sha256(previous_hash.encode("ascii") + canonical(row)).hexdigest()


def get_head() -> Head:
    """The last seal, or the beginning of the chain."""
    seal = AuditSeal.objects.order_by("-seq").first()
    return Head(seal.seq, seal.hash) if seal else Head(0, GENESIS)


def seal_pending(limit: int = 1000) -> int:
    """Seal events that have no seal yet, smallest id first; returns how many.

    None while another sealer is at it: that one, or the next call, sees to them.
    """
    if not AuditPending.objects.exists():  # asked each second: no write lock for nothing
        return 0
    with transaction.atomic():
        return _seal(limit) if _is_only_sealer() else 0


def verify(since: datetime | None = None, on_progress: Callable[[int], None] = lambda count: None) -> Verdict:
    """Compare every event with its seal, every seal with the one before; stops at the first that is bad.

    Reads in chunks that need no common transaction, because events and seals never change; writes nothing.
    With `since`, the chain before the first event of that time is taken as good.
    """
    head = get_head()
    checked, fault = _verify_chain(_first_seq(since), head.seq, on_progress)
    young = {"at__gte": since} if since else {}
    return Verdict(checked, AuditPending.objects.count(), fault or _find_stray(**young), head)


def verify_event(event_id: int) -> Fault | None:
    """Compare one event with its own seal and its neighbour; None also while it waits for its seal."""
    seal = AuditSeal.objects.filter(event_id=event_id).first()
    if seal is None:
        return _find_stray(pk=event_id)
    reason = _reason(seal, _rows_of([event_id]).get(event_id), seal.seq, _hash_before(seal.seq))
    return Fault(seal.seq, event_id, reason) if reason else None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value


def _rows_of(event_ids: Iterable[int]) -> dict[int, Row]:
    """Events as the database has them now."""
    return {row["id"]: row for row in AuditEvent.objects.filter(pk__in=event_ids).order_by().values()}


def _is_only_sealer() -> bool:
    """One sealer at a time, until its transaction ends; on SQLite by the write lock it holds."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
        return cursor.fetchone()[0]


def _seal(limit: int) -> int:
    event_ids = list(AuditPending.objects.order_by("pk").values_list("pk", flat=True)[:limit])
    rows = _rows_of(event_ids)
    head, seals = get_head(), []
    for seq, event_id in enumerate(event_ids, head.seq + 1):
        # An event that was removed before its seal gets one all the same: the hole stays provable.
        digest = link(head.hash, rows.get(event_id, {"id": event_id}))
        seals.append(AuditSeal(seq=seq, event_id=event_id, previous_hash=head.hash, hash=digest))
        head = Head(seq, digest)
    AuditSeal.objects.bulk_create(seals)
    AuditPending.objects.filter(pk__in=event_ids).delete()
    return len(seals)


def _first_seq(since: datetime | None) -> int:
    """Where verification begins; before 1 when somebody slipped a seal in there."""
    seals = AuditSeal.objects.filter(event__at__gte=since) if since else AuditSeal.objects
    first = seals.aggregate(first=Min("seq"))["first"]
    if since:
        return get_head().seq + 1 if first is None else first
    return 1 if first is None else min(1, first)


def _verify_chain(first: int, last: int, on_progress: Callable[[int], None]) -> tuple[int, Fault | None]:
    expected, previous_hash, event_id, checked = max(first, 1), _hash_before(first), None, 0
    for seals in _chunks(first, last):
        rows = _rows_of(seal.event_id for seal in seals)
        for seal in seals:
            reason = _reason(seal, rows.get(seal.event_id), expected, previous_hash)
            if reason:
                return checked, _fault(seal, expected, reason, event_id)
            expected, previous_hash, event_id, checked = expected + 1, seal.hash, seal.event_id, checked + 1
        on_progress(len(seals))
    return checked, None


def _chunks(first: int, last: int) -> Iterator[list[AuditSeal]]:
    while seals := list(AuditSeal.objects.filter(seq__gte=first, seq__lte=last).order_by("seq")[:CHUNK]):
        yield seals
        first = seals[-1].seq + 1


def _hash_before(seq: int) -> str | None:
    if seq <= 1:
        return GENESIS
    return AuditSeal.objects.filter(seq=seq - 1).values_list("hash", flat=True).first()


def _reason(seal: AuditSeal, row: Row | None, expected: int, previous_hash: str | None) -> str:
    """What is wrong with one link, or nothing."""
    if seal.seq != expected:
        return "The seal is missing." if seal.seq > expected else "The seal does not belong to the chain."
    if seal.previous_hash != previous_hash:
        return "The seal does not follow the one before it: one of the two was changed, or the order."
    if row is None:
        return "The event was removed."
    if seal.hash != link(seal.previous_hash, row):
        return "The event is not what was sealed: it, or its seal, was changed."
    return ""


def _fault(seal: AuditSeal, expected: int, reason: str, event_before: int | None) -> Fault:
    """Names the event; where a seal is missing, that is one without a seal, if it is still there."""
    if seal.seq <= expected:
        return Fault(seal.seq, seal.event_id, reason)
    stray = _find_stray()
    if stray:
        return Fault(expected, stray.event_id, reason)
    place = f"after event {event_before}" if event_before else "at the beginning"
    return Fault(expected, None, f"A seal and its event are missing {place}.")


def _find_stray(**condition: Any) -> Fault | None:
    """An event that neither has a seal nor waits for one."""
    stray = AuditEvent.objects.filter(seal=None, pending=None, **condition).order_by("pk").first()
    if stray is None:
        return None
    return Fault(None, stray.pk, "The event was slipped in, or its seal was removed.")
