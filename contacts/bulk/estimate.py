"""How long a plan takes at the quota, and how long undoing it would take. Asks nobody."""

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
    """How long the plan takes when nothing else uses the quota."""
    return seconds_for(change_set.effort.get("run", {}))


def seconds_to_undo(change_set: ChangeSet) -> float:
    """How long it would take to restore what was there before."""
    return seconds_for(change_set.effort.get("undo", {}))


def seconds_for(effort: Effort) -> float:
    """The time of the slowest caller: its operations go side by side, each at its own rate."""
    return max((_seconds_of(caller, numbers) for caller, numbers in effort.items()), default=0.0)


def words(seconds: float) -> str:
    """“about 35 seconds”, “about 4 minutes”, “about 2 hours 10 minutes”."""
    if seconds < 90:
        return f"about {_number(max(round(seconds), 1), 'second')}"
    minutes = round(seconds / MINUTE)
    if minutes < MINUTE:
        return f"about {_number(minutes, 'minute')}"
    hours, minutes = divmod(round(minutes, -1), MINUTE)
    return f"about {_number(hours, 'hour')}" + (f" {_number(minutes, 'minute')}" if minutes else "")


def _seconds_of(caller_key: str, numbers: Mapping[str, int]) -> float:
    quotas = quotas_per_account(caller_key.partition(":")[0])
    return max(
        numbers.get(name, 0) / (quotas[operation].rate * settings.AWS_QUOTA_SHARE * RATE_SHARE)
        for name, operation in OPERATIONS.items()
    )


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
