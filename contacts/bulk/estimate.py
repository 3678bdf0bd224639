"""How long a change set takes at AWS's quota, run and undone."""

from collections.abc import Mapping

from django.conf import settings

from contacts.models import ChangeSet
from portal.durations import about, many
from portal.published_quotas import quotas_per_account
from portal.quota import RATE_SHARE

OPERATIONS = {
    "reads": "GetAlternateContact",
    "puts": "PutAlternateContact",
    "deletes": "DeleteAlternateContact",
}
Effort = Mapping[str, Mapping[str, int]]  # by caller: how many reads, puts and deletes


def time_to_run(change_set: ChangeSet) -> str:
    """How long AWS's quota makes the run last, if nobody else uses it, in words."""
    return _words(change_set.effort.get("run", {}))


def time_to_undo(change_set: ChangeSet) -> str:
    """How long it would take to restore every contact that the plan writes, in words."""
    return _words(change_set.effort.get("undo", {}))


def seconds_for(effort: Effort) -> float:
    """The time of the slowest caller: callers and operations have quotas of their own, so they overlap."""
    return max((_seconds_of(caller_key, counts) for caller_key, counts in effort.items()), default=0.0)


def _words(effort: Effort) -> str:
    """Such as "about 3 minutes, with 120 deletions at 1 a second": those are what AWS allows least of."""
    words, deletes = about(seconds_for(effort)), sum(counts["deletes"] for counts in effort.values())
    if not deletes:
        return words
    slowest = min(_rate(caller_key, "deletes") for caller_key, counts in effort.items() if counts["deletes"])
    return f"{words}, with {many(deletes, 'deletion')} at {slowest:.2g} a second"


def _seconds_of(caller_key: str, counts: Mapping[str, int]) -> float:
    return max(number / _rate(caller_key, name) for name, number in counts.items())


def _rate(caller_key: str, operation: str) -> float:
    """How many a second we send at most."""
    quota = quotas_per_account(caller_key.partition(":")[0])[OPERATIONS[operation]]
    return quota.rate * settings.AWS_QUOTA_SHARE * RATE_SHARE
