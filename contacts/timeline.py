"""What happened to an account, a contact or a change, as pages tell it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from audit.former import conceal
from audit.models import Action, AuditEvent
from audit.words import Difference, differences, sentence, subject, who
from contacts.models import ContactChange, ContactType, Drift
from orgs.access import Right, scope_of, visible_to
from orgs.models import Account
from portal.causes import Cause

SHOWN = 15


@dataclass(frozen=True)
class Entry:
    """One event in words."""

    event: AuditEvent
    subject: str
    words: str
    url: str = ""
    account_name: str = ""

    def __post_init__(self) -> None:
        conceal(self.event)

    @property
    def action(self) -> str:
        return self.event.action

    @property
    def at(self) -> datetime:
        return self.event.at

    @property
    def label(self) -> str:
        return self.event.get_action_display()

    @property
    def who(self) -> str:
        return who(self.event)

    @property
    def rows(self) -> list[Difference]:
        """Old and new, where there was an old one."""
        return [] if self.event.before is None else differences(self.event.before, self.event.after)

    @property
    def facts(self) -> list[Difference]:
        """What a first event, which has no old values, found."""
        return differences(None, self.event.after) if self.event.before is None else []

    @property
    def listed(self) -> list[Difference]:
        """What a list shows of it: of an event that is about no account, also what it found or made."""
        return self.rows or ([] if self.event.account_id else self.facts)

    @property
    def text(self) -> str:
        return _cause_of(self.event)

    @property
    def reason(self) -> str:
        return self.event.reason

    @property
    def contact_label(self) -> str:
        return _contact_label(self.event)

    @property
    def about(self) -> str:
        """The contact and the account; else the person, the group or what else the event is about."""
        return " · ".join(filter(None, (self.contact_label, self.account_name))) or subject(self.event)


class Moment(Entry):
    """An event in an account's timeline: what an account is stands beside it already."""

    @property
    def facts(self) -> list[Difference]:
        return super().facts if self.action == Action.CONTACT_BASELINE else []


class Step(Entry):
    """A state of a change, on the change's own page: value and reason stand there already."""

    @property
    def rows(self) -> list[Difference]:
        return []

    @property
    def reason(self) -> str:
        return ""


def timeline_of(account: Account, user: Any) -> list[Entry]:
    """What happened to the account, and to those of its contacts that the user may see, newest first.

    Who does not see all three sees no baseline: it holds all three.
    """
    about_account, about_contact = Q(action__startswith="account."), Q(action__startswith="contact.")
    types = scope_of(user, Right.VIEW).types_in(account)
    if len(types) < len(ContactType):
        about_contact &= Q(contact_type__in=types)
    about_it = about_account | about_contact
    return _entries(AuditEvent.objects.for_account(account.aws_id).filter(about_it)[:SHOWN])


def story_of(change: ContactChange) -> list[Entry]:
    """The states of one change with their times, newest first."""
    events = AuditEvent.objects.filter(change_id=change.pk).order_by("-pk")
    return [Step(event, "", sentence(event)) for event in events]


def entries_of(events: Iterable[AuditEvent], user: Any) -> list[Entry]:
    """Events as the audit shows them: with the account's name, and a link to the event."""
    events = list(events)
    ids = {event.account_id for event in events if event.account_id}
    names = dict(visible_to(user).filter(aws_id__in=ids).values_list("aws_id", "name"))
    return [
        Entry(
            event,
            subject="",
            words=sentence(event),
            url=reverse("contacts:audit_detail", args=[event.pk]),
            account_name=names.get(event.account_id) or event.account_id,
        )
        for event in events
    ]


def _entries(events: QuerySet[AuditEvent]) -> list[Entry]:
    """Events of a place that shows no audit: a link leads to what it is about."""
    found = list(events)
    drifts = _drift_urls(found)
    return [
        Moment(event, _contact_label(event), _words(event), drifts.get(event.pk) or _change_url(event))
        for event in found
    ]


def _drift_urls(events: list[AuditEvent]) -> dict[int, str]:
    """The pages of the changes from outside among these events, where people decide on them."""
    pks = [event.pk for event in events if event.action == Action.CONTACT_DRIFT]
    drifts = Drift.objects.filter(event_id__in=pks).values_list("event_id", "pk")
    return {event_pk: reverse("contacts:drift_detail", args=[pk]) for event_pk, pk in drifts}


def _contact_label(event: AuditEvent) -> str:
    return ContactType(event.contact_type).label if event.contact_type in ContactType.values else ""


def _words(event: AuditEvent) -> str:
    """The sentence; after the contact's name it begins small, unless with a name such as AWS."""
    words = sentence(event)
    begins_small = _contact_label(event) and words[1:2].islower()
    return words[:1].lower() + words[1:] if begins_small else words


def _change_url(event: AuditEvent) -> str:
    return reverse("contacts:change_detail", args=[event.change_id]) if event.change_id else ""


def _cause_of(event: AuditEvent) -> str:
    cause = event.detail.get("cause", "")
    if cause in Cause.values:
        return Cause(cause).label
    return "It was already absent." if event.detail.get("was_absent") else ""
