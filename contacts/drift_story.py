"""A change from outside as pages tell it: what it was, what it is, between which reads, who decided what."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.urls import reverse

from audit.models import Action
from audit.words import Difference, differences
from contacts.cards import wish_of
from contacts.details import FIELDS
from contacts.drifts import ACTIONS
from contacts.models import ChangeStatus, ContactChange, Drift, DriftState

WORDS: dict[str, str] = {
    DriftState.OPEN: "Nobody has decided",
    DriftState.ADOPTED: "Adopted: the new value stands",
    DriftState.IGNORED: "Ignored: the new value stands",
    DriftState.SUPERSEDED: "Nothing to decide any more",
}
REVERT_WORDS: dict[str, str] = {
    ChangeStatus.WAITING: "Revert waits for approval",
    ChangeStatus.APPLIED: "Reverted; AWS confirmed it",
    ChangeStatus.UNCHANGED: "Reverted: AWS had the old value already",
    ChangeStatus.FAILED: "Revert failed: decide again",
    ChangeStatus.CANCELLED: "Revert cancelled: decide again",
    ChangeStatus.CONFLICT: "Revert held back: it changed once more",
    ChangeStatus.SUPERSEDED: "Revert replaced by a newer change",
}


@dataclass(frozen=True)
class Moment:
    """One step of the story, for _timeline.html."""

    action: str
    at: datetime
    words: str
    text: str = ""
    reason: str = ""
    url: str = ""
    rows: list[Difference] = field(default_factory=list)


@dataclass(frozen=True)
class ShownDrift:
    """A change from outside as lists and its own page show it."""

    drift: Drift
    tick: str = ""  # what a list sends to decide on it; empty: nothing to decide, or not by this person

    @property
    def rows(self) -> list[Difference]:
        """What it was and what was found, field by field."""
        rows = differences(self.drift.before, self.drift.after)
        return [row for row in rows if row.field in FIELDS]

    @property
    def look(self) -> str:
        """How its state looks. A revert looks as far as AWS confirmed it."""
        change = self.drift.change
        if self.drift.state != DriftState.REVERTED or change is None:
            return self.drift.state
        done = change.status in (ChangeStatus.APPLIED, ChangeStatus.UNCHANGED)
        return DriftState.REVERTED if done else change.status

    @property
    def words(self) -> str:
        """Its state in words."""
        if self.drift.state == DriftState.REVERTED and self.drift.change:
            return REVERT_WORDS.get(self.drift.change.status, "Being reverted")
        return WORDS[self.drift.state]

    @property
    def story(self) -> list[Moment]:
        """What happened, newest first."""
        return list(self._moments())[::-1]

    def _moments(self) -> Iterator[Moment]:
        drift = self.drift
        if drift.last_read_at:
            yield Moment(Action.CONTACT_BASELINE, drift.last_read_at, "AWS still had the old value")
        between = "It changed somewhere between these two reads." if drift.last_read_at else ""
        yield Moment(
            Action.CONTACT_DRIFT,
            drift.found_at,
            "AWS had the new value, and no change of the portal explains it",
            text=between,
        )
        if drift.decided_at:
            yield self._decision(drift.decided_at)
        if drift.change and drift.change.finished_at:
            yield _end_of(drift.change, drift.change.finished_at)

    def _decision(self, at: datetime) -> Moment:
        drift = self.drift
        if drift.decided_by is None:
            return Moment(Action.CHANGE_SUPERSEDED, at, WORDS[DriftState.SUPERSEDED], text=drift.reason)
        who = drift.decided_by.label
        url, words = "", f"{drift.get_state_display()} by {who}"
        if drift.change:
            url = reverse("contacts:change_detail", args=[drift.change.pk])
            words = f"{who} asked for the old value again"
        return Moment(ACTIONS[DriftState(drift.state)], at, words, reason=drift.reason, url=url)


def _end_of(change: ContactChange, at: datetime) -> Moment:
    """How the revert ended."""
    action = f"contact.change_{change.status}"
    url = reverse("contacts:change_detail", args=[change.pk])
    return Moment(action, at, f"The revert: {wish_of(change, may_edit=False).words}", url=url)
