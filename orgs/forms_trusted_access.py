"""The form behind trusted access."""

from django import forms

from orgs.forms import PlainForm


class ReasonForm(PlainForm):
    """Why it is switched on."""

    reason = forms.CharField(
        label="Reason", max_length=500, help_text="Stands in the audit.", widget=forms.Textarea({"rows": 2})
    )
