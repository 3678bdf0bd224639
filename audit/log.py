"""The only writer of audit events."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.context import Context
from audit.models import LABEL_LENGTH, OS_USER_LENGTH, Action, AuditEvent, AuditPending


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
    with transaction.atomic(savepoint=False):
        written = AuditEvent.objects.bulk_create(events)
        AuditPending.objects.bulk_create(AuditPending(event_id=event.pk) for event in written)
    return written
