"""Seals link events into a chain of hashes: what is changed, removed, swapped or slipped in later is found.

docs/audit.md gives the format byte for byte.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from audit.models import AuditEvent, AuditPending, AuditSeal

GENESIS = "0" * 64
SEALER_LOCK = 0x5EA1  # the advisory lock on PostgreSQL; any number that nobody else takes

Row = Mapping[str, Any]  # the columns of an event by name: numbers, texts, times and JSON


@dataclass(frozen=True)
class Head:
    """The last seal; kept elsewhere, it proves later that the chain up to here was not rewritten."""

    seq: int
    hash: str


def canonical(row: Row) -> bytes:
    """One event as bytes that every program can write: JSON as in RFC 8785, nulls left out.

    Left out, so that a column which is added later changes no old seal. Halves of a surrogate pair, which
    UTF-8 cannot hold, become escapes as in RFC 8785's JSON.stringify.
    """
    facts = {name: value for name, value in row.items() if value is not None}
    return _CANONICAL.encode(facts).encode("utf-8", "backslashreplace")


def link(previous_hash: str, row: Row) -> str:
    """The hash that ties an event to all events before it."""
    return hashlib.sha256(previous_hash.encode() + canonical(row)).hexdigest()


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


def rows_of(event_ids: Sequence[int]) -> dict[int, Row]:
    """Events as the database has them now, by id."""
    if not event_ids:
        return {}
    events = AuditEvent.objects.order_by()
    first, last = min(event_ids), max(event_ids)
    # Ids that lie close together are asked for as a range: naming each costs half the time of a verification.
    if last - first < 2 * len(event_ids):
        events = events.filter(pk__range=(first, last))
    else:
        events = events.filter(pk__in=event_ids)
    return {row["id"]: row for row in events.values()}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_iso
)


def _is_only_sealer() -> bool:
    """One sealer at a time, until its transaction ends; on SQLite by the write lock it holds."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
        return cursor.fetchone()[0]


def _seal(limit: int) -> int:
    event_ids = list(AuditPending.objects.order_by("pk").values_list("pk", flat=True)[:limit])
    rows = rows_of(event_ids)
    head, seals = get_head(), []
    for seq, event_id in enumerate(event_ids, head.seq + 1):
        # An event that was removed before its seal gets one all the same: the hole stays provable.
        digest = link(head.hash, rows.get(event_id, {"id": event_id}))
        seals.append(AuditSeal(seq=seq, event_id=event_id, previous_hash=head.hash, hash=digest))
        head = Head(seq, digest)
    AuditSeal.objects.bulk_create(seals)
    AuditPending.objects.filter(pk__in=event_ids).delete()
    return len(seals)
