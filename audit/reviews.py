"""Reviews: what is to be looked at, what reviewers said of it, and questions until they are settled.

Who may say it, and who is behind a subject, is decided by the caller: the audit knows no roles.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from audit.context import Context
from audit.log import event as new_event
from audit.log import record, record_all
from audit.models import TO_REVIEW, Action, AuditEvent, Review, ReviewState
from audit.queries import AuditEventQuerySet
from audit.words import sentence

NOTE_LIMIT = 500
UNSETTLED = (ReviewState.OPEN, ReviewState.ANSWERED)
FACTS = ("organization_id", "unit_path", "account_id", "contact_type", "change_set_id")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One event, or one whole change set, and the people who had a hand in it."""

    event: AuditEvent | None = None
    change_set_id: int | None = None
    asked: Any = None  # the person behind it; audit knows no app, so it only reads pk and label
    involved: frozenset[int] = field(default_factory=frozenset)
    has_ended: bool = True  # what is under way can still turn out otherwise

    @property
    def reviews(self) -> QuerySet[Review]:
        """What was said of it, newest first."""
        if self.event:
            return Review.objects.filter(event=self.event)
        return Review.objects.filter(change_set_id=self.change_set_id)

    @property
    def facts(self) -> dict[str, Any]:
        """What an event about its review carries, so that filters find that too."""
        if self.event:
            return {name: getattr(self.event, name) for name in FACTS}
        return {"change_set_id": self.change_set_id}


def to_review() -> AuditEventQuerySet:
    """Everything that somebody should look at, one event for each."""
    return AuditEvent.objects.filter(TO_REVIEW)


def said_of(**condition: Any) -> Q:
    """Events of to_review() of which somebody said something that meets the condition."""
    of_event = Review.objects.filter(event=OuterRef("pk"), **condition)
    of_set = Review.objects.filter(change_set_id=OuterRef("change_set_id"), **condition)
    return Q(Exists(of_event)) | Q(Exists(of_set), action=Action.SET_SUBMITTED)


def mark_reviewed(subjects: Iterable[Subject], *, note: str, context: Context) -> list[Review]:
    """Say of each that it is in order; not twice by the same person. Raises ValidationError."""
    said = {"by": context.actor, "state": ReviewState.REVIEWED}
    anew = [subject for subject in subjects if not subject.reviews.filter(**said).exists()]
    return _say(anew, ReviewState.REVIEWED, Action.REVIEWED, _tidy(note), context)


def ask(subjects: Iterable[Subject], *, note: str, context: Context) -> list[Review]:
    """Ask the person behind each; the question stays open until it is settled. Raises ValidationError."""
    note = _tidy(note, "Say what you want to know: the person behind it reads it.")
    return _say(subjects, ReviewState.OPEN, Action.QUESTION_ASKED, note, context)


def answer(review: Review, text: str, *, context: Context) -> Review:
    """Answer an open question. Raises ValidationError."""
    text = _tidy(text, "Write your answer.", field="answer")
    with transaction.atomic():
        review = _lock(review, (ReviewState.OPEN,), "This question was answered already.")
        review.state, review.answer, review.answered_at = ReviewState.ANSWERED, text, timezone.now()
        review.save(update_fields=["state", "answer", "answered_at"])
        _record(Action.QUESTION_ANSWERED, review, context.because(text))
    return review


def settle(review: Review, note: str, *, context: Context) -> Review:
    """The answer will do. Raises ValidationError."""
    note = _tidy(note)
    with transaction.atomic():
        review = _lock(review, (ReviewState.ANSWERED,), "Only a question that was answered can be settled.")
        review.state, review.settled_at = ReviewState.SETTLED, timezone.now()
        review.save(update_fields=["state", "settled_at"])
        _record(Action.QUESTION_SETTLED, review, context.because(note))
    return review


def about(review: Review) -> str:
    """What a review is about, in words without a contact's values."""
    if review.event is None:
        return f"Change set {review.change_set_id}"
    contact = " ".join(part for part in (review.event.contact_type, review.event.account_id) if part)
    return f"{sentence(review.event)}{f' ({contact})' if contact else ''}"


def settled_by(review: Review) -> str:
    """Who settled it, as it was written down then."""
    settled = AuditEvent.objects.filter(action=Action.QUESTION_SETTLED, detail__review=review.pk).first()
    return settled.actor_label if settled else ""


def questions_between(begin: datetime, end: datetime) -> QuerySet[Review]:
    """Questions about what happened from begin until before end, oldest first."""
    submitted = AuditEvent.objects.filter(action=Action.SET_SUBMITTED, at__gte=begin, at__lt=end)
    about_set = Q(change_set_id__in=submitted.values("change_set_id"))
    about_event = Q(event__at__gte=begin, event__at__lt=end)
    asked = Review.objects.exclude(state=ReviewState.REVIEWED).filter(about_set | about_event)
    return asked.select_related("event", "by", "asked").order_by("pk")


def _say(
    subjects: Iterable[Subject], state: ReviewState, action: Action, note: str, context: Context
) -> list[Review]:
    now = timezone.now()
    reviews = []
    with transaction.atomic():
        for subject in subjects:
            review = Review(
                event=subject.event,
                change_set_id=None if subject.event else subject.change_set_id,
                state=state,
                by=context.actor,
                at=now,
                note=note,
                asked=subject.asked if state == ReviewState.OPEN else None,
            )
            review.save(force_insert=True)
            reviews.append((review, subject))
        record_all([_event(action, review, subject, context.because(note)) for review, subject in reviews])
    return [review for review, _ in reviews]


def _lock(review: Review, states: tuple[ReviewState, ...], refusal: str) -> Review:
    Review.objects.select_for_update().get(pk=review.pk)
    review = Review.objects.select_related("event", "by", "asked").get(pk=review.pk)
    if review.state not in states:
        raise ValidationError(refusal)
    return review


def _record(action: Action, review: Review, context: Context) -> None:
    subject = Subject(event=review.event, change_set_id=review.change_set_id)
    record(action, context, **subject.facts, detail=_detail(review))


def _event(action: Action, review: Review, subject: Subject, context: Context) -> AuditEvent:
    return new_event(action, context, **subject.facts, detail=_detail(review))


def _detail(review: Review) -> dict[str, Any]:
    about = {"event": review.event_id} if review.event_id else {"change_set": review.change_set_id}
    asked = {"asked": review.asked.label} if review.asked else {}
    return {"review": review.pk, **about, **asked}


def _tidy(text: str, when_empty: str = "", field: str = "note") -> str:
    text = text.strip()
    if when_empty and not text:
        raise ValidationError({field: [when_empty]})
    if len(text) > NOTE_LIMIT:
        raise ValidationError({field: [f"At most {NOTE_LIMIT} characters."]})
    return text
