"""Mail at once about a SECURITY contact that changed outside the portal; many at once are one mail."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from contacts.models import Drift
from orgs.access import Right, people_with
from orgs.models import Organization
from portal.mail import send_later

PAUSE = timedelta(minutes=10)
NAMED = 20
WHY = (
    "AWS writes to the SECURITY contact about abuse and vulnerabilities. "
    "Make sure that the change was meant. The page shows both values; "
    "whoever may change contacts adopts, reverts or ignores it there."
)


def tell_of_drifts() -> None:
    """Tell reviewers of what they were not told yet: one mail for an organization in ten minutes.

    Called when a drift was found, and by beat, which finds what came within the ten minutes.
    """
    untold = Drift.objects.filter(is_alarming=True, told_at=None).order_by()
    for organization_pk in untold.values_list("contact__account__organization", flat=True).distinct():
        _tell(organization_pk)


def _tell(organization_pk: int | None) -> None:
    """One mail for this organization, or for the standalone accounts, unless the last is too young."""
    with transaction.atomic():
        if organization_pk is not None:
            # Two readers that find something at the same moment would each write a mail.
            Organization.objects.select_for_update(no_key=True).get(pk=organization_pk)
        drifts = Drift.objects.filter(is_alarming=True, contact__account__organization=organization_pk)
        now = timezone.now()
        if drifts.filter(told_at__gt=now - PAUSE).exists():
            return
        untold = drifts.filter(told_at=None).select_related("contact__account").order_by("pk")
        found = list(untold[:NAMED])
        number = untold.update(told_at=now)
        if number:
            subject, body = _words(found, number)
            send_later(people_with(Right.REVIEW), subject=subject, body=body)


def _words(found: Sequence[Drift], number: int) -> tuple[str, str]:
    """Subject and text: which accounts and when; never a value."""
    if number == 1:
        account = found[0].contact.account
        subject = f"SECURITY contact changed outside the portal: {account}"
        address = reverse("contacts:drift_detail", args=[found[0].pk])
    else:
        subject = f"{number:,} SECURITY contacts changed outside the portal"
        address = reverse("contacts:drift_list") + "?type=SECURITY"
    lines = [f"{drift.contact.account}, {drift.contact.account.aws_id}: {_span(drift)}" for drift in found]
    if number > len(found):
        lines.append(f"and {number - len(found):,} more")
    more = "What follows within ten minutes comes in one mail."
    return subject, "\n".join([WHY, "", *lines, "", settings.PORTAL_URL + address, "", more, ""])


def _span(drift: Drift) -> str:
    """“changed between the reads of … and …”"""
    if drift.last_read_at is None:
        return f"seen {_time(drift.found_at)}"
    return f"changed between the reads of {_time(drift.last_read_at)} and {_time(drift.found_at)}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %B %Y, %H:%M} UTC"
