"""Signing a week or month off: what stands in the way of it, and who has to look at what is left."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from audit import periods
from audit.context import Context
from audit.models import Action, AuditEvent, PeriodKind, Review, ReviewPeriod
from audit.period_report import figures_of, integrity_of, unreviewed_in
from audit.periods import Period
from audit.reviews import UNSETTLED, questions_between
from contacts.models import ChangeSet
from orgs.access import Right, people_with, require
from portal.models import User

LISTED = 25


@dataclass(frozen=True)
class Reviewer:
    """Somebody who may review, and how much of what is left is not their own."""

    person: User
    may_review: int
    own: int


@dataclass(frozen=True)
class Obstacles:
    """Why this person cannot sign the period off now."""

    is_over: bool
    own: int  # their own, which nobody reviewed
    questions: list[Review]  # not settled; the first of them
    is_signed_off: bool

    @property
    def words(self) -> list[str]:
        """One sentence for each."""
        said = []
        if self.is_signed_off:
            said.append("Somebody has signed it off already.")
        if not self.is_over:
            said.append("It is not over yet.")
        if self.own:
            verb = "is" if self.own == 1 else "are"
            said.append(
                f"{self.own:,} of what is not reviewed {verb} your own: another reviewer has to look first."
            )
        if self.questions:
            said.append("Questions are open: they have to be answered and settled first.")
        return said


def own_unreviewed(user: Any, period: Period) -> Any:  # Any: a queryset of events
    """What this person did or approved in the period, and nobody reviewed."""
    decided = ChangeSet.objects.filter(decided_by=user)
    approved = Q(action=Action.SET_SUBMITTED, change_set_id__in=decided.values("pk"))
    return unreviewed_in(period).filter(Q(actor_id=user.pk) | approved)


def obstacles_of(user: Any, period: Period) -> Obstacles:
    """What keeps this person from signing it off."""
    open_ones = questions_between(period.begin, period.end).filter(state__in=UNSETTLED)
    return Obstacles(
        is_over=period.is_over,
        own=own_unreviewed(user, period).count(),
        questions=list(open_ones[:LISTED]),
        is_signed_off=periods.signed_off(period) is not None,
    )


def sign_off(period: Period, *, note: str, context: Context) -> ReviewPeriod:
    """Keep the report as it is now, under this person's name. Raises PermissionDenied and ValidationError."""
    require(context.actor, Right.REVIEW)
    with transaction.atomic():
        if words := obstacles_of(context.actor, period).words:
            raise ValidationError(words)
        facts = figures_of(period) | {"integrity": integrity_of(period)}
        facts["sign_off"] = {"by": context.actor.label, "at": _now(), "note": note.strip()}
        return periods.sign_off(period, facts, note=note, context=context)


def reviewers_of(period: Period) -> list[Reviewer]:
    """Everybody who may review, with how much of what is left each of them may."""
    left = unreviewed_in(period).order_by()
    own: Counter[int | None] = Counter(dict(left.values_list("actor_id").annotate(Count("pk"))))
    sets = left.filter(action=Action.SET_SUBMITTED).values("change_set_id")
    decided = ChangeSet.objects.filter(pk__in=sets, decided_by__isnull=False).order_by()
    own.update(dict(decided.values_list("decided_by").annotate(Count("pk"))))
    number = left.count()
    people = people_with(Right.REVIEW)
    return [Reviewer(person, number - own[person.pk], own[person.pk]) for person in people]


def first_period(kind: PeriodKind) -> Period:
    """The period of the first event."""
    first = AuditEvent.objects.order_by("at").values_list("at", flat=True).first()
    return periods.period_at(kind, first or timezone.now())


def _now() -> str:
    return timezone.now().isoformat(timespec="seconds")
