"""What a plan comes to, in words: how many of each kind, how long it takes, and undoing it."""

from dataclasses import dataclass

from contacts.bulk.estimate import time_to_run, time_to_undo
from contacts.models import ChangeSet, Verdict
from portal.durations import about

KINDS = (
    (Verdict.CHANGE, "Change", ""),
    (Verdict.NEW, "New", ""),
    (Verdict.DELETE, "Delete", ""),
    (Verdict.UNCHANGED, "Unchanged", ", only read again"),
    (Verdict.REFUSED, "Refused", ", not sent"),
    ("left_out", "Left out", ", not sent"),
    ("management", "Management", ""),
)


@dataclass(frozen=True)
class Fact:
    """A line of the side panel."""

    label: str
    text: str


@dataclass(frozen=True)
class Outlook:
    """The side panel of a plan, and the time that a run took."""

    facts: list[Fact]
    took: str


def outlook_of(change_set: ChangeSet) -> Outlook:
    """Say it in words. Asks no database."""
    counts = change_set.counts
    facts = [Fact(label, f"{counts[kind]:,}{more}") for kind, label, more in KINDS if counts.get(kind)]
    if change_set.writes and change_set.effort:
        facts.append(Fact("Time", time_to_run(change_set)))
        facts.append(Fact("Undo", time_to_undo(change_set)))
    return Outlook(facts, _took(change_set))


def _took(change_set: ChangeSet) -> str:
    if not (change_set.started_at and change_set.finished_at):
        return ""
    return about((change_set.finished_at - change_set.started_at).total_seconds())
