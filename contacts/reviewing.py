"""Who may review what: nobody their own changes or approvals. Questions go to the person behind."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.urls import reverse

from audit import reviews
from audit.context import Context
from audit.models import Action, AuditEvent, Review, ReviewState
from audit.reviews import Subject, about
from contacts.finding import NOT_FOUND
from contacts.models import ChangeSet, ContactChange, SetStatus
from orgs.access import Right, has_right, people_with, require
from portal.mail import send_later
from portal.models import User

MOST_AT_ONCE = 200
ENDED_SETS = (SetStatus.FINISHED, SetStatus.DISCARDED, SetStatus.REFUSED, SetStatus.EXPIRED)
NOT_OWN = "Nobody reviews their own changes or approvals. Ask another reviewer."
EVENT, SET = "event", "set"


@dataclass(frozen=True)
class ReviewPanel:
    """What a reviewer sees and may do about one subject; templates/contacts/_review_panel.html shows it."""

    key: str
    reviews: list[Review]
    is_own: bool
    has_ended: bool


def key_of_event(event: AuditEvent) -> str:
    """How forms name what the event is part of: a step of a change set stands for the set."""
    if event.change_set_id and event.action.startswith("change_set."):
        return f"{SET}:{event.change_set_id}"
    return f"{EVENT}:{event.pk}"


def key_of_step(event: AuditEvent) -> str:
    """The same for any event: an answer of AWS stands for the change that was asked for."""
    if event.change_id and event.action != Action.CHANGE_REQUESTED:
        asked = AuditEvent.objects.filter(change_id=event.change_id, action=Action.CHANGE_REQUESTED).first()
        return key_of_event(asked or event)
    return key_of_event(event)


def subjects_of(keys: Iterable[str]) -> list[Subject]:
    """What a form named. Raises Http404, and ValidationError when it is nothing or too much."""
    keys = list(dict.fromkeys(keys))
    if not keys:
        raise ValidationError("Select something first.")
    if len(keys) > MOST_AT_ONCE:
        raise ValidationError(f"Select at most {MOST_AT_ONCE} at once.")
    events = AuditEvent.objects.exclude(action__startswith="review.").in_bulk(_pks(keys, EVENT))
    change_sets = _sets([*_pks(keys, SET), *(event.change_set_id or 0 for event in events.values())])
    changes = ContactChange.objects.in_bulk(event.change_id for event in events.values() if event.change_id)
    actors = User.objects.in_bulk({event.actor_id for event in events.values() if event.actor_id})
    subjects = []
    for key in keys:
        kind, pk = key.split(":")
        if kind == EVENT and int(pk) in events:
            event = events[int(pk)]
            of_set, change = change_sets.get(event.change_set_id), changes.get(event.change_id)
            subjects.append(_of_event(event, actors.get(event.actor_id), change, of_set))
        elif kind == SET and int(pk) in change_sets:
            subjects.append(_of_set(change_sets[int(pk)]))
        else:
            raise Http404(NOT_FOUND)
    return subjects


def mark_reviewed(keys: Iterable[str], *, note: str, context: Context) -> list[Review]:
    """Say of each that it is in order. Raises PermissionDenied, ValidationError and Http404."""
    subjects = _require_may_review(keys, context)
    if any(not subject.has_ended for subject in subjects):
        raise ValidationError("A change that has not ended yet can be questioned, but not reviewed.")
    return reviews.mark_reviewed(subjects, note=note, context=context)


def ask(keys: Iterable[str], *, note: str, context: Context) -> list[Review]:
    """Ask the person behind each, and tell them by mail. Raises as mark_reviewed()."""
    subjects = _require_may_review(keys, context)
    with transaction.atomic():
        asked = reviews.ask(subjects, note=note, context=context)
        for review in asked:
            _tell_asked(review)
    return asked


def answer(review: Review, text: str, *, context: Context) -> Review:
    """Answer a question; the one who asked is told. Raises PermissionDenied and ValidationError."""
    require_asked(context.actor, review)
    with transaction.atomic():
        review = reviews.answer(review, text, context=context)
        _tell_asker(review)
    return review


def settle(review: Review, note: str, *, context: Context) -> Review:
    """Say that the answer will do. Raises PermissionDenied and ValidationError."""
    require(context.actor, Right.REVIEW)
    if context.actor.pk in subject_of(review).involved:
        raise PermissionDenied(NOT_OWN)
    return reviews.settle(review, note, context=context)


def require_asked(user: Any, review: Review) -> None:
    """Raise PermissionDenied unless the question is for this person to answer.

    That is the person behind it; where nobody is, or who is has left, an administrator.
    """
    require(user, Right.VIEW)
    is_there = review.asked is not None and review.asked.is_active
    if not (review.asked_id == user.pk if is_there else has_right(user, Right.RULES)):
        raise PermissionDenied("This question is for somebody else to answer.")


def may_answer(user: Any, review: Review) -> bool:
    """Whether answer() would let them now."""
    try:
        require_asked(user, review)
    except PermissionDenied:
        return False
    return review.state == ReviewState.OPEN


def may_settle(user: Any, review: Review) -> bool:
    """Whether settle() would let them now."""
    is_answered = review.state == ReviewState.ANSWERED
    return is_answered and has_right(user, Right.REVIEW) and user.pk not in subject_of(review).involved


def questions_visible_to(user: Any) -> QuerySet[Review]:
    """Reviewers see all questions; everybody else those that they were asked or have to answer."""
    asked = Review.objects.exclude(state=ReviewState.REVIEWED).select_related("event", "by", "asked")
    if has_right(user, Right.REVIEW):
        return asked
    if not has_right(user, Right.VIEW):
        return asked.none()
    return asked.filter(asked=user)


def questions_to_answer(user: Any) -> QuerySet[Review]:
    """What waits for this person's answer."""
    if not has_right(user, Right.VIEW):
        return Review.objects.none()
    mine = Q(asked=user)
    if has_right(user, Right.RULES):
        mine |= Q(asked=None) | Q(asked__is_active=False)
    return Review.objects.filter(mine, state=ReviewState.OPEN)


def get_question_for(user: Any, pk: int) -> Review:
    """One question that the user may see."""
    review = questions_visible_to(user).filter(pk=pk).first()
    if review is None:
        raise Http404(NOT_FOUND)
    return review


def subject_of(review: Review) -> Subject:
    """What a review speaks of, with who had a hand in it."""
    key = f"{EVENT}:{review.event_id}" if review.event_id else f"{SET}:{review.change_set_id}"
    return subjects_of([key])[0]


def panel_for(user: Any, key: str) -> ReviewPanel | None:
    """What this person may see and do of one event or change set; None for who reviews nothing."""
    if not has_right(user, Right.REVIEW):
        return None
    try:
        [subject] = subjects_of([key])
    except Http404:  # a review reviews nothing of its own kind, and a plan was not submitted yet
        return None
    said = list(subject.reviews.select_related("by", "asked"))
    return ReviewPanel(key, said, user.pk in subject.involved, subject.has_ended)


def _require_may_review(keys: Iterable[str], context: Context) -> list[Subject]:
    require(context.actor, Right.REVIEW)
    subjects = subjects_of(keys)
    if any(context.actor.pk in subject.involved for subject in subjects):
        raise PermissionDenied(NOT_OWN)
    return subjects


def _pks(keys: list[str], kind: str) -> list[int]:
    """The ids among these keys of one kind; what is no key at all is not found."""
    pks = []
    for key in keys:
        name, _, pk = key.partition(":")
        if name not in (EVENT, SET) or not pk.isdecimal() or len(pk) > 18:
            raise Http404(NOT_FOUND)
        if name == kind:
            pks.append(int(pk))
    return pks


def _sets(pks: list[int]) -> dict[int | None, ChangeSet]:
    rows = ChangeSet.objects.filter(pk__in=pks, submitted_at__isnull=False).select_related("requested_by")
    return {row.pk: row for row in rows}


def _of_set(change_set: ChangeSet) -> Subject:
    return Subject(
        change_set_id=change_set.pk,
        asked=change_set.requested_by,
        involved=frozenset(_hands_in(change_set)),
        has_ended=change_set.status in ENDED_SETS and not change_set.awaits_decision,
    )


def _of_event(
    event: AuditEvent, actor: User | None, change: ContactChange | None, change_set: ChangeSet | None
) -> Subject:
    involved = {event.actor_id} if event.actor_id else set()
    if change:
        involved.add(change.requested_by_id)
    if change_set:
        involved |= _hands_in(change_set)
    has_ended = change is None or not change.is_open
    return Subject(event=event, asked=actor, involved=frozenset(involved), has_ended=has_ended)


def _hands_in(change_set: ChangeSet) -> set[int]:
    """Who asked for it, and who decided on it."""
    people = (change_set.requested_by_id, change_set.decided_by_id)
    return {pk for pk in people if pk is not None}


def _tell_asked(review: Review) -> None:
    is_there = review.asked and review.asked.is_active
    people = [review.asked] if is_there else people_with(Right.RULES).exclude(pk=review.by_id)
    body = _body(review, f"{review.by.label} asks: {review.note}", "Answer here:")
    send_later(people, subject=f"Question about: {about(review)}", body=body)


def _tell_asker(review: Review) -> None:
    body = _body(review, f"You asked: {review.note}\nThe answer: {review.answer}", "Settle it here:")
    send_later([review.by], subject=f"Answered: {about(review)}", body=body)


def _body(review: Review, words: str, way_on: str) -> str:
    """Plain text. Of the contact it says which, and nothing else."""
    address = settings.PORTAL_URL + reverse("contacts:review_question_detail", args=[review.pk])
    return "\n".join([about(review), "", words, "", way_on, address, ""])
