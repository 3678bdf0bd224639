"""Forms about organizations and people. Their rules are those of connecting.py and people.py."""

import zoneinfo
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from orgs.models import Role, account_id_validator
from portal.aws import AwsError
from portal.models import User

ZONES = [("", "UTC"), *((name, name) for name in sorted(zoneinfo.available_timezones()))]


class PlainForm(forms.Form):
    """A form whose tag and buttons stand in the page."""

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True  # the page's own form has the token
        return helper

    def refuse(self, error: ValidationError | AwsError) -> None:
        """Say what the function behind the form refused, at its field where it has one."""
        if isinstance(error, AwsError):
            self.add_error(None, f"{error.cause.label} {error.cause.remedy}")
        elif hasattr(error, "error_dict"):
            for field, messages in error.message_dict.items():
                self.add_error(field if field in self.fields else None, messages)
        else:
            self.add_error(None, error)


class CredentialsForm(PlainForm):
    """Whose credentials; nothing secret is asked for."""

    role_arn = forms.CharField(
        label="Role",
        required=False,
        max_length=2048,
        help_text="ARN of a role that the portal assumes. Empty: the credentials it runs with.",
    )
    external_id = forms.CharField(
        label="External id", required=False, max_length=1224, help_text="If the role asks for one."
    )
    profile = forms.CharField(
        label="Profile",
        required=False,
        max_length=64,
        help_text="A named profile of the AWS configuration on the portal's machines.",
    )
    name = forms.CharField(label="Name", required=False, max_length=80, help_text="How the pages call it.")


class OrganizationForm(CredentialsForm):
    """Connect an organization."""

    management_role_arn = forms.CharField(
        label="Role in the management account",
        required=False,
        max_length=2048,
        help_text="A delegated administrator needs it to reach the management account's own contacts.",
    )

    field_order = ["name", "role_arn", "external_id", "management_role_arn", "profile"]


class AccountForm(CredentialsForm):
    """Connect a standalone account."""

    account_id = forms.CharField(
        label="Account id", validators=[account_id_validator], help_text="12 digits."
    )

    field_order = ["account_id", "name", "role_arn", "external_id", "profile"]


class DetailsForm(PlainForm):
    """A person's names and e-mail address."""

    first_name = forms.CharField(label="First name", required=False, max_length=150)
    last_name = forms.CharField(label="Last name", required=False, max_length=150)
    email = forms.EmailField(label="E-mail", required=False, max_length=254)


class PasswordForm(PlainForm):
    """A new password for somebody else."""

    password = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="At least eight characters, not a common one. Hand it over in person; it is shown nowhere.",
    )


class PersonForm(DetailsForm):
    """A new person."""

    username = forms.CharField(
        label="User name", max_length=150, help_text="Letters, digits and @ . + - _ only."
    )
    password = forms.CharField(
        label="First password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="At least eight characters, not a common one. They can change it under Profile.",
    )
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="They hold everywhere. For a part of the accounts tick none, and give access afterwards.",
    )

    field_order = ["username", "first_name", "last_name", "email", "password", "roles"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: as Django's forms take them
        super().__init__(*args, **kwargs)
        if not settings.PASSWORD_SIGN_IN:
            del self.fields["password"]


class ProfileForm(PlainForm):
    """How the portal looks to oneself."""

    theme = forms.ChoiceField(label="Colours", choices=User.Theme.choices)
    time_zone = forms.ChoiceField(
        label="Time zone", choices=ZONES, required=False, help_text="Times on all pages are shown in it."
    )


class FilterForm(PlainForm):
    """The filters of a list, from its address."""

    def wanted(self) -> dict[str, Any]:
        """The filters in force; nonsense in the address filters nothing."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class PersonFilter(FilterForm):
    """The filters of the list of people."""

    q = forms.CharField(label="Name or e-mail", required=False)
    role = forms.ChoiceField(label="Role", choices=[("", "any"), *Role.choices], required=False)
    state = forms.ChoiceField(
        label="State",
        choices=[("", "any"), ("active", "Active"), ("inactive", "Deactivated")],
        required=False,
    )
