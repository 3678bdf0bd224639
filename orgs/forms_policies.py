"""The form behind the policies: what they are to allow."""

import re
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from orgs.contact_types import ContactType
from orgs.forms import PlainForm
from orgs.models import OrganizationalUnit

WRITE, READ = "write", "read"
principal_validator = RegexValidator(
    r"\Aarn:aws[a-z-]*:iam::[0-9]{12}:(?:user|role)/[\w+=,.@/-]{1,512}\Z",
    "A user or role looks like arn:aws:iam::123456789012:role/Portal.",
    flags=re.ASCII,
)


class UnitChoices(forms.ModelMultipleChoiceField):
    """Units, each below the one it lies in."""

    def label_from_instance(self, obj: OrganizationalUnit) -> str:
        return "\u2003" * (obj.path.count("/") - 1) + obj.name


class PolicyForm(PlainForm):
    """What the policies shall allow; types and units narrow what the portal may change."""

    access = forms.ChoiceField(
        label="Access",
        choices=[(WRITE, "See and change contacts"), (READ, "Only see them")],
        widget=forms.RadioSelect,
        initial=WRITE,
    )
    types = forms.MultipleChoiceField(
        label="Types",
        choices=ContactType.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=ContactType.values,
        error_messages={"required": "Choose one type at least."},
        help_text="Which the portal may change. It reads all; with “Only see them”, which it may read.",
    )
    units = UnitChoices(
        label="Units",
        queryset=OrganizationalUnit.objects.none(),
        required=False,
        widget=forms.SelectMultiple({"size": 10}),
        help_text="Where it may change them, units below included. None chosen: everywhere.",
    )
    principal = forms.CharField(
        label="User or role of the portal",
        required=False,
        max_length=600,
        validators=[principal_validator],
        help_text="ARN, where the checks did not see it, or for one to be made.",
    )

    def __init__(self, *args: Any, units: Any, **kwargs: Any) -> None:  # Any: what a form takes
        super().__init__(*args, **kwargs)
        self.fields["units"].queryset = units  # type: ignore[attr-defined] # the stubs know plain fields only

    def wanted(self) -> dict[str, Any]:  # Any: what needs_of() takes
        """The choices, as needs_of() takes them."""
        values = self.cleaned_data
        return {
            "writes": values["access"] == WRITE,
            "types": tuple(values["types"]),
            "units": topmost([unit.path for unit in values["units"]]),
            "principal": values["principal"],
        }


def topmost(paths: list[str]) -> tuple[str, ...]:
    """Without those that lie below another one; a root alone is the whole organization."""
    found = sorted(path for path in paths if not any(path != up and path.startswith(up) for up in paths))
    return () if any(path.count("/") == 1 for path in found) else tuple(found)
