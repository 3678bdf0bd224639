"""Weeks and months that somebody signs off. The only writer of ReviewPeriod."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.context import Context
from audit.log import record
from audit.models import Action, PeriodKind, ReviewPeriod
from audit.reviews import NOTE_LIMIT

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Period:
    """A week from Monday to Sunday, or a month, in the zone of the working hours."""

    kind: PeriodKind
    first_day: date

    @property
    def last_day(self) -> date:
        return self.next.first_day - DAY

    @property
    def next(self) -> "Period":
        step = WEEK if self.kind == PeriodKind.WEEK else timedelta(days=31)
        return period_of(self.kind, self.first_day + step)

    @property
    def previous(self) -> "Period":
        return period_of(self.kind, self.first_day - DAY)

    @property
    def begin(self) -> datetime:
        return _midnight(self.first_day)

    @property
    def end(self) -> datetime:
        """This moment is no longer part."""
        return _midnight(self.next.first_day)

    @property
    def is_over(self) -> bool:
        return self.end <= timezone.now()

    @property
    def title(self) -> str:
        """“October 2026”, “Week 43 of 2026”."""
        if self.kind == PeriodKind.MONTH:
            return f"{self.first_day:%B %Y}"
        year, week, _ = self.first_day.isocalendar()
        return f"Week {week} of {year}"


def period_of(kind: PeriodKind, day: date) -> Period:
    """The period that this day is part of."""
    if kind == PeriodKind.WEEK:
        return Period(kind, day - timedelta(days=day.weekday()))
    return Period(kind, day.replace(day=1))


def period_at(kind: PeriodKind, moment: datetime) -> Period:
    """The period that this moment is part of."""
    return period_of(kind, moment.astimezone(settings.WORKING_HOURS.zone).date())


def parse_period(kind: str, first_day: str) -> Period:
    """The inverse of kind and first_day in an address. Raises ValueError."""
    period = period_of(PeriodKind(kind), date.fromisoformat(first_day))
    if period.first_day.isoformat() != first_day or not 2000 < period.first_day.year < 2200:
        raise ValueError(f"No {kind} begins on {first_day}.")
    return period


def signed_off(period: Period) -> ReviewPeriod | None:
    """The period's report, if somebody signed it off."""
    found = ReviewPeriod.objects.filter(kind=period.kind, first_day=period.first_day)
    return found.select_related("signed_off_by").first()


def end_of_signed_off() -> datetime | None:
    """The end of the last period that somebody signed off: what came before is not new any more."""
    last = ReviewPeriod.objects.order_by("-last_day").values_list("last_day", flat=True).first()
    return _midnight(last + DAY) if last else None


def sign_off(period: Period, facts: dict[str, Any], *, note: str, context: Context) -> ReviewPeriod:
    """Keep the report as it is now. The caller saw to it that this person may. Raises ValidationError."""
    note = note.strip()
    if len(note) > NOTE_LIMIT:
        raise ValidationError({"note": [f"At most {NOTE_LIMIT} characters."]})
    signed = ReviewPeriod(
        kind=period.kind,
        first_day=period.first_day,
        last_day=period.last_day,
        signed_off_by=context.actor,
        signed_off_at=timezone.now(),
        note=note,
        facts=facts,
    )
    try:
        with transaction.atomic():
            signed.save(force_insert=True)
            detail = {"period": period.title, "kind": period.kind, "first_day": period.first_day.isoformat()}
            record(Action.PERIOD_SIGNED_OFF, context.because(note), detail=detail | {"facts": facts})
    except IntegrityError as error:
        raise ValidationError("Somebody else signed this period off a moment ago.") from error
    return signed


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, settings.WORKING_HOURS.zone)
