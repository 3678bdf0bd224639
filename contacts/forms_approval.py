"""The forms of approvals: deciding on one plan, and the rules that say which plans need it."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout
from django import forms

from contacts.change_sets import REASON_LIMIT
from contacts.models import ApprovalRules, Decision
from orgs.access import ROLE_RIGHTS, Right
from orgs.forms import PlainForm

ASKING_ROLES = [(role.value, role.label) for role, rights in ROLE_RIGHTS.items() if Right.EDIT in rights]
MOST_CONTACTS, MOST_HOURS = 1_000_000, 24 * 90


class DecisionForm(PlainForm):
    """Approve or refuse the plan that is shown; its buttons carry the decision."""

    note = forms.CharField(
        label="Note",
        required=False,
        max_length=REASON_LIMIT,
        widget=forms.Textarea({"rows": 2}),
        help_text="Optional when you approve. To refuse, say why: the person who asked reads it.",
    )
    plan_hash = forms.CharField(widget=forms.HiddenInput)
    decision = forms.ChoiceField(
        choices=Decision.choices,
        widget=forms.HiddenInput,
        error_messages={"required": "Choose: approve or refuse."},
    )

    @property
    def helper(self) -> FormHelper:
        helper = super().helper
        helper.layout = Layout(Field("note"), Field("plan_hash"))
        return helper


class RulesForm(PlainForm):
    """Which changes need an approval, and how long a request stands."""

    more_than = forms.IntegerField(
        label="More contacts than",
        required=False,
        min_value=0,
        max_value=MOST_CONTACTS,
        help_text="In one change set. Empty: the number alone needs no approval. 0: every change needs one.",
    )
    any_delete = forms.BooleanField(label="Any deletion", required=False)
    management_account = forms.BooleanField(label="Contacts of a management account", required=False)
    roles = forms.MultipleChoiceField(
        label="Everything these roles ask for",
        choices=ASKING_ROLES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    expires_after = forms.IntegerField(
        label="Hours until a request lapses",
        min_value=1,
        max_value=MOST_HOURS,
        help_text="An approval that was not used lapses after the same time.",
    )

    @classmethod
    def of(cls, rules: ApprovalRules, data: Any = None) -> "RulesForm":
        """The form as it opens with these rules."""
        return cls(data, initial={name: getattr(rules, name) for name in cls.base_fields})

    @property
    def rules(self) -> ApprovalRules:
        """What the form asks for; it is valid."""
        return ApprovalRules(**self.cleaned_data)
