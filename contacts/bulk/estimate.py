"""How long a change set takes at AWS's quota, run and undone, and how to say it."""

import math
from collections.abc import Mapping

from django.conf import settings

from contacts.models import ChangeSet
from portal.published_quotas import quotas_per_account
from portal.quota import RATE_SHARE

OPERATIONS = {
    "reads": "GetAlternateContact",
    "puts": "PutAlternateContact",
    "deletes": "DeleteAlternateContact",
}
MINUTE, HOUR = 60, 3600
Effort = Mapping[str, Mapping[str, int]]  # by caller: how many reads, puts and deletes


def seconds_to_run(change_set: ChangeSet) -> float:
    """How long AWS's quota makes the run last, if nobody else uses it."""
    return seconds_for(change_set.effort.get("run", {}))


def seconds_to_undo(change_set: ChangeSet) -> float:
    """How long it would take to restore every contact that the plan writes."""
    return seconds_for(change_set.effort.get("undo", {}))


def seconds_for(effort: Effort) -> float:
    """The time of the slowest caller: callers and operations have quotas of their own, so they overlap."""
    return max((_seconds_of(caller_key, counts) for caller_key, counts in effort.items()), default=0.0)


def rate_words(change_set: ChangeSet) -> str:
    """How many contacts a second the run brings to their end, such as "3.5 a second"; empty for none."""
    contacts = sum(counts["reads"] for counts in change_set.effort.get("run", {}).values())
    seconds = seconds_to_run(change_set)
    return f"{contacts / seconds:.1f} a second" if seconds else ""


def words(seconds: float) -> str:
    """Such as "about 35 seconds" or "about 2 hours 10 minutes": rounded up, never sharper than it is."""
    if seconds <= 0:
        return "no time"
    if seconds <= 10:
        return f"about {_many(math.ceil(seconds), 'second')}"
    if seconds <= 90:
        return f"about {_many(_up(seconds, 5), 'second')}"
    if seconds <= HOUR:
        return f"about {_many(_up(seconds, MINUTE) // MINUTE, 'minute')}"
    hours, rest = divmod(_up(seconds, 10 * MINUTE), HOUR)
    minutes = f" {rest // MINUTE} minutes" if rest else ""
    return f"about {_many(hours, 'hour')}{minutes}"


def _seconds_of(caller_key: str, counts: Mapping[str, int]) -> float:
    quotas = quotas_per_account(caller_key.partition(":")[0])
    share = settings.AWS_QUOTA_SHARE * RATE_SHARE
    return max(number / (quotas[OPERATIONS[name]].rate * share) for name, number in counts.items())


def _up(seconds: float, step: int) -> int:
    return math.ceil(seconds / step) * step


def _many(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
