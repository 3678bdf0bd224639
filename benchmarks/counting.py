"""Counts attempts as the stand-in of AWS logged them: how they ended, and how near to the limit they came."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.published_quotas import quotas_per_account

GET = "GetAlternateContact"
QUOTA = quotas_per_account("aws")[GET]
ANSWERED = (200, 404)  # 404 says that the contact is not set
THROTTLED = 429


@dataclass(frozen=True)
class Tally:
    """One reader's run: wanted contacts, HTTP attempts, and what became of both."""

    wanted: int
    answered: int
    attempts: int
    rejected: int
    failed: int
    seconds: float
    mean_seconds: float

    @property
    def lost(self) -> int:
        """Contacts that no attempt brought."""
        return self.wanted - self.answered

    @property
    def limit(self) -> float:
        """The least seconds the quota allows: a full bucket at first; a rejected attempt takes no token."""
        return max(0.0, (self.attempts - self.rejected - QUOTA.burst) / QUOTA.rate)

    @property
    def ratio(self) -> float | None:
        """How many times the limit it took; None where the burst alone was enough."""
        return self.seconds / self.limit if self.limit else None


def tally(log: Iterable[dict[str, Any]], *, wanted: int) -> Tally:  # Any: JSON
    """Count the reads of contacts in the stand-in's log, from the first start to the last end."""
    attempts = [attempt for attempt in log if attempt["operation"] == GET]
    if not attempts:
        raise ValueError("The stand-in saw no read of a contact.")
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
    )
