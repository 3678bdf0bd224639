"""How a claim on a wish ends: settled for good, or given back for later; only while the claim is held."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.context import Context, Source
from audit.models import Action
from contacts.details import value_of
from contacts.events import record_change
from contacts.mirror import lock_contact
from contacts.models import PENDING, AlternateContact, ChangeStatus, ContactChange
from portal.aws import as_aws_keeps
from portal.causes import Cause

logger = logging.getLogger(__name__)

_ACTIONS = {
    ChangeStatus.APPLIED: Action.CHANGE_APPLIED,
    ChangeStatus.UNCHANGED: Action.CHANGE_UNCHANGED,
    ChangeStatus.FAILED: Action.CHANGE_FAILED,
    ChangeStatus.CONFLICT: Action.CHANGE_CONFLICT,
    ChangeStatus.SUPERSEDED: Action.CHANGE_SUPERSEDED,
}
Note = Callable[[AlternateContact], object]


def context_of(change: ContactChange) -> Context:
    """The worker, on behalf of the person who asked, under the id of their click."""
    return Context(actor=change.requested_by, source=Source.WORKER, request_id=change.request_id)


def finish(
    change: ContactChange,
    status: ChangeStatus,
    *,
    cause: str = "",
    aws_request_id: str = "",
    after: dict | None = None,
    note: Note | None = None,
    detail: dict | None = None,
) -> bool:
    """End the wish in one transaction with its mirror and its event; False when the claim was lost."""
    with transaction.atomic():
        contact = lock_contact(change.contact_id)
        fields = {"finished_at": timezone.now(), "problem": cause, "aws_request_id": aws_request_id}
        if not _held(change).update(status=status, **fields):
            logger.warning("change %s: the claim was lost, nothing settled", change.pk)
            return False
        if note:
            note(contact)
        if status in (ChangeStatus.APPLIED, ChangeStatus.UNCHANGED):
            _rebase_successor(change)
        facts = {"cause": cause, **(detail or {})}
        record_change(
            _ACTIONS[status],
            change,
            context_of(change),
            after=after,
            aws_request_id=aws_request_id,
            detail={key: value for key, value in facts.items() if value},
        )
    logger.info("change %s %s", change.pk, status)
    return True


def give_back(
    change: ContactChange, *, cause: Cause | str = "", delay: float | None = None, **fields: Any
) -> None:
    """Return the claim, to be looked at again after delay seconds; end the wish when it is too old for that.

    A wish whose write AWS may have seen goes back as unconfirmed, any other as queued.
    """
    now = timezone.now()
    lag_until = fields.get("lag_until", change.lag_until)
    if now - _tried_since(change) > timedelta(seconds=settings.CHANGE_GIVE_UP_AFTER):
        finish(
            change,
            ChangeStatus.FAILED,
            cause=Cause.OUTCOME_UNKNOWN if lag_until else cause or Cause.UNAVAILABLE,
        )
        return
    fields |= {
        "claim": "",
        "claimed_at": None,
        "problem": cause,
        "not_before": now + _pause(change, now, delay),
    }
    with transaction.atomic():
        lock_contact(change.contact_id)
        if lag_until:
            _return_unconfirmed(change, fields)
        elif change.contact.changes.filter(status__in=PENDING).exists():
            finish(change, ChangeStatus.SUPERSEDED)
        else:
            _held(change).update(status=ChangeStatus.QUEUED, **fields)


def end_pending(change: ContactChange, status: ChangeStatus, action: Action, context: Context) -> bool:
    """End a wish that waits, in the caller's transaction; False when a worker claimed it first."""
    finished_at = timezone.now()
    waiting = ContactChange.objects.filter(pk=change.pk, status__in=PENDING)
    if not waiting.update(status=status, finished_at=finished_at):
        return False
    change.status, change.finished_at = status, finished_at
    record_change(action, change, context)
    return True


def _return_unconfirmed(change: ContactChange, fields: dict[str, Any]) -> None:
    was_confirmed = change.lag_until is None
    if _held(change).update(status=ChangeStatus.UNCONFIRMED, **fields) and was_confirmed:
        record_change(
            Action.CHANGE_UNCONFIRMED, change, context_of(change), detail={"cause": fields["problem"]}
        )


def _held(change: ContactChange) -> QuerySet[ContactChange]:
    return ContactChange.objects.filter(pk=change.pk, status=ChangeStatus.SENDING, claim=change.claim)


def _rebase_successor(change: ContactChange) -> None:
    """The next wish was made knowing of this one: what this one reached is what it starts from."""
    wanted = change.wanted_details
    reached = value_of(wanted and as_aws_keeps(wanted))
    ContactChange.objects.filter(contact_id=change.contact_id, status__in=PENDING).update(before=reached)


def _tried_since(change: ContactChange) -> datetime:
    """Waiting for its turn, or for an approval, ages no wish."""
    return change.first_claimed_at or change.requested_at


def _pause(change: ContactChange, now: datetime, delay: float | None) -> timedelta:
    """Longer the longer it is tried, so that an outage is not hammered: a quarter of that, 1 s to 60 s."""
    if delay is not None:
        return timedelta(seconds=delay)
    age = (now - _tried_since(change)).total_seconds()
    return timedelta(seconds=min(60.0, max(1.0, age / 4)))
