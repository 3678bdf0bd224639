"""The form that asks why somebody can, or cannot, do something."""

from typing import Any

from django import forms

from contacts.models import ContactType
from contacts.why import Question
from orgs.access import Right, has_right
from orgs.find_field import FindField
from orgs.finding import AccountFinder, PersonFinder
from orgs.forms import PlainForm


class WhyForm(PlainForm):
    """Who, what, and where; whoever does not manage people asks about themselves alone."""

    right = forms.ChoiceField(label="What", choices=Right.choices)
    contact_type = forms.ChoiceField(
        label="Contact", choices=[("", "At least one"), *ContactType.choices], required=False
    )

    field_order = ["person", "right", "account", "contact_type"]

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:  # Any: as Django's forms have it
        super().__init__(*args, **kwargs)
        self.user = user
        if has_right(user, Right.PEOPLE):
            self.fields["person"] = FindField(
                PersonFinder(), label="Who", help_text="A user name, or a part of a name."
            )
        self.fields["account"] = FindField(
            AccountFinder(user),
            label="Account",
            required=False,
            help_text="A part of its name, or its id. Empty: anywhere at all.",
        )
        self.order_fields(self.field_order)

    @property
    def question(self) -> Question:
        """What was asked; the form is valid."""
        asked = self.cleaned_data
        return Question(
            person=asked.get("person") or self.user,
            right=Right(asked["right"]),
            account=asked["account"],
            contact_type=asked["contact_type"],
        )
