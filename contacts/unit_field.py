"""The unit in a filter form: a select of a few, or a field for the name or id of one of many."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from orgs.access import units_visible_to
from orgs.models import OrganizationalUnit

MOST_CHOICES = 60


class UnitField(forms.CharField):
    """A unit by its id, or by a name that only one has."""

    def __init__(self, units: QuerySet[OrganizationalUnit], **kwargs: Any) -> None:
        super().__init__(max_length=128, **kwargs)  # Any: as Django's fields take them
        self.units = units

    def clean(self, value: Any) -> OrganizationalUnit | None:
        """The unit, or None where nothing is typed; raises ValidationError."""
        text = super().clean(value).strip()
        if not text:
            return None
        found = list(self.units.filter(aws_id=text)[:1]) or list(self.units.filter(name__iexact=text)[:2])
        if not found:
            raise ValidationError("No unit has this name or id. Type the whole of it.")
        if len(found) > 1:
            raise ValidationError("Several units have this name. Type the id of one: ou-…")
        return found[0]

    def words_of(self, values: Sequence[str]) -> str:
        """Its name, as the list says that it is in force."""
        try:
            return str(self.clean(values[-1]) or "")
        except ValidationError:
            return values[-1]


def unit_field(user: Any) -> forms.Field:
    """For the units that the user may see; to choose from thousands makes every page long."""
    units = units_visible_to(user)
    if units.order_by()[: MOST_CHOICES + 1].count() > MOST_CHOICES:
        return UnitField(units, label="Unit, by name or id", required=False)
    return forms.ModelChoiceField(
        units, label="Unit", required=False, to_field_name="aws_id", empty_label="Any"
    )
