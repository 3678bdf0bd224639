"""Finding events: sets for pages and exports, newest first, in pages that cost the same however deep."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat

from audit.paging import EventPage, Walk
from audit.searching import EventText, is_searchable, may_begin_id, rare_part
from portal.inserting import InsertQuerySet

COUNTED = 10_000
# The same text in a form that no index has.
_UNINDEXED = Concat(EventText(), Value(""), output_field=TextField())


@dataclass(frozen=True, kw_only=True)
class EventFilters:
    """What a reader may ask for; an empty field asks for nothing."""

    actions: tuple[str, ...] = ()
    actor_id: int | None = None
    actor_label: str = ""  # the name as it was written down: of a person, or of a user of a machine
    source: str = ""
    organization_id: str = ""
    unit_path: str = ""  # a unit with all below it
    account_id: str = ""
    contact_type: str = ""
    change_id: int | None = None
    change_set_id: int | None = None
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None  # this moment is no longer part
    text: str = ""
    unnamed: tuple[int, ...] = ()  # people who are not to be found by the names they had
    is_limited: bool = False  # to what somebody may see

    @property
    def is_whole(self) -> bool:
        """Whether nothing is asked for but dates."""
        return self == EventFilters(since=self.since, until=self.until)

    @property
    def is_narrow(self) -> bool:
        """Whether this leaves the events of an account, a change or a click at most."""
        return bool(self.account_id or self.change_id or self.request_id)


class AuditEventQuerySet(InsertQuerySet):
    """The questions that pages, exports and the timeline ask."""

    asked = EventFilters()

    def _clone(self) -> Self:
        clone = super()._clone()  # type: ignore[misc]  # Django has it, its stubs do not
        clone.asked = self.asked
        return clone

    def for_account(self, account_id: str) -> Self:
        """All that happened to one account and its contacts."""
        return self.filter(account_id=account_id)

    def for_contact(self, account_id: str, contact_type: str) -> Self:
        """The life of one contact."""
        return self.filter(account_id=account_id, contact_type=contact_type)

    def matching(self, filters: EventFilters) -> Self:
        """Events that meet every filter in force."""
        events = self.between(filters.since, filters.until).filter(**_exact(filters))
        if filters.actions:
            events = events.filter(action__in=filters.actions)
        if filters.unit_path:
            events = events.filter(unit_path__startswith=filters.unit_path)
        events = events.of_name(filters.actor_label).containing(filters.text)
        if filters.unnamed:
            events = events.not_by_name(filters.text or filters.actor_label, filters.unnamed)
        events.asked = replace(filters, is_limited=self.asked.is_limited)
        return events

    def limited_to(self, condition: Q) -> Self:
        """Those that somebody may see; an empty condition is no limit."""
        if condition == Q():
            return self
        events = self.filter(condition)
        events.asked = replace(self.asked, is_limited=True)
        return events

    def between(self, since: datetime | None, until: datetime | None) -> Self:
        """Events from a moment on, and before another."""
        limits = {"at__gte": since, "at__lt": until}
        return self.filter(**{name: limit for name, limit in limits.items() if limit})

    def of_name(self, name: str) -> Self:
        """Events of a person, or of a machine's user, of this very name, who may be long gone."""
        name = name.strip()
        if not name:
            return self
        events = self.containing(name) if is_searchable(name) else self  # which has an index
        return events.filter(Q(actor_label=name) | Q(os_user=name))

    def not_by_name(self, text: str, people: tuple[int, ...]) -> Self:
        """Without events that the text finds by the name that one of these people had."""
        by_them = Q(actor_id__in=people) & (Q(actor_label__icontains=text) | Q(os_user__icontains=text))
        # An event without the key is about nobody; NOT alone would drop it.
        of_others = Q(detail__user_id__isnull=True) | ~Q(detail__user_id__in=people)
        return self.exclude(by_them).filter(of_others | ~Q(action__startswith="user."))

    def containing(self, text: str) -> Self:
        """Events with the text in a person, account id, reason, ticket or a contact's old or new value.

        The random ids of requests count by their beginning: any three letters stand somewhere in them.
        """
        text = text.strip()
        if not text:
            return self
        wanted = Q(text__icontains=text)
        if part := rare_part(text):
            wanted = Q(text__icontains=part) & Q(unindexed__icontains=text)
        if may_begin_id(text):
            wanted |= Q(request_id__startswith=text.lower()) | Q(aws_request_id__startswith=text.lower())
        return self.alias(text=EventText(), unindexed=_UNINDEXED).filter(wanted)

    def page(
        self, *, newer_than: int | None = None, older_than: int | None = None, size: int = 50
    ) -> EventPage:
        """The newest events, or those next to an id, so that a deep page costs no more than the first."""
        return self._walk().page(newer_than=newer_than, older_than=older_than, size=size)

    def count_up_to(self, limit: int = COUNTED) -> int:
        """How many there are, and limit + 1 for all that are more: a long history is not counted through."""
        if self.asked.text and self._walk().holds_more_than(limit):
            return limit + 1
        return self.order_by()[: limit + 1].count()

    def _walk(self) -> Walk:
        since, until = self.asked.since, self.asked.until
        return Walk(
            events=self,
            span=type(self)(self.model, using=self.db).between(since, until),
            by_time=bool(since or until),
            is_whole=self.asked.is_whole,
            is_narrow=self.asked.is_narrow,
        )


def count_words(count: int, noun: str = "event") -> str:
    """“412 events”; what count_up_to() did not count through is “10,000+ events”."""
    if count > COUNTED:
        return f"{COUNTED:,}+ {noun}s"
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _exact(filters: EventFilters) -> dict[str, Any]:
    names = (
        "actor_id",
        "source",
        "organization_id",
        "account_id",
        "contact_type",
        "change_id",
        "change_set_id",
        "request_id",
    )
    return {name: value for name in names if (value := getattr(filters, name)) not in ("", None)}
