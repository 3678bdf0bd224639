"""Seals link events into a chain of hashes: what is changed, removed, swapped or slipped in later is found.

docs/audit.md gives the format byte for byte.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.db import connection, transaction

from audit.canonical import ID, STORED, canonical, written
from audit.models import AuditEvent, AuditPending, AuditSeal

GENESIS = "0" * 64
SEALER_LOCK = 0x5EA1  # the advisory lock on PostgreSQL; any number that nobody else takes


@dataclass(frozen=True)
class Head:
    """The last seal; kept elsewhere, it proves later that the chain up to here was not rewritten."""

    seq: int
    hash: str


def link(previous_hash: str, text: bytes) -> str:
    """The hash that ties an event, as its canonical bytes, to all events before it."""
    return hashlib.sha256(previous_hash.encode() + text).hexdigest()


def get_head() -> Head:
    """The last seal, or the beginning of the chain."""
    seal = AuditSeal.objects.order_by("-seq").first()
    return Head(seal.seq, seal.hash) if seal else Head(0, GENESIS)


def seal_pending(limit: int = 1000) -> int:
    """Seal events that have no seal yet, smallest id first; returns how many.

    None while another sealer is at it: that one, or the next call, sees to them.
    """
    if not AuditPending.objects.exists():  # mostly so: no write lock for nothing
        return 0
    with transaction.atomic():
        return _seal(limit) if _is_only_sealer() else 0


def _is_only_sealer() -> bool:
    """One sealer at a time, until its transaction ends; on SQLite by the write lock it holds."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
        return cursor.fetchone()[0]


def _seal(limit: int) -> int:
    head, seals = get_head(), []
    for seq, (event_id, text) in enumerate(_waiting(limit), head.seq + 1):
        digest = link(head.hash, text)
        seals.append(AuditSeal(seq=seq, event_id=event_id, previous_hash=head.hash, hash=digest))
        head = Head(seq, digest)
    if seals:
        _store(seals)
    return len(seals)


def _waiting(limit: int) -> list[tuple[int, bytes]]:
    """What is to be sealed: the ids of events, and their bytes.

    One question for all of it, because beside busy writers each one waits for a processor. An event that was
    removed before its seal gets one all the same: the hole stays provable.
    """
    with connection.cursor() as cursor:
        cursor.execute(_waiting_sql(), [limit])
        rows = cursor.fetchall()
    return [(event_id, written(row) if row[ID] else canonical({"id": event_id})) for event_id, *row in rows]


@cache
def _waiting_sql() -> str:
    """The smallest id is said again: without it PostgreSQL may walk the events from the very first one.

    It does so when its statistics are from a time in which others waited, as mostly none does.
    """
    events, parameters = AuditEvent.objects.order_by().values_list(*STORED).query.sql_with_params()
    if parameters:
        raise ValueError("The columns of an event bring no parameters.")
    return (
        "SELECT waiting.event_id, event.* FROM"  # noqa: S608 - no value of anybody's
        " (SELECT event_id FROM audit_auditpending ORDER BY event_id LIMIT %s) waiting"
        f" LEFT JOIN ({events}) event ON event.id = waiting.event_id"
        " AND event.id >= (SELECT min(event_id) FROM audit_auditpending) ORDER BY waiting.event_id"
    )


def _store(seals: Sequence[AuditSeal]) -> None:
    """Write these seals; their events do not wait any more. On PostgreSQL in one statement, as above."""
    if connection.vendor != "postgresql":
        AuditSeal.objects.insert_many(seals)
        AuditPending.objects.filter(pk__lte=seals[-1].event_id).delete()  # all of these: we hold the lock
        return
    rows = [(seal.seq, seal.event_id, seal.previous_hash, seal.hash) for seal in seals]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_SQL, [list(column) for column in zip(*rows, strict=True)])


_STORE_SQL = (
    "WITH sealed AS (INSERT INTO audit_auditseal (seq, event_id, previous_hash, hash)"
    " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[]) RETURNING event_id)"
    " DELETE FROM audit_auditpending USING sealed WHERE audit_auditpending.event_id = sealed.event_id"
)
