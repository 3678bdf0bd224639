"""The filters of the audit list, as they stand in the URL."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest
from django.utils import timezone

from audit.context import Source
from audit.former import former_people
from audit.models import Action, AuditEvent
from audit.queries import AuditEventQuerySet, EventFilters
from audit.searching import is_searchable
from contacts.finding import events_visible_to
from contacts.models import ContactType
from contacts.unit_field import unit_field
from orgs.access import Right, has_right
from orgs.account_ids import plain_id

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "changes": (
        "Asked for and applied",
        (Action.CHANGE_REQUESTED, Action.CHANGE_APPLIED, Action.CHANGE_UNCHANGED, Action.CHANGE_READ_BACK),
    ),
    "failed": ("Failed", (Action.CHANGE_FAILED, Action.CHANGE_UNCONFIRMED)),
    "conflict": ("Conflicts", (Action.CHANGE_CONFLICT,)),
    "drift": (
        "Changed outside the portal",
        (Action.CONTACT_DRIFT, Action.DRIFT_ADOPTED, Action.DRIFT_REVERTED, Action.DRIFT_IGNORED),
    ),
    "approvals": (
        "Approvals",
        (
            *(Action.SET_APPROVED, Action.SET_REFUSED, Action.SET_EXPIRED),
            *(Action.GLASS_BROKEN, Action.APPROVAL_RULES_CHANGED),
        ),
    ),
    "reviews": ("Reviews", tuple(action for action in Action.values if action.startswith("review."))),
    "accounts": (
        "Accounts and organizations",
        tuple(action for action in Action.values if action.startswith(("account.", "organization."))),
    ),
    "people": (
        "People and access",
        tuple(
            action for action in Action.values if action.startswith(("user.", "access.", "grant.", "group."))
        ),
    ),
    "exports": ("Exports", (Action.CONTACTS_EXPORTED, Action.AUDIT_EXPORTED)),
}


class EventFilterForm(forms.Form):
    """What a reader of the audit may ask for."""

    q = forms.CharField(label="Text, id or person", required=False, max_length=200)
    group = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "Any"), *((name, label) for name, (label, _) in GROUPS.items())],
    )
    action = forms.MultipleChoiceField(
        label="Events", required=False, choices=Action.choices, widget=forms.SelectMultiple({"size": 6})
    )
    person = forms.ModelChoiceField(
        get_user_model().objects.order_by("username"),
        label="Person",
        required=False,
        to_field_name="username",
        empty_label="Anybody",
    )
    by = forms.CharField(label="Name as written down", required=False, max_length=200)
    account = forms.CharField(label="Account id", required=False, max_length=16)
    type = forms.ChoiceField(
        label="Contact type", required=False, choices=[("", "Any"), *ContactType.choices]
    )
    source = forms.ChoiceField(label="Door", required=False, choices=[("", "Any"), *Source.choices])
    change = forms.IntegerField(label="Change", required=False, min_value=1)
    change_set = forms.IntegerField(label="Change set", required=False, min_value=1)
    request = forms.CharField(label="Request id", required=False, max_length=64)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, data: Any, *, user: Any) -> None:
        super().__init__(data)
        self.unnamed = () if has_right(user, Right.PEOPLE) else tuple(former_people())
        self.fields["unit"] = unit_field(user)
        self.order_fields([*(name for name in self.fields if name != "action"), "action"])  # it is tall

    def clean_q(self) -> str:
        """Too little text would be found nearly everywhere, and by no index."""
        text = self.cleaned_data["q"]
        if text and not is_searchable(text):
            raise ValidationError("Type three characters or more, two letters or digits in a row among them.")
        return text

    def filters(self) -> EventFilters:
        """The form, which is valid, in the audit's own terms."""
        wanted = self.cleaned_data
        return EventFilters(
            text=wanted["q"],
            unnamed=self.unnamed if wanted["q"] or wanted["by"] else (),
            actions=_actions(wanted["group"], wanted["action"]),
            actor_id=wanted["person"].pk if wanted["person"] else None,
            actor_label=wanted["by"],
            account_id=plain_id(wanted["account"]),
            unit_path=wanted["unit"].path if wanted["unit"] else "",
            contact_type=wanted["type"],
            source=wanted["source"],
            change_id=wanted["change"],
            change_set_id=wanted["change_set"],
            request_id=wanted["request"].strip(),
            since=_midnight(wanted["since"]),
            until=_midnight(wanted["until"], days=1),
        )


def events_of(request: HttpRequest, right: Right) -> AuditEventQuerySet:
    """The events that the list with this URL shows, where the person has this right.

    A filter that makes no sense is a bad request.
    """
    form = EventFilterForm(request.GET, user=request.user)
    if not form.is_valid():
        raise BadRequest(f"These filters make no sense: {', '.join(form.errors)}.")
    return events_visible_to(request.user, right).matching(form.filters())


def query_of_person(event: AuditEvent) -> str:
    """The query string for all that the person behind the event did; empty where there was nobody.

    Who has no account here any more is found by the name that was written down.
    """
    users = get_user_model().objects.filter(pk=event.actor_id or 0).values_list("username", flat=True)
    if username := users.first():
        return f"?{urlencode({'person': username})}"
    name = event.actor_label or event.os_user
    return f"?{urlencode({'by': name})}" if name else ""


def _actions(group: str, named: Iterable[str]) -> tuple[str, ...]:
    """The actions that meet both filters; a name that no event has where none does."""
    if not group:
        return tuple(named)
    actions = GROUPS[group][1]
    both = tuple(action for action in actions if action in named) if named else actions
    return both or ("",)


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """When the day begins for the reader, some days later."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min))
