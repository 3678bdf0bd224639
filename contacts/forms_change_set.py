"""The form that sends a plan on its way."""

from typing import Any, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout
from django import forms
from django.http import QueryDict

from contacts.change_sets import REASON_LIMIT, TICKET_LIMIT
from contacts.models import ChangeSet


class SubmitForm(forms.Form):
    """Why, and whether the right lines go without the refused ones."""

    reason = forms.CharField(
        label="Reason",
        max_length=REASON_LIMIT,
        help_text="Approvers and the audit see it.",
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": "Say why: the audit keeps the reason."},
    )
    ticket = forms.CharField(label="Ticket", max_length=TICKET_LIMIT, required=False, help_text="Optional.")
    without_refused = forms.BooleanField(required=False)
    plan_hash = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, change_set: ChangeSet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["plan_hash"] = change_set.plan_hash
        refused = change_set.counts.get("refused", 0)
        if refused:
            self.fields["without_refused"].label = _choice_words(change_set.writes, refused)
        else:
            del self.fields["without_refused"]

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.layout = Layout(*(Field(name) for name in self.fields))
        return helper

    def show_anew(self, change_set: ChangeSet) -> None:
        """From now on the person has seen this plan: sending the form again is a decision."""
        data = cast(QueryDict, self.data).copy()
        data["plan_hash"] = change_set.plan_hash
        self.data = data


def _choice_words(writes: int, refused: int) -> str:
    lines = "line" if refused == 1 else "lines"
    return f"Send the other {writes:,} without the {refused:,} refused {lines}"
