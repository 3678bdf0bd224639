"""Who acts, by which door, and why: the one object that every write takes."""

import getpass
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import models


class Source(models.TextChoices):
    """The door a change came through."""

    PAGE = "page", "Page"
    COMMAND = "command", "Command"
    WORKER = "worker", "Worker"


@dataclass(frozen=True, kw_only=True)
class Context:
    """Actor (None: the portal itself), door, reason and the id that ties all events of one click together."""

    actor: Any = None  # a portal User; audit knows no app, so it only reads pk and label
    source: Source
    reason: str = ""
    ticket: str = ""
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    ip: str | None = None
    os_user: str = ""

    def because(self, reason: str, ticket: str = "") -> "Context":
        """The same context with a reason and a ticket."""
        return replace(self, reason=reason, ticket=ticket)


def worker_context() -> Context:
    """The portal acting by itself."""
    return Context(source=Source.WORKER)


def command_context(actor: Any = None, *, reason: str = "", ticket: str = "") -> Context:
    """A person at a terminal; the operating-system user is kept beside the portal user."""
    try:
        os_user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a uid without a name
        os_user = ""
    return Context(actor=actor, source=Source.COMMAND, reason=reason, ticket=ticket, os_user=os_user)


def page_context(request: Any, *, reason: str = "", ticket: str = "") -> Context:
    """A person at a page; the address is the peer's as the trusted proxies report it."""
    actor = request.user if request.user.is_authenticated else None
    return Context(
        actor=actor,
        source=Source.PAGE,
        reason=reason,
        ticket=ticket,
        request_id=request.request_id,
        ip=getattr(request, "client_ip", None),
    )
