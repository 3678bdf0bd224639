"""People who left and are shown under another name: events keep what was written down, pages say it anew."""

from contextvars import ContextVar
from typing import Any

from django.contrib.auth import get_user_model

from portal.logs import current_request_id

HIDDEN = "not shown"
NAMES = frozenset({"username", "first_name", "last_name", "email"})
_known: ContextVar[tuple[str, dict[int, str]] | None] = ContextVar("former_people", default=None)


def former_people() -> dict[int, str]:
    """The name of today of everybody who is shown under another one; asked once for each request."""
    request_id, known = current_request_id.get(), _known.get()
    if request_id and known and known[0] == request_id:
        return known[1]
    people = {person.pk: person.label for person in get_user_model().objects.filter(is_former=True)}
    _known.set((request_id, people))
    return people


def conceal(event: Any) -> None:
    """Let this event, which is about to be shown, name nobody who is shown under another name.

    Any: an AuditEvent, whose module is above this one. Only the object in memory changes; nobody saves it.
    """
    people = former_people()
    if event.actor_id in people:
        event.actor_label = people[event.actor_id]
        event.os_user = HIDDEN if event.os_user else ""
    person = event.detail.get("user_id")
    if person in people:
        event.detail = event.detail | {"user": people[person]}
        event.before, event.after = _without_names(event.before), _without_names(event.after)


def _without_names(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same fields, without what says who it is."""
    return values and {name: HIDDEN if name in NAMES else value for name, value in values.items()}
