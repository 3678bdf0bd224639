"""The rows of the review: each change, change set, drift and so on, with how it ended and what was said."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import reverse

from audit.models import Action, AuditEvent, Review
from contacts.models import ChangeSet, ChangeStatus, ContactChange
from contacts.notices import counts_in_words
from contacts.reviewing import key_of_event
from contacts.timeline import Entry, entries_of
from orgs.access import Right, has_right

BAD_ENDS = (ChangeStatus.FAILED, ChangeStatus.CONFLICT)


@dataclass(frozen=True)
class ReviewRow:
    """One thing to review."""

    entry: Entry
    change_set: ChangeSet | None
    state: str  # how it ended, a key of the looks; empty where nothing becomes of it
    reviews: list[Review]
    is_own: bool
    number_failed: int = 0

    @property
    def key(self) -> str:
        return key_of_event(self.entry.event)

    @property
    def url(self) -> str:
        if self.change_set:
            return reverse("contacts:change_set_detail", args=[self.change_set.pk])
        return self.entry.url

    @property
    def title(self) -> str:
        return self.change_set.title if self.change_set else self.entry.label

    @property
    def about(self) -> str:
        if self.change_set is None:
            return self.entry.about
        number = self.change_set.writes
        return f"{number:,} contact{'' if number == 1 else 's'}: {counts_in_words(self.change_set)}"

    @property
    def review(self) -> Review | None:
        """What was said last."""
        return self.reviews[0] if self.reviews else None

    @property
    def may_be_marked(self) -> bool:
        return not self.is_own


def rows_of(events: list[AuditEvent], user: Any) -> list[ReviewRow]:
    """The events of one page as rows; a handful of queries, however many."""
    sets = _sets(events)
    changes = ContactChange.objects.in_bulk(event.change_id for event in events if event.change_id)
    said = _reviews(events)
    failed = _failed(list(sets))
    rows = []
    for entry in entries_of(events, user):
        event = entry.event
        change_set = sets.get(event.change_set_id) if event.action == Action.SET_SUBMITTED else None
        change = changes.get(event.change_id)
        rows.append(
            ReviewRow(
                entry=entry,
                change_set=change_set,
                state=change_set.status if change_set else change.status if change else "",
                reviews=said[key_of_event(event)],
                is_own=user.pk in _hands_in(event, change_set),
                number_failed=failed.get(change_set.pk, 0) if change_set else 0,
            )
        )
    return rows


def may_select(rows: list[ReviewRow], user: Any) -> bool:
    """Whether there is anything to tick."""
    return has_right(user, Right.REVIEW) and any(row.may_be_marked for row in rows)


def _sets(events: list[AuditEvent]) -> dict[int | None, ChangeSet]:
    pks = [event.change_set_id for event in events if event.action == Action.SET_SUBMITTED]
    found = ChangeSet.objects.filter(pk__in=[pk for pk in pks if pk]).select_related(
        "requested_by", "decided_by"
    )
    return {change_set.pk: change_set for change_set in found}


def _failed(set_pks: list[int | None]) -> dict[int, int]:
    """How many changes of each set failed or met another value."""
    ended_badly = ContactChange.objects.filter(change_set__in=set_pks, status__in=BAD_ENDS).order_by()
    return dict(ended_badly.values_list("change_set").annotate(Count("pk")))


def _reviews(events: list[AuditEvent]) -> defaultdict[str, list[Review]]:
    """What was said of each, newest first."""
    set_pks = [event.change_set_id for event in events if event.action == Action.SET_SUBMITTED]
    of_events = Review.objects.filter(event__in=[event.pk for event in events])
    of_sets = Review.objects.filter(change_set_id__in=[pk for pk in set_pks if pk])
    said: defaultdict[str, list[Review]] = defaultdict(list)
    for review in (of_events | of_sets).select_related("by", "asked").order_by("-pk"):
        said[f"event:{review.event_id}" if review.event_id else f"set:{review.change_set_id}"].append(review)
    return said


def _hands_in(event: AuditEvent, change_set: ChangeSet | None) -> set[int | None]:
    if change_set is None:
        return {event.actor_id}
    return {change_set.requested_by_id, change_set.decided_by_id}
