"""The only writer of audit events."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from audit.context import Context
from audit.models import LABEL_LENGTH, OS_USER_LENGTH, Action, AuditEvent, AuditPending
from portal.inserting import columns_of, values_of

MANY = 50  # events from which on taking their keys first pays on PostgreSQL


def record(action: Action, context: Context, **facts: Any) -> AuditEvent:
    """Append one event in the caller's transaction and return it."""
    return record_all([event(action, context, **facts)])[0]


def event(action: Action, context: Context, **facts: Any) -> AuditEvent:
    """An event that is not written yet: for record_all()."""
    facts.setdefault("reason", context.reason)
    facts.setdefault("ticket", context.ticket)
    return AuditEvent(
        at=timezone.now(),
        action=Action(action),
        actor_id=getattr(context.actor, "pk", None),
        # A name that is too long is no reason to lose the event.
        actor_label=getattr(context.actor, "label", "")[:LABEL_LENGTH],
        os_user=context.os_user[:OS_USER_LENGTH],
        source=context.source,
        ip=context.ip,
        request_id=context.request_id,
        **facts,
    )


def record_all(events: list[AuditEvent]) -> list[AuditEvent]:
    """Append many events in the caller's transaction; each also waits for its seal."""
    if not events:
        return []
    with transaction.atomic(savepoint=False):
        if connection.vendor == "postgresql" and len(events) < MANY:
            return _write_at_once(events)
        AuditEvent.objects.insert_many(events)
        AuditPending.objects.insert_many([AuditPending(event_id=event.pk) for event in events])
    return events


def _write_at_once(events: list[AuditEvent]) -> list[AuditEvent]:
    """Events, and that they wait for their seals, in one statement: two cost each writer a fifth more.

    The SQL is put together here: Django's compiler would do so anew for each event, which costs as much as
    the rest of what we do for it.
    """
    row = f"({', '.join(['%s'] * len(_FIELDS))})"
    into = columns_of(connection, AuditEvent._meta.db_table, _FIELDS)
    values = [value for columns in values_of(connection, _FIELDS, events) for value in columns]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.format(into=into, rows=", ".join([row] * len(events))), values)
        for event, (pk,) in zip(events, cursor.fetchall(), strict=True):
            event.pk = pk
    return events


_FIELDS = [field for field in AuditEvent._meta.concrete_fields if not field.primary_key]
_WRITE = (
    "WITH written AS (INSERT INTO {into} VALUES {rows} RETURNING id),"
    " waiting AS (INSERT INTO audit_auditpending (event_id) SELECT id FROM written)"
    " SELECT id FROM written"
)
