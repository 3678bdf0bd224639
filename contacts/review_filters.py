"""The filters of the review, as they stand in the URL."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, ExtractMinute
from django.utils import timezone

from audit.context import Source
from audit.models import Action, Review, ReviewState
from audit.periods import end_of_signed_off
from audit.queries import AuditEventQuerySet, EventFilters
from audit.reviews import UNSETTLED, said_of, to_review
from contacts.models import ChangeSet, ChangeStatus, ContactChange, ContactType, Decision, PlannedChange
from contacts.unit_field import unit_field

NEW, SINCE_MINE, QUESTIONED, REVIEWED, ALL = "", "mine", "questioned", "reviewed", "all"
SHOW = [
    (NEW, "New"),
    (SINCE_MINE, "Since my last review"),
    (QUESTIONED, "Questioned"),
    (REVIEWED, "Reviewed"),
    (ALL, "All"),
]
KINDS = {
    "changes": ("Single changes", (Action.CHANGE_REQUESTED,)),
    "sets": ("Change sets", (Action.SET_SUBMITTED,)),
    "drift": ("Drift", (Action.CONTACT_DRIFT, Action.DRIFT_ADOPTED, Action.DRIFT_IGNORED)),
    "access": (
        "People, roles and rules",
        (
            Action.USER_CREATED,
            Action.ROLES_CHANGED,
            Action.GRANT_GIVEN,
            Action.GRANT_ENDED,
            Action.GROUP_CHANGED,
            Action.GROUPS_RENEWED,
            Action.PROVIDER_LINKED,
            Action.APPROVAL_RULES_CHANGED,
            Action.ORGANIZATION_CONNECTED,
            Action.ORGANIZATION_CHANGED,
            Action.ACCOUNT_CONNECTED,
        ),
    ),
    "exports": ("Exports of the audit", (Action.AUDIT_EXPORTED,)),
}
LOOKS = {
    "hours": "Outside working hours",
    "failed": "Failed",
    "conflict": "Conflict",
    "glass": "Acted before approval",
}


class PairField(forms.RegexField):
    """Who asked and who approved, as “12-15”."""

    def words_of(self, values: Sequence[str]) -> str:
        """Their names."""
        pks = [int(pk) for pk in values[-1].split("-") if pk.isdecimal() and len(pk) < 19]
        people = get_user_model().objects.in_bulk(pks)
        return " and ".join(people[pk].label for pk in pks if pk in people) or "nobody"


class ReviewFilterForm(forms.Form):
    """What a reviewer may ask for."""

    q = forms.CharField(label="Text, id or person", required=False, max_length=200)
    show = forms.ChoiceField(label="Show", required=False, choices=SHOW)
    kind = forms.ChoiceField(
        label="What", required=False, choices=[("", "Any"), *((name, KINDS[name][0]) for name in KINDS)]
    )
    look = forms.ChoiceField(label="Look at", required=False, choices=[("", "Any"), *LOOKS.items()])
    person = forms.ModelChoiceField(
        get_user_model().objects.order_by("username"),
        label="Person",
        required=False,
        to_field_name="username",
        empty_label="Anybody",
    )
    type = forms.ChoiceField(
        label="Contact type", required=False, choices=[("", "Any"), *ContactType.choices]
    )
    source = forms.ChoiceField(label="Door", required=False, choices=[("", "Any"), *Source.choices])
    pair = PairField(r"^\d{1,18}-\d{1,18}$", label="Asked and approved by", required=False)
    change_set = forms.IntegerField(label="Change set", required=False, min_value=1, max_value=2**62)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, data: Any, *, user: Any) -> None:
        super().__init__(data)
        self._user = user
        self.fields["unit"] = unit_field(user)

    def events(self) -> AuditEventQuerySet:
        """What the form, which is valid, asks for; one event for each thing to review."""
        wanted = self.cleaned_data
        events = to_review().matching(self._filters())
        events = _looked_at(events, wanted["look"])
        if wanted["kind"]:
            events = events.filter(action__in=KINDS[wanted["kind"]][1])
        if wanted["unit"]:
            events = events.filter(_in_unit(wanted["unit"].path))
        if wanted["type"]:
            events = events.filter(_of_type(wanted["type"]))
        if wanted["pair"]:
            events = events.filter(change_set_id__in=sets_of_pair(wanted["pair"]).values("pk"))
        if wanted["show"] == NEW and wanted["since"]:
            return events.exclude(said_of())  # whoever asks for days means those, signed off or not
        return _shown(events, wanted["show"], self._user)

    def _filters(self) -> EventFilters:
        wanted = self.cleaned_data
        return EventFilters(
            text=wanted["q"],
            actor_id=wanted["person"].pk if wanted["person"] else None,
            source=wanted["source"],
            change_set_id=wanted["change_set"],
            since=_begin(wanted["since"]),
            until=_begin(wanted["until"], days=1),
        )


def new_events() -> AuditEventQuerySet:
    """What nobody reviewed since the last period was signed off."""
    events = to_review().exclude(said_of())
    end = end_of_signed_off()
    return events.filter(at__gte=end) if end else events


def last_review_of(user: Any) -> datetime | None:
    """When this person last marked something."""
    return Review.objects.filter(by=user).order_by("-at").values_list("at", flat=True).first()


def sets_of_pair(pair: str) -> QuerySet[ChangeSet]:
    """The change sets that the first asked for and the second approved."""
    asked, approved = pair.split("-")
    return ChangeSet.objects.filter(
        requested_by_id=int(asked), decided_by_id=int(approved), decision=Decision.APPROVED
    )


def timed(events: AuditEventQuerySet) -> AuditEventQuerySet:
    """The events with what outside_hours() asks for: their day and minute where the company works."""
    zone = settings.WORKING_HOURS.zone
    minute = ExtractHour("at", tzinfo=zone) * 60 + ExtractMinute("at", tzinfo=zone)
    return events.alias(day_of_week=ExtractIsoWeekDay("at", tzinfo=zone), minute_of_day=minute)


def outside_hours() -> Q:
    """What people did outside of working hours; the portal itself always works."""
    hours = settings.WORKING_HOURS
    inside = Q(
        day_of_week__in=hours.days,
        minute_of_day__gte=hours.begin.hour * 60 + hours.begin.minute,
        minute_of_day__lt=hours.end.hour * 60 + hours.end.minute,
    )
    return Q(actor_id__isnull=False) & ~inside


def ended_as(status: ChangeStatus) -> Q:
    """Single changes that ended so, and sets with a change that did."""
    single = ContactChange.objects.filter(pk=OuterRef("change_id"), status=status)
    in_set = ContactChange.objects.filter(change_set=OuterRef("change_set_id"), status=status)
    return Q(Exists(single), action=Action.CHANGE_REQUESTED) | Q(Exists(in_set), action=Action.SET_SUBMITTED)


def broke_glass() -> Q:
    """Sets that were sent before anybody approved them."""
    return Q(Exists(ChangeSet.objects.filter(pk=OuterRef("change_set_id"), broke_glass=True)))


def _looked_at(events: AuditEventQuerySet, look: str) -> AuditEventQuerySet:
    if look == "hours":
        return timed(events).filter(outside_hours())
    if look == "glass":
        return events.filter(broke_glass())
    return events.filter(ended_as(ChangeStatus(look))) if look else events


def _in_unit(path: str) -> Q:
    """Events of accounts in the unit and below it, and sets that write there."""
    rows = PlannedChange.objects.filter(
        change_set=OuterRef("change_set_id"), account__unit__path__startswith=path
    )
    return Q(unit_path__startswith=path) | Q(Exists(rows), action=Action.SET_SUBMITTED)


def _of_type(contact_type: str) -> Q:
    rows = PlannedChange.objects.filter(change_set=OuterRef("change_set_id"), contact_type=contact_type)
    return Q(contact_type=contact_type) | Q(Exists(rows), action=Action.SET_SUBMITTED)


def _shown(events: AuditEventQuerySet, show: str, user: Any) -> AuditEventQuerySet:
    if show == ALL:
        return events
    if show == QUESTIONED:
        return events.filter(said_of(state__in=UNSETTLED))
    if show == REVIEWED:
        return events.filter(said_of(state__in=[ReviewState.REVIEWED, ReviewState.SETTLED]))
    if show == SINCE_MINE:
        since = last_review_of(user)
        return events.filter(at__gt=since) if since else events
    end = end_of_signed_off()
    events = events.exclude(said_of())
    return events.filter(at__gte=end) if end else events


def _begin(day: date | None, days: int = 0) -> datetime | None:
    """When the day begins for the reader, some days later."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min))
