"""The form that gives a role to a person or a group."""

from datetime import date, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from orgs.contact_types import ContactType
from orgs.forms import PlainForm
from orgs.grants import Place
from orgs.models import Account, Organization, OrganizationalUnit, Role

_PLACES: dict[str, type[Organization] | type[OrganizationalUnit]] = {
    "o-": Organization,
    "r-": OrganizationalUnit,
    "ou-": OrganizationalUnit,
}


class PlaceField(forms.CharField):
    """The id of an organization, a unit or an account; empty means everywhere."""

    def clean(self, value: str) -> Place:
        text = (super().clean(value) or "").replace(" ", "")
        if not text:
            return None
        model = next((found for start, found in _PLACES.items() if text.startswith(start)), Account)
        place = model.objects.filter(aws_id=text).first()
        if place is None:
            raise ValidationError("The portal knows no organization, unit or account with this id.")
        return place


class GrantForm(PlainForm):
    """A role, where it holds, for which contacts, and until when."""

    role = forms.ChoiceField(label="Role", choices=[("", "Choose a role"), *Role.choices])
    place = PlaceField(
        label="Where",
        required=False,
        max_length=80,
        help_text="Empty: everywhere. Or the id of an organization (o-…), of a unit with all below it "
        "(ou-…), or of an account (12 digits).",
    )
    contact_types = forms.MultipleChoiceField(
        label="Contact types",
        choices=ContactType.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: all of them.",
    )
    ends_on = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text="The access ends with this day. Empty: it stays until somebody ends it.",
    )

    def clean_ends_on(self) -> date | None:
        """A day that is over gives nothing."""
        day = self.cleaned_data["ends_on"]
        if day and day < timezone.localdate():
            raise ValidationError("This day is over. Choose today or a later day, or none.")
        return day

    @property
    def ends_at(self) -> datetime | None:
        """The end of the last day, in the zone of who fills in the form."""
        day = self.cleaned_data["ends_on"]
        return day and timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
