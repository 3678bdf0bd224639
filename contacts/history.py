"""The life of one contact, from sealed events alone: all that happened, and what it said on a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q, QuerySet
from django.urls import reverse

from audit.models import Action, AuditEvent
from audit.queries import AuditEventQuerySet, EventFilters
from audit.words import Difference, differences, sentence
from contacts.details import details_in, value_of
from contacts.models import AlternateContact, ContactStatus, Drift
from contacts.timeline import Entry
from orgs.scope import Scope
from portal.aws import as_aws_keeps, same_contact

# When AWS was read before the read that found a change from outside, by the id of the event that says so.
Reads = Mapping[int, datetime | None]

_SEEN = (Action.CONTACT_BASELINE, Action.CONTACT_DRIFT, Action.CHANGE_READ_BACK)
_WRITTEN = (Action.CHANGE_APPLIED, Action.CHANGE_UNCHANGED, Action.CHANGE_UNCONFIRMED)
_ENDED = (Action.CHANGE_FAILED, Action.CHANGE_CONFLICT)
_OF_ACCOUNT = (Action.ACCOUNT_JOINED, Action.ACCOUNT_LEFT)


@dataclass(frozen=True)
class Stretch:
    """A time in which the contact said one thing: that is known, or lies between two values."""

    since: datetime | None  # None: from the beginning of time
    until: datetime | None  # None: to this day
    values: tuple[dict, ...] = ()  # none: nothing is known; two: the first at first, the second at last
    event: AuditEvent | None = None  # that says so

    @property
    def value(self) -> dict | None:
        """What it said, where that is sure."""
        return self.values[0] if len(self.values) == 1 else None

    @property
    def facts(self) -> list[Difference]:
        """The value field by field."""
        return differences(None, self.value)

    @property
    def rows(self) -> list[Difference]:
        """What it said at first and at last, where it changed at a moment that nobody knows."""
        return differences(*self.values) if len(self.values) == 2 else []

    @property
    def is_lost_answer(self) -> bool:
        """Whether the doubt is about a write of ours."""
        return self.event is not None and self.event.action == Action.CHANGE_UNCONFIRMED

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether some of it lies between these moments."""
        return (self.since is None or self.since < end) and (self.until is None or self.until > start)


@dataclass(frozen=True)
class Chapter(Entry):
    """An event of the contact's life: a baseline speaks of three, and only this one matters here."""

    contact_type: str = ""

    @property
    def facts(self) -> list[Difference]:
        if self.event.action != Action.CONTACT_BASELINE:
            return super().facts
        return differences(None, (self.event.after or {}).get(self.contact_type))


def life_of(contact: AlternateContact) -> AuditEventQuerySet:
    """Every event about the contact; its account's coming and going as well."""
    of_it = Q(contact_type=contact.contact_type) & ~Q(action=Action.CONTACTS_EXPORTED)
    of_account = Q(contact_type="", action__in=[Action.CONTACT_BASELINE, *_OF_ACCOUNT])
    asked = EventFilters(account_id=contact.account.aws_id)
    return AuditEvent.objects.matching(asked).filter(of_it | of_account)


def chapters_of(events: Iterable[AuditEvent], contact: AlternateContact, audit: Scope) -> list[Chapter]:
    """The events in words, each with the way to its page, where the reader's audit has it, or its change."""
    account = contact.account
    return [
        Chapter(
            event,
            "",
            sentence(event),
            _url_of(event, audit.covers_event(account, event.contact_type)),
            contact_type=contact.contact_type,
        )
        for event in events
    ]


def said_between(contact: AlternateContact, start: datetime, end: datetime) -> list[Stretch]:
    """What the contact said from one moment to another, in the order of time."""
    events = life_of(contact).filter(action__in=[*_SEEN, *_WRITTEN, *_ENDED]).order_by("at", "pk")
    reads = dict(Drift.objects.filter(contact=contact).values_list("event_id", "last_read_at"))
    stretches = stretches_of(events, contact.contact_type, reads, read_at=contact.observed_at)
    return [stretch for stretch in stretches if stretch.touches(start, end)]


def left_before(contact: AlternateContact, end: datetime) -> datetime | None:
    """When the account had left the organization, if it had and was not back."""
    events: QuerySet[AuditEvent] = life_of(contact).filter(action__in=_OF_ACCOUNT, at__lt=end)
    last = events.order_by("-pk").first()
    return last.at if last and last.action == Action.ACCOUNT_LEFT else None


def stretches_of(
    events: Iterable[AuditEvent], contact_type: str, reads: Reads, *, read_at: datetime | None = None
) -> list[Stretch]:
    """The whole time in stretches; events come in their order. read_at: when AWS last told the value."""
    tale = _Tale()
    for event in events:
        tale.tell(event, contact_type, reads)
    tale.settle(read_at)
    return tale.stretches


class _Tale:
    """The stretches so far; the last one is open."""

    def __init__(self) -> None:
        self.stretches = [Stretch(None, None)]
        self.sure = self.stretches[0]  # the last one that is no doubt
        self.doubt: AuditEvent | None = None  # the write whose answer was lost, or how it ended

    def tell(self, event: AuditEvent, contact_type: str, reads: Reads) -> None:
        """Go on with what this event says."""
        after = event.after or {}
        if event.action == Action.CONTACT_BASELINE:
            after = after.get(contact_type, {})
        if event.action in _ENDED:
            self._end_doubt(event)
        elif not _is_known(after):
            return
        elif event.action == Action.CONTACT_DRIFT:
            self._drift(event, reads.get(event.pk))
        elif event.action == Action.CHANGE_UNCONFIRMED:
            self._doubt(event)
        else:
            self._know(event, after if event.action in _SEEN else _as_kept(after))

    def settle(self, read_at: datetime | None) -> None:
        """AWS was read then, and no event says that it had another value: it is the one before the doubt."""
        if self.doubt and read_at and self.doubt.at < read_at:
            self._as_before(read_at)

    def _as_before(self, at: datetime) -> None:
        self._begin(Stretch(at, None, self.sure.values, self.sure.event))

    def _know(self, event: AuditEvent, value: dict) -> None:
        stands = self.stretches[-1].value
        if event.action != Action.CHANGE_UNCHANGED or stands is None or not _is_same(stands, value):
            self._begin(Stretch(event.at, None, (value,), event))

    def _drift(self, event: AuditEvent, read_at: datetime | None) -> None:
        self.settle(read_at)
        last = self.stretches[-1]
        sides = (event.before or {}, event.after or {})
        if read_at and (last.since is None or last.since < read_at):
            self._begin(Stretch(read_at, None, sides, event))
        elif last.since:  # at any moment since it was last sure
            self._begin(Stretch(last.since, None, sides, event))
        self._begin(Stretch(event.at, None, sides[1:], event))

    def _doubt(self, event: AuditEvent) -> None:
        """A write is sent only where a read has just shown the value that it replaces."""
        stood, sent = event.before or {}, _as_kept(event.after or {})
        if self.sure.value is not None and _is_known(stood) and not _is_same(stood, sent):
            self.sure = replace(self.sure, values=(stood,))
            self._begin(Stretch(event.at, None, (stood, sent), event))
            self.doubt = event

    def _end_doubt(self, event: AuditEvent) -> None:
        """The write was given up. If AWS was read for that without finding drift, nothing had changed."""
        if self.doubt is None or self.doubt.change_id != event.change_id:
            return
        self.doubt = event
        if event.action == Action.CHANGE_CONFLICT or event.detail.get("read_back"):
            self._as_before(event.at)

    def _begin(self, stretch: Stretch) -> None:
        last = self.stretches.pop()
        if last.since is None or stretch.since is None or last.since < stretch.since:
            self.stretches.append(replace(last, until=stretch.since))
        self.stretches.append(stretch)
        if len(stretch.values) < 2:
            self.sure, self.doubt = stretch, None


def _is_known(value: dict) -> bool:
    return value.get("status") in (ContactStatus.SET, ContactStatus.ABSENT)


def _as_kept(value: dict) -> dict:
    """What AWS has when it takes this value."""
    details = details_in(value)
    return value_of(details and as_aws_keeps(details))


def _is_same(one: dict, other: dict) -> bool:
    return same_contact(details_in(one), details_in(other))


def _url_of(event: AuditEvent, to_audit: bool) -> str:
    if to_audit:
        return reverse("contacts:audit_detail", args=[event.pk])
    return reverse("contacts:change_detail", args=[event.change_id]) if event.change_id else ""
