"""Django's own commands about people, typed by the portal's operator: they leave their events as pages do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models.signals import post_save

from audit.context import command_context
from audit.log import record
from audit.models import Action
from portal.models import User


@contextmanager
def recording() -> Iterator[None]:
    """Record every person who is saved meanwhile: made, or given another password.

    By a signal: these commands prompt, and a transaction around them would lock SQLite while somebody types.
    """
    context = command_context()

    def note(instance: User, created: bool, **_: Any) -> None:  # Any: what else the signal carries
        detail = {"user_id": instance.pk, "user": instance.username}
        if created:
            after = {name: getattr(instance, name) for name in ("username", "email", "is_superuser")}
            record(Action.USER_CREATED, context, detail=detail, after=after)
        else:
            record(Action.PASSWORD_CHANGED, context, detail=detail)

    post_save.connect(note, sender=User, weak=False)
    try:
        yield
    finally:
        post_save.disconnect(note, sender=User)
