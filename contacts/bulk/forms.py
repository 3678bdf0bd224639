"""The forms of bulk changes. Each knows the lines it stands for, and what its plan is called."""

from collections.abc import Iterator, Sequence
from typing import Any

from crispy_forms.bootstrap import InlineCheckboxes
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Layout, LayoutObject
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from contacts.bulk.line import Line
from contacts.bulk.selecting import lines_to_copy, lines_to_delete, lines_to_replace, lines_to_set
from contacts.details import FIELDS
from contacts.forms import DetailField
from contacts.models import AlternateContact, ContactType, SetKind
from orgs.models import Account

TITLE_LIMIT = 120


class TypesField(forms.MultipleChoiceField):
    """One or more of the three contact types."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, label: str = "Contact types") -> None:
        super().__init__(
            label=label,
            choices=ContactType.choices,
            error_messages={"required": "Choose at least one contact type."},
        )


class KeptField(DetailField):
    """One of the four values; left empty, it keeps what stands there."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.required, self.help_text = False, ""


class PlanForm(forms.Form):
    """A form whose answer is a plan. Reason and ticket are asked for there, beside what will happen."""

    is_said_above = True  # what is wrong with it as a whole; see templates/bootstrap5/errors.html

    heading = forms.CharField(
        label="Name of this change",
        max_length=TITLE_LIMIT,
        required=False,
        help_text="How lists and mails call it. Optional.",
    )

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.layout = Layout(*self.layout(), Field("heading"))
        return helper

    def layout(self) -> list[LayoutObject]:
        """The fields in their order, but for the name."""
        return [Field(name) for name in self.fields if name != "heading"]

    @property
    def wrong_fields(self) -> list[forms.BoundField]:
        """Those that need a change."""
        return [field for field in self.visible_fields() if field.errors]

    @property
    def plan_title(self) -> str:
        """The name that was typed, or one that says what is asked for; the form is valid."""
        return (self.cleaned_data["heading"] or self.usual_title())[:TITLE_LIMIT]

    def usual_title(self) -> str:
        """What is asked for, in few words."""
        raise NotImplementedError


class ScopeForm(PlanForm):
    """A plan for the contacts of a set of accounts."""

    def offer(self, types: Sequence[str]) -> None:
        """Offer these contact types alone, and tick the first where none of those ticked is among them."""
        for name, field in self.fields.items():
            if isinstance(field, TypesField):
                field.choices = [(kind, ContactType(kind).label) for kind in types]
                ticked = [kind for kind in self.initial.get(name, []) if kind]
                if ticked and not set(ticked) & set(types):
                    self.initial[name] = list(types[:1])

    @property
    def kind(self) -> SetKind:
        """What sort of change set it makes."""
        raise NotImplementedError

    def lines(self, accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> Iterator[Line]:
        """What the plan is made of; of the contacts those that the person may see. The form is valid."""
        raise NotImplementedError


class ValuesForm(ScopeForm):
    """The four values, of which at least one is given."""

    name = KeptField("name")
    title = KeptField("title")
    email = KeptField("email")
    phone = KeptField("phone")

    def values(self) -> dict[str, str]:
        """What was typed; what is not there keeps its value."""
        return {name: self.cleaned_data[name] for name in FIELDS if self.cleaned_data.get(name)}

    def rows_of_values(self) -> list[LayoutObject]:
        """Two fields beside each other."""
        return [
            Div(*[Field(name, wrapper_class="col-md-6") for name in pair], css_class="row")
            for pair in (("name", "title"), ("email", "phone"))
        ]

    def clean(self) -> dict[str, Any]:
        wanted = super().clean() or {}
        if not self.errors and not self.values():
            raise ValidationError("Type at least one new value. An empty field keeps what stands there.")
        return wanted


class SetForm(ValuesForm):
    """The same values for the contacts of these types."""

    types = TypesField()
    only_missing = forms.BooleanField(
        label="Only where nothing is set",
        required=False,
        help_text="Contacts that are set are left as they are.",
    )

    field_order = ["types", *FIELDS, "only_missing", "heading"]

    def layout(self) -> list[LayoutObject]:
        return [InlineCheckboxes("types"), *self.rows_of_values(), Field("only_missing")]

    def clean(self) -> dict[str, Any]:
        wanted = super().clean()
        for name in FIELDS if wanted.get("only_missing") else ():
            if name not in self.errors and not wanted.get(name):
                self.add_error(name, "Where nothing is set, AWS needs all four values.")
        return wanted

    @property
    def kind(self) -> SetKind:
        return SetKind.FILL if self.cleaned_data["only_missing"] else SetKind.SET

    def usual_title(self) -> str:
        types = labels_of(self.cleaned_data["types"])
        return f"Fill {types} where missing" if self.kind == SetKind.FILL else f"Set {types}"

    def lines(self, accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> Iterator[Line]:
        wanted = self.cleaned_data
        return lines_to_set(
            accounts, contacts, wanted["types"], self.values(), only_missing=wanted["only_missing"]
        )


class FindForm(forms.Form):
    """Whom to replace: contacts with this e-mail, this phone, or both."""

    find_email = forms.CharField(label="E-mail", required=False, max_length=254)
    find_phone = forms.CharField(label="Phone", required=False, max_length=25)

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.layout = Layout(
            Div(
                Field("find_email", wrapper_class="col-md-6", autocomplete="off"),
                Field("find_phone", wrapper_class="col-md-6", autocomplete="off"),
                css_class="row",
            )
        )
        return helper

    def clean_find_phone(self) -> str:
        phone = self.cleaned_data["find_phone"]
        if phone and not any(map(str.isdecimal, phone)):
            raise ValidationError("A phone number has digits.")
        return phone

    def clean(self) -> dict[str, Any]:
        wanted = super().clean() or {}
        if not self.errors and not any(wanted.values()):
            raise ValidationError("Type the e-mail or the phone to look for.")
        return wanted

    @property
    def wanted(self) -> tuple[str, str]:
        """E-mail and phone; the form is valid."""
        return self.cleaned_data["find_email"], self.cleaned_data["find_phone"]


class ReplaceForm(ValuesForm):
    """What the contacts that were found hold from now on."""

    def __init__(self, *args: Any, find: tuple[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # Any: as Django's forms take them
        self.find = find

    def layout(self) -> list[LayoutObject]:
        return self.rows_of_values()

    @property
    def kind(self) -> SetKind:
        return SetKind.REPLACE

    def usual_title(self) -> str:
        return f"Replace {' and '.join(filter(None, self.find))}"

    def lines(self, accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> Iterator[Line]:
        return lines_to_replace(accounts, contacts, *self.find, self.values())

    def found(self, accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> Iterator[Line]:
        """The contacts that would be planned, whatever is typed in."""
        return lines_to_replace(accounts, contacts, *self.find, {})


class CopyForm(ScopeForm):
    """One type of each account, copied to others of the same account."""

    source = forms.ChoiceField(label="Copy from", choices=ContactType.choices)
    targets = TypesField("To")

    def clean(self) -> dict[str, Any]:
        wanted = super().clean() or {}
        if wanted.get("source") in wanted.get("targets", ()):
            self.add_error("targets", "Choose other types than the one that is copied.")
        return wanted

    @property
    def kind(self) -> SetKind:
        return SetKind.COPY

    def layout(self) -> list[LayoutObject]:
        return [Field("source"), InlineCheckboxes("targets")]

    def usual_title(self) -> str:
        wanted = self.cleaned_data
        return f"Copy {labels_of([wanted['source']])} to {labels_of(wanted['targets'])}"

    def lines(self, accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> Iterator[Line]:
        return lines_to_copy(accounts, contacts, self.cleaned_data["source"], self.cleaned_data["targets"])


class DeleteForm(ScopeForm):
    """The contacts of these types, to be deleted."""

    types = TypesField()

    @property
    def kind(self) -> SetKind:
        return SetKind.DELETE

    def layout(self) -> list[LayoutObject]:
        return [InlineCheckboxes("types")]

    def usual_title(self) -> str:
        return f"Delete {labels_of(self.cleaned_data['types'])}"

    def lines(self, accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> Iterator[Line]:
        return lines_to_delete(accounts, self.cleaned_data["types"])


def labels_of(types: list[str]) -> str:
    """“Billing and Security”."""
    *rest, last = [ContactType(name).label for name in types]
    return f"{', '.join(rest)} and {last}" if rest else last
