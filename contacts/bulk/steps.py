"""Where a change set stands on its way from plan to report, and what this person may do with it now."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied

from contacts.approval import Weight, why_needed
from contacts.models import NEVER_APPROVED, ChangeSet, Decision, SetKind, SetStatus
from contacts.within import has_right_to, may_touch, people_over
from orgs.access import Right, has_right, require

NAMED = 3
PLAN, APPROVE, RUN, REPORT = "Plan", "Approve", "Run", "Report"
_STEP_OF = {
    SetStatus.PLANNING: PLAN,
    SetStatus.PLANNED: PLAN,
    SetStatus.DISCARDED: PLAN,
    SetStatus.WAITING: APPROVE,
    SetStatus.REFUSED: APPROVE,
    SetStatus.EXPIRED: APPROVE,
    SetStatus.PREPARING: RUN,
    SetStatus.RUNNING: RUN,
    SetStatus.PAUSED: RUN,
    SetStatus.CANCELLING: RUN,
    SetStatus.FINISHED: REPORT,
}


@dataclass(frozen=True)
class Step:
    """One step of the way."""

    label: str
    number: int
    is_done: bool
    is_current: bool


@dataclass(frozen=True)
class Can:
    """What this person may do with this change set in the state it is in."""

    submit: bool
    withdraw: bool
    decide: bool
    pause: bool
    resume: bool
    cancel: bool
    retry: bool
    roll_back: bool
    export: bool
    break_glass: bool


def step_of(change_set: ChangeSet) -> str:
    """The step that it has come to."""
    return _STEP_OF[SetStatus(change_set.status)]


def steps_of(change_set: ChangeSet, reasons: list[str]) -> list[Step]:
    """The whole way; nobody is asked where the rules ask for no approval."""
    step = step_of(change_set)
    labels = [PLAN, APPROVE, RUN, REPORT] if reasons or step == APPROVE else [PLAN, RUN, REPORT]
    here = labels.index(step)
    is_over = change_set.status == SetStatus.FINISHED
    missing = {APPROVE} if change_set.decision != Decision.APPROVED else set()  # the glass was broken
    return [
        Step(label, number, label not in missing and (number - 1 < here or is_over), number - 1 == here)
        for number, label in enumerate(labels, start=1)
    ]


def reasons_of(change_set: ChangeSet) -> list[str]:
    """Why it needs an approval: as the rules were when it was submitted, else as they are now."""
    if change_set.submitted_at:
        return change_set.needs_approval
    return why_needed(change_set.requested_by, Weight.of(change_set))


def asked(change_set: ChangeSet) -> list[str]:
    """The names of those who may approve it; of many, the first and how many more."""
    able = people_over(change_set, Right.APPROVE)
    names = [person.label for person in able if person.pk != change_set.requested_by_id]
    more = len(names) - NAMED
    return names if more <= 1 else [*names[:NAMED], f"{more} more"]


def require_author(user: Any, change_set: ChangeSet) -> None:
    """Raise PermissionDenied unless this person made the plan and may still change contacts."""
    require(user, Right.EDIT)
    if user.pk != change_set.requested_by_id:
        raise PermissionDenied("Only the person who made this plan may do this.")


def has_a_say(user: Any, change_set: ChangeSet) -> bool:
    """Whether this person may pause, resume and cancel it: its author, or somebody who may approve it all."""
    is_author = user.pk == change_set.requested_by_id and has_right(user, Right.EDIT)
    return is_author or has_right_to(user, Right.APPROVE, change_set)


def _was_never_approved(change_set: ChangeSet) -> bool:
    """Whether its lines can be planned again; a single change is asked for again on its own page."""
    return change_set.status in NEVER_APPROVED and change_set.kind != SetKind.SINGLE


def can(user: Any, change_set: ChangeSet, outcomes: dict[str, int]) -> Can:
    """Buttons follow this; the functions behind them check for themselves."""
    status = change_set.status
    is_own = user.pk == change_set.requested_by_id
    is_author = is_own and has_right(user, Right.EDIT)
    may_steer = has_a_say(user, change_set)
    is_editor = status == SetStatus.FINISHED and may_touch(user, Right.EDIT, change_set)
    unfinished = any(outcomes.get(state) for state in ("failed", "conflict", "skipped"))
    return Can(
        submit=is_author and status == SetStatus.PLANNED,
        withdraw=is_author and status in (SetStatus.PLANNED, SetStatus.WAITING),
        decide=change_set.awaits_decision and not is_own and has_right_to(user, Right.APPROVE, change_set),
        pause=may_steer and status in (SetStatus.PREPARING, SetStatus.RUNNING),
        resume=may_steer and status == SetStatus.PAUSED,
        cancel=may_steer and status in (SetStatus.PREPARING, SetStatus.RUNNING, SetStatus.PAUSED),
        retry=is_editor and unfinished or is_author and _was_never_approved(change_set),
        roll_back=is_editor and bool(outcomes.get("applied")),
        export=has_right_to(user, Right.EXPORT, change_set),
        break_glass=has_right(user, Right.BREAK_GLASS),
    )
