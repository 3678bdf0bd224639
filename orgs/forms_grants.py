"""The forms about access: giving a role, ending it, groups and their members, and the filters of the list."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from orgs.contact_types import ContactType
from orgs.find_field import FindField
from orgs.finding import HolderFinder, PersonFinder, PlaceFinder
from orgs.forms import FilterForm, PlainForm
from orgs.grants import draft_grant
from orgs.models import AccessGrant, Role


class ReasonForm(PlainForm):
    """Why; the audit keeps it."""

    reason = forms.CharField(
        label="Reason", required=False, max_length=500, help_text="Optional. The audit keeps it."
    )


class GrantForm(PlainForm):
    """Who gets a role, where it holds, for which contacts, and until when."""

    holder = FindField(
        HolderFinder(), label="Who", help_text="A person or a group: a user name, or a part of a name."
    )
    role = forms.ChoiceField(label="Role", choices=[("", "Choose a role"), *Role.choices])
    place = FindField(
        PlaceFinder(),
        label="Where",
        required=False,
        help_text="An organization, a unit with all below it, or an account: a part of its name, or its id. "
        "Empty: everywhere.",
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
    reason = forms.CharField(
        label="Reason", required=False, max_length=500, help_text="Optional. The audit keeps it."
    )

    def clean_ends_on(self) -> date | None:
        """A day that is over gives nothing."""
        day = self.cleaned_data["ends_on"]
        if day and day < timezone.localdate():
            raise ValidationError("This day is over. Choose today or a later day, or none.")
        return day

    @property
    def wanted(self) -> dict[str, Any]:
        """What draft_grant() and give_grant() take."""
        return {
            "holder": self.cleaned_data["holder"],
            "role": Role(self.cleaned_data["role"]),
            "place": self.cleaned_data["place"],
            "contact_types": self.cleaned_data["contact_types"],
            "ends_at": self._ends_at,
        }

    @property
    def _ends_at(self) -> datetime | None:
        """The end of the last day, in the zone of who fills in the form."""
        day = self.cleaned_data["ends_on"]
        return day and timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))

    def draft(self) -> AccessGrant | None:
        """The grant as it would be given; None where it cannot be, and the form says why."""
        if not self.is_valid():
            return None
        try:
            return draft_grant(**self.wanted)
        except ValidationError as error:
            self.refuse(error)
            return None

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The fields for the page that asks once more: ids in place of what was typed to find them."""
        values: list[tuple[str, str]] = []
        for name, field in self.fields.items():
            value = self.cleaned_data[name]
            if isinstance(field, FindField):
                values.append((name, field.finder.found_of(value).value if value else ""))
            elif isinstance(value, list):
                values += [(name, one) for one in value]
            else:
                values.append((name, "" if value is None else str(value)))
        return values


class GroupForm(PlainForm):
    """A new group."""

    name = forms.CharField(
        label="Name",
        max_length=150,
        help_text="As people call the team. If the identity provider sends groups, its exact name there.",
    )


class MemberForm(PlainForm):
    """Who is to be in the group too."""

    person = FindField(
        PersonFinder(), label="Person", help_text="A user name, or a part of a name or an address."
    )


class GroupFilter(FilterForm):
    """The filters of the list of groups."""

    q = forms.CharField(label="Name", required=False)


class GrantFilter(FilterForm):
    """The filters of the list of grants."""

    q = forms.CharField(label="Person, group or place", required=False)
    role = forms.ChoiceField(label="Role", choices=[("", "any"), *Role.choices], required=False)
    type = forms.ChoiceField(label="Contacts", choices=[("", "any"), *ContactType.choices], required=False)
    where = forms.ChoiceField(
        label="Where",
        choices=[
            ("", "any"),
            ("everywhere", "Everywhere"),
            ("organization", "An organization"),
            ("unit", "A unit"),
            ("account", "An account"),
        ],
        required=False,
    )
    state = forms.ChoiceField(
        label="State",
        choices=[
            ("", "In force"),
            ("soon", "Ends within 30 days"),
            ("open", "Without an end"),
            ("ended", "Ended"),
        ],
        required=False,
    )
    person = forms.CharField(required=False)  # a user name: all that this person has, by groups too
    place = forms.CharField(required=False)  # an id: all that hold for it, from above too

    @property
    def kept(self) -> Mapping[str, str]:
        """What a link put into the address, and no control shows."""
        return {name: value for name in ("person", "place") if (value := self.wanted().get(name))}
