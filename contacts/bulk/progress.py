"""How far a run is: what is done, how fast it goes, how long it will still take at most honesty."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.utils import timezone

from audit.models import Action, AuditEvent
from contacts.bulk.estimate import seconds_for
from contacts.bulk.run import outcomes_of
from contacts.models import OPEN, ChangeSet, ChangeStatus, Outcome, Verdict
from contacts.models.change_sets import HELD
from portal.causes import Cause
from portal.durations import about
from portal.quota import QuotaUnavailable, Usage, usage

PATIENCE = timedelta(seconds=30)  # until the first answer of AWS
SPAN = timedelta(minutes=1)
MOST_EVENTS = 2000  # of the last minute: more than the quota of several callers lets through
MOST_CALLERS = 5  # whose buckets one look asks for
SHOWN = 8
ENDED = (
    Action.CHANGE_APPLIED,
    Action.CHANGE_UNCHANGED,
    Action.CHANGE_FAILED,
    Action.CHANGE_CONFLICT,
)
ORDER = (
    ChangeStatus.APPLIED,
    ChangeStatus.UNCHANGED,
    ChangeStatus.FAILED,
    ChangeStatus.CONFLICT,
    Outcome.SKIPPED,
    Outcome.CANCELLED,
    ChangeStatus.SUPERSEDED,
    ChangeStatus.SENDING,
    ChangeStatus.UNCONFIRMED,
    ChangeStatus.QUEUED,
)
WORDS = {
    ChangeStatus.APPLIED: "applied",
    ChangeStatus.UNCHANGED: "nothing to change",
    ChangeStatus.FAILED: "failed",
    ChangeStatus.CONFLICT: "conflict",
    Outcome.SKIPPED: "skipped",
    Outcome.CANCELLED: "cancelled",
    ChangeStatus.SUPERSEDED: "superseded",
    ChangeStatus.SENDING: "being sent",
    ChangeStatus.UNCONFIRMED: "unconfirmed",
    ChangeStatus.QUEUED: "queued",
}
NEEDING = (ChangeStatus.FAILED, ChangeStatus.CONFLICT, Outcome.SKIPPED)
NOT_DONE = (ChangeStatus.SENDING, ChangeStatus.UNCONFIRMED, ChangeStatus.QUEUED)


@dataclass(frozen=True)
class Part:
    """How many changes stand in one state."""

    state: str
    words: str
    count: int


@dataclass(frozen=True)
class Progress:
    """One look at a run."""

    total: int
    outcomes: dict[str, int]
    rate: float  # a second, over the last minute or since the start
    seconds_left: float | None  # None: nothing was heard from AWS to tell it by
    is_moving: bool
    is_long: bool  # whether it has run for longer than the rate looks back
    slowed: list[Usage]
    problem: Cause | None
    latest: list[int] = field(default_factory=list)  # the changes that ended last, newest first

    @property
    def parts(self) -> list[Part]:
        """The states that occur, those that have ended first."""
        return [Part(state, WORDS[state], self.count(state)) for state in ORDER if self.count(state)]

    def count(self, state: str) -> int:
        """How many are in this state; what nobody asked for yet is queued."""
        count = self.outcomes.get(state, 0)
        if state == ChangeStatus.QUEUED:
            count += self.outcomes.get(ChangeStatus.WAITING, 0) + self.unasked
        return count

    @property
    def unasked(self) -> int:
        return max(self.total - sum(self.outcomes.values()), 0)

    @property
    def left(self) -> int:
        """What has not ended."""
        return sum(self.count(state) for state in NOT_DONE)

    @property
    def unsent(self) -> int:
        """What can still be cancelled."""
        return self.count(ChangeStatus.QUEUED)

    @property
    def needing(self) -> int:
        """What somebody has to look at."""
        return sum(self.count(state) for state in NEEDING)

    @property
    def done(self) -> int:
        return self.total - self.left

    @property
    def bar(self) -> dict[str, int]:
        """How wide each part is; what a newer change replaced counts as cancelled."""
        widths = {str(state): self.count(state) for state in ORDER}
        widths["cancelled"] += widths.pop("superseded")
        return widths

    @property
    def words(self) -> str:
        """The bar for those who do not see it."""
        return f"{', '.join(f'{part.count:,} {part.words}' for part in self.parts)}, of {self.total:,}"

    @property
    def rate_words(self) -> str:
        return f"{self.rate:.1f} a second"

    @property
    def span_words(self) -> str:
        """What the rate is about."""
        return "in the last minute" if self.is_long else "since the start"

    @property
    def time_words(self) -> str:
        """How long it will still take."""
        return "no telling" if self.seconds_left is None else about(self.seconds_left)


def progress_of(change_set: ChangeSet) -> Progress:
    """Look now. Counts come from an index, the rate from the events of the last minute."""
    outcomes = outcomes_of(change_set)
    total = change_set.writes + change_set.counts.get(Verdict.UNCHANGED, 0)
    events = _ended_lately(change_set) if change_set.is_under_way else []
    rate = _rate(change_set, events)
    slowed, problem = _quota(change_set) if change_set.is_under_way else ([], None)
    progress = Progress(
        total=total,
        outcomes=outcomes,
        rate=rate,
        seconds_left=None,
        is_moving=change_set.is_under_way and change_set.status not in HELD,
        is_long=bool(change_set.started_at and timezone.now() - change_set.started_at > SPAN),
        slowed=slowed,
        problem=problem,
        latest=[pk for _, pk in events[:SHOWN]],
    )
    return replace(progress, seconds_left=_seconds_left(change_set, progress))


def _seconds_left(change_set: ChangeSet, progress: Progress) -> float | None:
    """What the quota asks for what is left, or longer at the pace of the last minute."""
    if not progress.left:
        return 0
    at_best = seconds_for(_effort_left(change_set, progress))
    if progress.rate:
        return max(at_best, progress.left / progress.rate)
    started_at = change_set.started_at or timezone.now()
    return at_best if timezone.now() - started_at < PATIENCE else None


def _effort_left(change_set: ChangeSet, progress: Progress) -> dict[str, dict[str, int]]:
    """The plan's effort by caller, shortened by what is done: deletes apart, for AWS takes one a second."""
    shares = _shares_left(change_set, progress)
    return {
        caller: {operation: math.ceil(number * shares[operation]) for operation, number in numbers.items()}
        for caller, numbers in change_set.effort.get("run", {}).items()
    }


def _shares_left(change_set: ChangeSet, progress: Progress) -> dict[str, float]:
    whole = progress.left / max(progress.total, 1)
    deletes = change_set.counts.get(Verdict.DELETE, 0)
    if not deletes or deletes == progress.total:
        return dict.fromkeys(("reads", "puts", "deletes"), whole)
    ended = change_set.changes.filter(wanted__isnull=True).exclude(status__in=OPEN).count()
    left = max(deletes - ended, 0)
    puts = max(progress.total - deletes, 1)
    return {"reads": whole, "puts": min(max(progress.left - left, 0) / puts, 1), "deletes": left / deletes}


def _ended_lately(change_set: ChangeSet) -> list[tuple[datetime, int]]:
    """When which change ended, newest first."""
    events = AuditEvent.objects.filter(change_set_id=change_set.pk, action__in=ENDED)
    found = events.order_by("-pk").values_list("at", "change_id")[:MOST_EVENTS]
    return [(at, pk) for at, pk in found if pk]


def _rate(change_set: ChangeSet, events: list[tuple[datetime, int]]) -> float:
    now = timezone.now()
    since = max(now - SPAN, change_set.started_at or now)
    ended = sum(at >= since for at, _ in events)
    return ended / max((now - since).total_seconds(), 1)


def _quota(change_set: ChangeSet) -> tuple[list[Usage], Cause | None]:
    """The buckets that a 429 lowered; or why nothing can be said."""
    callers = list(change_set.effort.get("run", {}))[:MOST_CALLERS]
    try:
        return [one for caller in callers for one in usage(caller) if one.lowered], None
    except QuotaUnavailable as error:
        return [], error.cause
