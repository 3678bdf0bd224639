"""Finding events: sets for pages and exports, newest first, in pages that cost the same however deep."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

TEXT_FIELDS = ("actor_label", "os_user", "account_id", "reason", "ticket", "request_id", "aws_request_id")
VALUE_FIELDS = ("name", "title", "email", "phone")


@dataclass(frozen=True, kw_only=True)
class EventFilters:
    """What a reader may ask for; an empty field asks for nothing."""

    actions: tuple[str, ...] = ()
    actor_id: int | None = None
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


@dataclass(frozen=True)
class EventPage:
    """One page of events, newest first, with the ids to ask for the pages beside it (None: no such page)."""

    events: list[Any]
    newer_than: int | None
    older_than: int | None


class AuditEventQuerySet(models.QuerySet):
    """The questions that pages, exports and the timeline ask."""

    def for_account(self, account_id: str) -> Self:
        """All that happened to one account and its contacts."""
        return self.filter(account_id=account_id)

    def for_contact(self, account_id: str, contact_type: str) -> Self:
        """The life of one contact."""
        return self.filter(account_id=account_id, contact_type=contact_type)

    def matching(self, filters: EventFilters) -> Self:
        """Events that meet every filter in force."""
        events = self.filter(**_exact(filters))
        if filters.actions:
            events = events.filter(action__in=filters.actions)
        if filters.unit_path:
            events = events.filter(unit_path__startswith=filters.unit_path)
        if filters.since:
            events = events.filter(at__gte=filters.since)
        if filters.until:
            events = events.filter(at__lt=filters.until)
        return events.containing(filters.text)

    def containing(self, text: str) -> Self:
        """Events that hold the text in a person, reason, ticket, id, or in a contact's old or new value."""
        text = text.strip()
        if not text:
            return self
        lookups = [f"{field}__icontains" for field in TEXT_FIELDS]
        lookups += [f"{side}__{field}__icontains" for side in ("before", "after") for field in VALUE_FIELDS]
        return self.filter(Q(*((lookup, text) for lookup in lookups), _connector=Q.OR))

    def page(
        self, *, newer_than: int | None = None, older_than: int | None = None, size: int = 50
    ) -> EventPage:
        """The newest events, or those next to an id: found by id, so that a deep page costs no more."""
        if newer_than is not None:
            rows = list(self.filter(pk__gt=newer_than).order_by("pk")[: size + 1])
            return _page(rows[:size][::-1], has_newer=len(rows) > size, has_older=True)
        events = self if older_than is None else self.filter(pk__lt=older_than)
        rows = list(events.order_by("-pk")[: size + 1])
        return _page(rows[:size], has_newer=older_than is not None, has_older=len(rows) > size)


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


def _page(events: list[Any], *, has_newer: bool, has_older: bool) -> EventPage:
    return EventPage(
        events,
        newer_than=events[0].pk if events and has_newer else None,
        older_than=events[-1].pk if events and has_older else None,
    )
