"""Counts attempts as the stand-in of AWS logged them: how they ended, and how near to the limit they came."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.published_quotas import Quota, quotas_per_account

GET, PUT, DELETE = "GetAlternateContact", "PutAlternateContact", "DeleteAlternateContact"
QUOTAS = quotas_per_account("aws")
ANSWERED = (200, 404)  # 404 says that the contact is not set
THROTTLED = 429
NEIGHBOUR = "app/neighbour"  # in the user agent of the other tool

Log = Iterable[dict[str, Any]]  # Any: JSON


@dataclass(frozen=True)
class Tally:
    """One run: wanted contacts, HTTP attempts of one operation, and what became of both."""

    wanted: int
    answered: int
    attempts: int
    rejected: int
    failed: int
    seconds: float
    mean_seconds: float
    quota: Quota = QUOTAS[GET]

    @property
    def lost(self) -> int:
        """Contacts that no attempt brought."""
        return max(0, self.wanted - self.answered)

    @property
    def limit(self) -> float:
        """The least seconds the quota allows: a full bucket at first; a rejected attempt takes no token."""
        return max(0.0, (self.attempts - self.rejected - self.quota.burst) / self.quota.rate)

    @property
    def ratio(self) -> float | None:
        """How many times the limit it took; None where the burst alone was enough."""
        return self.seconds / self.limit if self.limit else None


@dataclass(frozen=True)
class Sharing:
    """How we got on with a neighbour who uses the same quota."""

    attempts: int
    rejected: int
    answered: int
    theirs: int
    seconds: float
    quota: Quota

    @property
    def rest(self) -> float:
        """The tokens that the neighbour left."""
        return self.quota.burst + self.quota.rate * self.seconds - self.theirs

    @property
    def used(self) -> float:
        """The share of the rest that we used."""
        return self.answered / self.rest

    @property
    def rejected_share(self) -> float:
        return self.rejected / self.attempts


def tally(log: Log, *, wanted: int, operation: str = GET) -> Tally:
    """Count the attempts of one operation in the stand-in's log, from the first start to the last end."""
    attempts = [attempt for attempt in log if attempt["operation"] == operation]
    if not attempts:
        raise ValueError(f"The stand-in saw no {operation}.")
    answered = [attempt for attempt in attempts if attempt["status"] in ANSWERED]
    rejected = [attempt for attempt in attempts if attempt["status"] == THROTTLED]
    durations = [attempt["at_end"] - attempt["at_start"] for attempt in attempts]
    return Tally(
        wanted=wanted,
        answered=len({(attempt["target"], attempt["contact_type"]) for attempt in answered}),
        attempts=len(attempts),
        rejected=len(rejected),
        failed=len(attempts) - len(answered) - len(rejected),
        seconds=max(each["at_end"] for each in attempts) - min(each["at_start"] for each in attempts),
        mean_seconds=sum(durations) / len(durations),
        quota=QUOTAS[operation],
    )


def share_out(log: Log, operation: str, *, since: float, until: float) -> Sharing:
    """Who used how much of an operation's quota between two moments."""
    window = [
        one
        for one in log
        if one["operation"] == operation and since <= one["at_start"] and one["at_end"] <= until
    ]
    theirs = [one for one in window if NEIGHBOUR in (one["user_agent"] or "")]
    ours = [one for one in window if one not in theirs]
    return Sharing(
        attempts=len(ours),
        rejected=sum(one["status"] == THROTTLED for one in ours),
        answered=sum(one["status"] in ANSWERED for one in ours),
        theirs=sum(one["status"] in ANSWERED for one in theirs),
        seconds=until - since,
        quota=QUOTAS[operation],
    )


def waits(log: Log, edits: Sequence[dict[str, Any]], operation: str) -> list[float]:  # Any: JSON
    """Seconds from each Save to the end of the first answer that took the write, in rising order.

    Each contact is edited once. A write that AWS never took is missing.
    """
    taken: dict[tuple[str | None, str], float] = {}
    for one in log:
        if one["operation"] == operation and one["status"] in ANSWERED:
            taken.setdefault((one["target"], one["contact_type"]), one["at_end"])
    found = [
        taken[edit["target"], edit["contact_type"]] - edit["at"]
        for edit in edits
        if edit["operation"] == operation and (edit["target"], edit["contact_type"]) in taken
    ]
    return sorted(found)
