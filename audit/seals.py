"""Seals link events into a chain of hashes: what is changed, removed, swapped or slipped in later is found.

docs/audit.md gives the format byte for byte.
"""

import hashlib
from dataclasses import dataclass

from django.db import connection, transaction

from audit.canonical import canonical, texts_of
from audit.models import AuditPending, AuditSeal

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
    if not AuditPending.objects.exists():  # asked four times a second: no write lock for nothing
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
    event_ids = list(AuditPending.objects.order_by("pk").values_list("pk", flat=True)[:limit])
    texts = texts_of(event_ids)
    head, seals = get_head(), []
    for seq, event_id in enumerate(event_ids, head.seq + 1):
        # An event that was removed before its seal gets one all the same: the hole stays provable.
        digest = link(head.hash, texts.get(event_id) or canonical({"id": event_id}))
        seals.append(AuditSeal(seq=seq, event_id=event_id, previous_hash=head.hash, hash=digest))
        head = Head(seq, digest)
    AuditSeal.objects.insert_many(seals)
    AuditPending.objects.filter(pk__in=event_ids).delete()
    return len(seals)
