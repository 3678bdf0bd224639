"""Mail to people, through an outbox: written with what it tells of, sent by a worker afterwards."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from portal.models import OutgoingMail


def send_later(people: Iterable[Any], *, subject: str, body: str) -> None:
    """Write one mail for each of these users who has an address, in the caller's transaction.

    The text holds no contact's values: mail goes through many hands.
    """
    now = timezone.now()
    OutgoingMail.objects.bulk_create(
        OutgoingMail(to=person.email, subject=subject[:200], body=body, created_at=now)
        for person in people
        if person.email
    )
