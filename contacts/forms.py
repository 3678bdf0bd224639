"""The forms of a contact. Their rules are AWS's own, from contacts/details.py."""

from dataclasses import asdict
from typing import Any, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Layout, LayoutObject
from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from contacts.change_sets import REASON_LIMIT, TICKET_LIMIT
from contacts.changes import Seen
from contacts.details import FIELDS, LIMITS, VALIDATORS, trim
from portal.aws import ContactDetails

LABELS = {"name": "Name", "title": "Title", "email": "E-mail", "phone": "Phone"}
HELP = {
    "name": "A team is safer than a person: people leave.",
    "title": "What the person or team does, such as “Duty officer”.",
    "email": "A mailbox that a team reads.",
    "phone": "With country code. Digits, spaces, ( ) + and - only.",
}
KEYBOARDS = {"email": "email", "phone": "tel"}


class DetailField(forms.CharField):
    """One of the four values: trimmed, and then held against AWS's rules."""

    def __init__(self, name: str) -> None:
        widget = forms.TextInput({"autocomplete": "off", "inputmode": KEYBOARDS.get(name, "text")})
        super().__init__(label=LABELS[name], help_text=HELP[name], widget=widget, validators=VALIDATORS[name])
        self.name, self.limit = name, LIMITS[name]
        self.row: object = None  # what its template shows beside the input; see contacts/preview.py
        self.error_messages["required"] = "AWS needs a value here."


class WhyForm(forms.Form):
    """Why, and what the person had before their eyes; every change asks for both."""

    is_said_above = True  # what is wrong with it as a whole; see templates/bootstrap5/errors.html

    reason = forms.CharField(
        label="Reason",
        max_length=REASON_LIMIT,
        help_text="Kept in the audit.",
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": "Say why: the audit keeps the reason."},
    )
    ticket = forms.CharField(label="Ticket", max_length=TICKET_LIMIT, required=False, help_text="Optional.")
    break_glass = forms.BooleanField(
        label="Send now, before anybody has approved it",
        required=False,
        help_text="For emergencies. The approvers are told at once and decide afterwards; the audit says so.",
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, may_break_glass: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_break_glass:
            del self.fields["break_glass"]

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.layout = self.layout()
        return helper

    def layout(self) -> Layout:
        """The fields in their order."""
        return Layout(*self.why())

    def why(self) -> list[LayoutObject]:
        """Reason and ticket beside each other, and the way round an approval for those who may take it."""
        row = Div(
            Field("reason", wrapper_class="col-md-8"),
            Field("ticket", wrapper_class="col-md-4"),
            css_class="row",
        )
        glass = [Field("break_glass")] if "break_glass" in self.fields else []
        return [row, *glass, Field("seen")]

    def clean_seen(self) -> Seen:
        try:
            return Seen.parse(self.cleaned_data["seen"])
        except ValueError as error:
            raise ValidationError("The page lost its place. Open the form again.") from error

    def show_anew(self, seen: Seen) -> None:
        """From now on the person has seen this: sending the form again is a decision."""
        data = cast(QueryDict, self.data).copy()
        data[self.add_prefix("seen")] = seen.token
        self.data = data


class ContactForm(WhyForm):
    """The four values of a contact, and why."""

    name = DetailField("name")
    title = DetailField("title")
    email = DetailField("email")
    phone = DetailField("phone")

    field_order = [*FIELDS, "reason", "ticket", "break_glass", "seen"]

    def layout(self) -> Layout:
        details = [Field(name, template="contacts/_contact_field.html") for name in FIELDS]
        return Layout(*details, *self.why())

    @property
    def detail_fields(self) -> list[DetailField]:
        """The fields of the four values."""
        return [field for field in self.fields.values() if isinstance(field, DetailField)]

    @property
    def typed(self) -> ContactDetails:
        """The values as they were typed, or as the form was opened with."""
        return ContactDetails(**{name: str(self[name].value() or "") for name in FIELDS})

    @property
    def details(self) -> ContactDetails:
        """The values to send; the form is valid."""
        return ContactDetails(**{name: self.cleaned_data[name] for name in FIELDS})

    @property
    def trimmed(self) -> list[str]:
        """The labels of the fields that lost surrounding spaces."""
        return [LABELS[name] for name in trim(self.typed)[1]]


def initial_of(details: ContactDetails | None, seen: Seen) -> dict[str, Any]:
    """What a contact form is opened with."""
    return (asdict(details) if details else {}) | {"seen": seen.token}
