"""How long a change set takes at AWS's quota, run and undone."""

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


def _seconds_of(caller_key: str, counts: Mapping[str, int]) -> float:
    quotas = quotas_per_account(caller_key.partition(":")[0])
    share = settings.AWS_QUOTA_SHARE * RATE_SHARE
    return max(number / (quotas[OPERATIONS[name]].rate * share) for name, number in counts.items())
