"""Asking for the changes of a plan, a chunk at a time; and taking back those that were not sent."""

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from audit.context import Context
from audit.log import record_all
from audit.models import Action
from contacts.approval import require_cleared
from contacts.change_sets import context_of
from contacts.delivery import queue_of, wake
from contacts.details import validate
from contacts.events import change_event, planned_event
from contacts.mirror import lock_contacts
from contacts.models import (
    OPEN,
    PENDING,
    AlternateContact,
    ChangeSet,
    ChangeStatus,
    ContactChange,
    Outcome,
    PlannedChange,
    SetStatus,
)
from orgs.access import Right, scope_of
from orgs.models import Unreachable
from orgs.scope import Scope
from portal.causes import Cause
from portal.quota import Lane

# What of a planned change goes into its wish and its events.
ASKED = ("change_set", "line", "contact", "wanted", "before", "seen_version", "outcome", "cause")


def request_changes(change_set: ChangeSet, rows: list[PlannedChange]) -> None:
    """Write the wishes of these rows of a plan and their events, in the caller's transaction.

    The caller holds the set's lock. What was planned is what is asked for: a row whose contact cannot be
    changed any more is skipped with its cause. Raises approval.NotCleared.
    """
    context = context_of(change_set)
    require_cleared(change_set)
    if change_set.status != SetStatus.PREPARING:
        raise ValueError(f"{change_set} does not start")
    contacts = {
        contact.pk: contact for contact in lock_contacts(row.contact_id for row in rows if row.contact_id)
    }
    busy = set(
        ContactChange.objects.filter(contact__in=contacts, status__in=OPEN).values_list("contact", flat=True)
    )
    editable = scope_of(context.actor, Right.EDIT)
    skipped, asked, wishes = [], [], []
    for row in rows:
        contact = contacts[row.contact_id or 0]
        row.cause = Cause.OTHER_CHANGE if contact.pk in busy else _obstacle(row, contact, editable)
        busy.add(contact.pk)
        if row.cause:
            skipped.append(row)
        else:
            asked.append(row)
            wishes.append(_wish_for(row, contact, change_set))
    _write_wishes(asked, wishes, context)
    _write_skipped(skipped, contacts, context)


def cancel_changes(change_set: ChangeSet, *, context: Context, limit: int) -> int:
    """Take back up to so many wishes of this set that were not sent yet; how many there were."""
    with transaction.atomic():
        waiting = change_set.changes.select_for_update(of=("self",)).filter(status__in=PENDING)
        related = "contact__account__organization", "contact__account__unit"
        changes = list(waiting.order_by("pk").select_related(*related)[:limit])
        ids = [change.pk for change in changes]
        ContactChange.objects.filter(pk__in=ids).update(
            status=ChangeStatus.CANCELLED, finished_at=timezone.now()
        )
        record_all([change_event(Action.CHANGE_CANCELLED, change, context) for change in changes])
    return len(changes)


def _obstacle(row: PlannedChange, contact: AlternateContact, editable: Scope) -> Cause | str:
    """Why a row of a plan cannot be asked for any more; empty when it can."""
    if not editable.covers(contact.account, contact.contact_type):
        return Cause.REQUESTER
    try:
        contact.account.reach()
    except Unreachable as error:
        return error.cause
    if not contact.account.is_writable:
        return Cause.STATE
    try:
        if row.wanted_details is not None:
            validate(row.wanted_details)
    except ValidationError:  # the plan refused what AWS would not take, but the plan may be old
        return Cause.INVALID
    return ""


def _wish_for(row: PlannedChange, contact: AlternateContact, change_set: ChangeSet) -> ContactChange:
    return ContactChange(
        contact=contact,
        change_set_id=change_set.pk,
        caller_key=contact.account.caller_key,
        lane=Lane.BULK,
        wanted=row.wanted,
        before=row.before,
        seen_version=row.seen_version,
        requested_by_id=change_set.requested_by_id,
        requested_at=timezone.now(),
        source=change_set.source,
        reason=change_set.reason,
        ticket=change_set.ticket,
        request_id=change_set.request_id,
    )


def _write_wishes(rows: list[PlannedChange], wishes: list[ContactChange], context: Context) -> None:
    ContactChange.objects.insert_many(wishes)
    record_all([change_event(Action.CHANGE_REQUESTED, change, context) for change in wishes])
    PlannedChange.objects.point_many(
        "change", {row.pk: wish.pk for row, wish in zip(rows, wishes, strict=True)}
    )
    for caller_key in {change.caller_key for change in wishes}:
        transaction.on_commit(partial(wake, caller_key, queue_of(Lane.BULK)))


def _write_skipped(
    rows: list[PlannedChange], contacts: dict[int, AlternateContact], context: Context
) -> None:
    for row in rows:
        row.outcome = Outcome.SKIPPED
    PlannedChange.objects.bulk_update(rows, ["outcome", "cause"])
    record_all(
        [
            planned_event(
                Action.CHANGE_SKIPPED,
                row,
                contacts[row.contact_id or 0],
                context,
                detail={"cause": row.cause},
            )
            for row in rows
        ]
    )
