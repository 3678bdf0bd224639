"""Steering a run: pause it, resume it, cancel its rest."""

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.context import Context
from audit.models import Action
from contacts.approval import require_cleared
from contacts.change_sets import lock_set, record_set
from contacts.delivery import wake_change_set
from contacts.models import ChangeSet, SetStatus
from contacts.within import require_right_to
from orgs.access import Right, has_right


def pause(change_set: ChangeSet, *, context: Context) -> ChangeSet:
    """Send nothing more of it until somebody resumes it. What is on its way to AWS comes to its end."""
    allowed = (SetStatus.PREPARING, SetStatus.RUNNING)
    return _move(change_set, SetStatus.PAUSED, Action.SET_PAUSED, context, allowed=allowed)


def resume(change_set: ChangeSet, *, context: Context) -> ChangeSet:
    """Go on where it was paused. Raises NotCleared when its approval has lapsed meanwhile."""
    allowed = (SetStatus.PAUSED,)
    return _move(change_set, SetStatus.PREPARING, Action.SET_RESUMED, context, allowed=allowed)


def cancel_rest(change_set: ChangeSet, *, context: Context) -> ChangeSet:
    """Take back what was not sent yet; a worker ends those changes one chunk after the other."""
    allowed = (SetStatus.PREPARING, SetStatus.RUNNING, SetStatus.PAUSED)
    return _move(change_set, SetStatus.CANCELLING, Action.SET_CANCELLED, context, allowed=allowed)


def _require_part(change_set: ChangeSet, context: Context) -> None:
    """The author, or somebody who may approve all of it, has a say in a run."""
    is_author = getattr(context.actor, "pk", None) == change_set.requested_by_id
    if not (is_author and has_right(context.actor, Right.EDIT)):
        require_right_to(context.actor, Right.APPROVE, change_set)


def _move(
    change_set: ChangeSet,
    status: SetStatus,
    action: Action,
    context: Context,
    *,
    allowed: tuple[SetStatus, ...],
) -> ChangeSet:
    with transaction.atomic():
        change_set = lock_set(change_set.pk)
        _require_part(change_set, context)
        if change_set.status not in allowed:
            words = change_set.get_status_display().lower()
            raise ValidationError(f"This is not possible any more: the change set is {words}.")
        if status == SetStatus.PREPARING:
            require_cleared(change_set)
        change_set.status = status
        change_set.is_cancelled = status == SetStatus.CANCELLING
        change_set.save(update_fields=["status", "is_cancelled"])
        record_set(action, change_set, context)
        transaction.on_commit(lambda: wake_change_set(change_set.pk))
    return change_set
