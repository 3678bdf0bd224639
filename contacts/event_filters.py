"""The filters of the audit list, as they stand in the URL."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils import timezone

from audit.context import Source
from audit.models import Action, AuditEvent
from audit.queries import AuditEventQuerySet, EventFilters
from contacts.models import ContactType
from orgs.access import organizations_visible_to
from orgs.models import OrganizationalUnit


class EventFilterForm(forms.Form):
    """What a reader of the audit may ask for."""

    q = forms.CharField(label="Text, id or person", required=False, max_length=200)
    action = forms.ChoiceField(label="Event", required=False, choices=[("", "Any"), *Action.choices])
    person = forms.ModelChoiceField(
        get_user_model().objects.order_by("username"),
        label="Person",
        required=False,
        to_field_name="username",
        empty_label="Anybody",
    )
    account = forms.CharField(label="Account id", required=False, max_length=16)
    type = forms.ChoiceField(
        label="Contact type", required=False, choices=[("", "Any"), *ContactType.choices]
    )
    source = forms.ChoiceField(label="Door", required=False, choices=[("", "Any"), *Source.choices])
    change = forms.IntegerField(label="Change", required=False, min_value=1)
    change_set = forms.IntegerField(label="Change set", required=False, min_value=1)
    request = forms.CharField(label="Request id", required=False, max_length=64)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, data: Any, *, user: Any) -> None:
        super().__init__(data)
        self.fields["unit"] = forms.ModelChoiceField(
            OrganizationalUnit.objects.filter(organization__in=organizations_visible_to(user)),
            label="Unit",
            required=False,
            to_field_name="aws_id",
            empty_label="Any",
        )

    def filters(self) -> EventFilters:
        """The form, which is valid, in the audit's own terms."""
        wanted = self.cleaned_data
        return EventFilters(
            text=wanted["q"],
            actions=(wanted["action"],) if wanted["action"] else (),
            actor_id=wanted["person"].pk if wanted["person"] else None,
            account_id=wanted["account"].replace(" ", ""),
            unit_path=wanted["unit"].path if wanted["unit"] else "",
            contact_type=wanted["type"],
            source=wanted["source"],
            change_id=wanted["change"],
            change_set_id=wanted["change_set"],
            request_id=wanted["request"].strip(),
            since=_midnight(wanted["since"]),
            until=_midnight(wanted["until"], days=1),
        )


def events_of(request: HttpRequest) -> AuditEventQuerySet:
    """The events that the list with this URL shows; a filter that makes no sense is a bad request."""
    form = EventFilterForm(request.GET, user=request.user)
    if not form.is_valid():
        raise BadRequest(f"These filters make no sense: {', '.join(form.errors)}.")
    return AuditEvent.objects.matching(form.filters())


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """When the day begins for the reader, some days later."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min))
