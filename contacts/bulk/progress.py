"""How far a run is: what is done, how fast it goes, how long it will still take at most honesty."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from audit.models import Action, AuditEvent
from contacts.bulk.run import outcomes_of
from contacts.models import ChangeSet, ChangeStatus, Outcome, Verdict
from portal.causes import Cause
from portal.quota import QuotaUnavailable, Usage, usage

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
    def done(self) -> int:
        return self.total - self.left

    @property
    def bar(self) -> dict[str, int]:
        """The parts by family of colour."""
        return {part.state: part.count for part in self.parts}

    @property
    def words(self) -> str:
        """The bar for those who do not see it."""
        return f"{', '.join(f'{part.count:,} {part.words}' for part in self.parts)}, of {self.total:,}"

    @property
    def rate_words(self) -> str:
        return f"{self.rate:.1f} a second"


def progress_of(change_set: ChangeSet) -> Progress:
    """Look now. Counts come from an index, the rate from the events of the last minute."""
    outcomes = outcomes_of(change_set)
    total = change_set.writes + change_set.counts.get(Verdict.UNCHANGED, 0)
    events = _ended_lately(change_set)
    rate = _rate(change_set, events)
    slowed, problem = _quota(change_set)
    return Progress(total, outcomes, rate, None, slowed, problem, [pk for _, pk in events[:SHOWN]])


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
