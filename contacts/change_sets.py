"""How a change set moves from state to state: submitted, decided, paused, cancelled, finished."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from audit.context import Context, Source, worker_context
from audit.log import record
from audit.models import Action
from contacts.approval import Weight, get_rules, why_needed
from contacts.delivery import wake_change_set
from contacts.mirror import lock_contact
from contacts.models import (
    ChangeSet,
    ChangeStatus,
    ContactChange,
    Decision,
    SetKind,
    SetStatus,
)
from contacts.notices import tell_approvers, tell_requester
from contacts.settle import end_pending
from contacts.within import require_right_to
from orgs.access import Right, require

REASON_LIMIT, TICKET_LIMIT = 500, 64
CHOOSING = "choosing-"  # begins what stands for the hash while a plan is counted anew
REQUEST_FIELDS = ("reason", "ticket", "source", "request_id", "needs_approval", "submitted_at", "broke_glass")
DECISION_FIELDS = ("decision", "decision_note", "decided_by", "decided_at", "decided_hash")
STATE_FIELDS = ("status", "is_cancelled", "expires_at", "started_at", "finished_at")


def context_of(change_set: ChangeSet) -> Context:
    """The person who asked, by the door they came through, under the id of their click."""
    return Context(
        actor=change_set.requested_by,
        source=Source(change_set.source),
        reason=change_set.reason,
        ticket=change_set.ticket,
        request_id=change_set.request_id,
    )


def lock_set(pk: int) -> ChangeSet:
    """The set's row, locked until the transaction ends.

    That of a single change comes after its contact's, as it does for whoever replaces or cancels the change.
    """
    if ChangeSet.objects.filter(pk=pk, kind=SetKind.SINGLE).exists():
        for contact in ContactChange.objects.filter(change_set=pk).values_list("contact", flat=True):
            lock_contact(contact)
    ChangeSet.objects.select_for_update().get(pk=pk)
    return ChangeSet.objects.select_related("requested_by", "decided_by").get(pk=pk)


def submit(
    change_set: ChangeSet,
    *,
    context: Context,
    plan_hash: str,
    without_refused: bool = False,
    break_glass: bool = False,
) -> ChangeSet:
    """Send the plan that was shown on its way: to the approvers where the rules say so, else to AWS.

    context carries reason and ticket; plan_hash is that of the plan the person saw. Raises PermissionDenied,
    and ValidationError by field.
    """
    with transaction.atomic():
        change_set = lock_set(change_set.pk)
        _require_author(change_set, context)
        if break_glass:
            require(context.actor, Right.BREAK_GLASS)
        _require_ready(change_set, context, plan_hash, without_refused)
        change_set.reason, change_set.ticket = context.reason.strip(), context.ticket.strip()
        change_set.source, change_set.request_id = context.source, context.request_id
        change_set.needs_approval = why_needed(context.actor, Weight.of(change_set))
        change_set.submitted_at = timezone.now()
        _send_on_its_way(change_set, break_glass and bool(change_set.needs_approval), context)
    return change_set


def decide(
    change_set: ChangeSet, decision: Decision, *, note: str, plan_hash: str, context: Context
) -> ChangeSet:
    """Approve or refuse the very plan that was shown. Raises PermissionDenied and ValidationError."""
    with transaction.atomic():
        change_set = lock_set(change_set.pk)
        _require_approver(change_set, context)
        _require_decidable(change_set, decision, note, plan_hash)
        change_set.decision, change_set.decision_note = decision, note.strip()
        change_set.decided_by, change_set.decided_at = context.actor, timezone.now()
        change_set.decided_hash = plan_hash
        action = Action.SET_APPROVED if decision == Decision.APPROVED else Action.SET_REFUSED
        record_set(action, change_set, context.because(note.strip()), after_run=change_set.broke_glass)
        if decision == Decision.APPROVED:
            _follow_approval(change_set)
        else:
            _follow_refusal(change_set, context)
        change_set.save(update_fields=[*DECISION_FIELDS, *STATE_FIELDS])
        tell_requester(change_set)
    return change_set


def withdraw(change_set: ChangeSet, *, context: Context) -> ChangeSet:
    """Take a plan back that was not approved yet, or never submitted."""
    with transaction.atomic():
        change_set = lock_set(change_set.pk)
        _require_author(change_set, context)
        if not (change_set.is_draft or change_set.status == SetStatus.WAITING):
            raise ValidationError("It is too late to discard this: cancel the rest instead.")
        if change_set.status == SetStatus.WAITING:
            record_set(Action.SET_CANCELLED, change_set, context)
        _end_with_its_change(change_set, SetStatus.DISCARDED, context)
    return change_set


def drop_draft(change_set: ChangeSet) -> None:
    """Remove a plan that nobody submitted, with its rows; does nothing when somebody did meanwhile."""
    with transaction.atomic():
        change_set = lock_set(change_set.pk)
        if change_set.is_draft:
            change_set.rows.all().delete()
            end_set(change_set, SetStatus.DISCARDED)


def expire(change_set: ChangeSet, *, context: Context) -> None:
    """End a request that nobody decided in time; does nothing when somebody was faster."""
    with transaction.atomic():
        change_set = lock_set(change_set.pk)
        if change_set.status != SetStatus.WAITING:
            return
        record_set(Action.SET_EXPIRED, change_set, context)
        _end_with_its_change(change_set, SetStatus.EXPIRED, context)
        tell_requester(change_set)


def stop(change_set: ChangeSet, why: str) -> None:
    """The portal itself ends a run that may not go on. The caller holds the set's lock."""
    change_set.status, change_set.is_cancelled = SetStatus.CANCELLING, True
    change_set.save(update_fields=["status", "is_cancelled"])
    record_set(Action.SET_CANCELLED, change_set, worker_context(), why=why)


def start_running(change_set: ChangeSet) -> None:
    """All its wishes are written. The caller holds the set's lock."""
    change_set.status = SetStatus.RUNNING
    change_set.save(update_fields=["status"])


def finish(change_set: ChangeSet, outcomes: dict[str, int]) -> bool:
    """The run has ended; outcomes go into the audit. False when it is not under way any more."""
    with transaction.atomic():
        change_set = lock_set(change_set.pk)
        if change_set.status not in (SetStatus.RUNNING, SetStatus.CANCELLING):
            return False
        change_set.status, change_set.finished_at = SetStatus.FINISHED, timezone.now()
        change_set.save(update_fields=["status", "finished_at"])
        context = replace(context_of(change_set), source=Source.WORKER)
        record_set(Action.SET_FINISHED, change_set, context, outcomes=outcomes)
        if change_set.kind != SetKind.SINGLE:
            tell_requester(change_set)
    return True


def _require_author(change_set: ChangeSet, context: Context) -> None:
    require(context.actor, Right.EDIT)
    if context.actor.pk != change_set.requested_by_id:
        raise PermissionDenied("Only the person who made this plan may do this.")


def _require_approver(change_set: ChangeSet, context: Context) -> None:
    require_right_to(context.actor, Right.APPROVE, change_set)
    if context.source != Source.PAGE:
        raise PermissionDenied("Approvals are given on the page, never by command.")
    if context.actor.pk == change_set.requested_by_id:
        raise PermissionDenied("Nobody approves their own change set.")


def why_errors(context: Context) -> dict[str, list[str]]:
    """What is wrong with the reason and the ticket, by field; empty when all is well."""
    errors: dict[str, list[str]] = {}
    if not context.reason.strip():
        errors["reason"] = ["Say why: the audit keeps the reason."]
    if len(context.reason) > REASON_LIMIT:
        errors["reason"] = [f"At most {REASON_LIMIT} characters."]
    if len(context.ticket) > TICKET_LIMIT:
        errors["ticket"] = [f"At most {TICKET_LIMIT} characters."]
    return errors


def _require_ready(change_set: ChangeSet, context: Context, plan_hash: str, without_refused: bool) -> None:
    if change_set.status != SetStatus.PLANNED:
        raise ValidationError("This plan was submitted or discarded already.")
    if plan_hash != change_set.plan_hash:
        raise ValidationError("The plan is not the one that was shown. Look at it again.")
    if plan_hash.startswith(CHOOSING):
        raise ValidationError("The plan was not counted to its end. Choose its lines again.")
    errors = why_errors(context)
    refused = change_set.counts.get("refused", 0)
    if refused and not without_refused:
        errors["without_refused"] = [f"Mend the refused lines ({refused}), or send the others without them."]
    if errors:
        raise ValidationError(errors)
    if not change_set.writes:
        raise ValidationError("There is nothing to send in this plan.")


def _require_decidable(change_set: ChangeSet, decision: Decision, note: str, plan_hash: str) -> None:
    if not change_set.awaits_decision:
        raise ValidationError("Nothing is waiting for a decision here any more.")
    if plan_hash != change_set.plan_hash:
        raise ValidationError("The plan is not the one that was shown. Look at it again.")
    if decision == Decision.REFUSED and not note.strip():
        raise ValidationError({"note": ["Say why you refuse it: the person who asked will read it."]})
    if len(note) > REASON_LIMIT:
        raise ValidationError({"note": [f"At most {REASON_LIMIT} characters."]})
    lapsed = change_set.expires_at and change_set.expires_at < timezone.now()
    if lapsed and change_set.status == SetStatus.WAITING:
        raise ValidationError("The request has lapsed. It has to be planned again.")


def _send_on_its_way(change_set: ChangeSet, broke_glass: bool, context: Context) -> None:
    change_set.broke_glass = broke_glass
    announce(change_set, context)
    if change_set.needs_approval and not broke_glass:
        change_set.status, change_set.expires_at = SetStatus.WAITING, expiry()
    else:
        _start(change_set)
    change_set.save(update_fields=[*REQUEST_FIELDS, *STATE_FIELDS])


def announce(change_set: ChangeSet, context: Context) -> None:
    """Write down, and tell the approvers, that it was asked for."""
    record_set(Action.SET_SUBMITTED, change_set, context)
    if change_set.broke_glass:
        record_set(Action.GLASS_BROKEN, change_set, context)
    if change_set.needs_approval:
        tell_approvers(change_set)


def expiry() -> datetime:
    """When a request or an approval of now lapses."""
    return timezone.now() + timedelta(hours=get_rules().expires_after)


def _start(change_set: ChangeSet) -> None:
    change_set.status, change_set.started_at = SetStatus.PREPARING, timezone.now()
    transaction.on_commit(lambda: wake_change_set(change_set.pk))


def _follow_approval(change_set: ChangeSet) -> None:
    if change_set.status != SetStatus.WAITING:
        return  # glass was broken: it ran before
    change_set.expires_at = expiry()
    if change_set.kind != SetKind.SINGLE:
        _start(change_set)
        return
    change_set.status, change_set.started_at = SetStatus.RUNNING, timezone.now()
    changes = ContactChange.objects.filter(change_set=change_set, status=ChangeStatus.WAITING)
    changes.update(status=ChangeStatus.QUEUED)
    transaction.on_commit(lambda: wake_change_set(change_set.pk))


def _follow_refusal(change_set: ChangeSet, context: Context) -> None:
    if change_set.status == SetStatus.WAITING:
        _end_with_its_change(change_set, SetStatus.REFUSED, context)
    elif change_set.is_under_way:
        change_set.status, change_set.is_cancelled = SetStatus.CANCELLING, True
        transaction.on_commit(lambda: wake_change_set(change_set.pk))


def end_set(change_set: ChangeSet, status: SetStatus) -> None:
    """It goes no further. The caller holds the set's lock."""
    change_set.status, change_set.finished_at = status, timezone.now()
    change_set.save(update_fields=["status", "finished_at"])


def _end_with_its_change(change_set: ChangeSet, status: SetStatus, context: Context) -> None:
    """A set of one has its change already: it ends too."""
    for change in change_set.changes.filter(status=ChangeStatus.WAITING):
        end_pending(change, ChangeStatus.CANCELLED, Action.CHANGE_CANCELLED, context)
    end_set(change_set, status)


def record_set(action: Action, change_set: ChangeSet, context: Context, **facts: Any) -> None:
    """An event in the life of a set, with what its plan sums up to."""
    detail = {"title": change_set.title, "counts": change_set.counts, "plan": change_set.plan_hash, **facts}
    if change_set.needs_approval:
        detail["needs_approval"] = change_set.needs_approval
    record(action, context, change_set_id=change_set.pk, detail={k: v for k, v in detail.items() if v})
