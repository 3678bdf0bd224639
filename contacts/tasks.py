"""What Celery runs for the product. Tasks take ids only, may run twice, and skip what is not due."""

import logging

from celery import shared_task
from django.core.cache import cache
from django.db.models import QuerySet

from contacts import alerts, checking, delivery, integrity, observation
from contacts.bulk import run
from contacts.mirror import ensure_contacts
from orgs.models import Account, Organization
from orgs.reading import due_accounts, silent_organizations
from orgs.waking import READING, has_ended

logger = logging.getLogger(__name__)

READ_STINT = 20.0  # seconds a reader works
READERS = 2  # at once for one organization: the next takes over before the first ends
PLACE_SECONDS = 20  # a reader's place is its own for so long; it says every few seconds that it still lives


@shared_task(name="contacts.deliver")
def deliver(caller_key: str, queue: str) -> None:
    """Send what is due for this caller."""
    delivery.run_deliverer(caller_key, queue)


@shared_task(name="contacts.sweep_changes")
def sweep_changes() -> None:
    """Free the claims of dead workers and wake deliverers."""
    delivery.sweep()


@shared_task(name="contacts.advance_change_set")
def advance_change_set(change_set_pk: int) -> None:
    """Start a change set, or cancel its rest."""
    run.advance(change_set_pk)


@shared_task(name="contacts.watch_change_sets")
def watch_change_sets() -> None:
    """Notice what ended, lapsed or got lost."""
    run.watch()


@shared_task(name="contacts.tell_of_drifts")
def tell_of_drifts() -> None:
    """Tell of SECURITY contacts that changed while the last mail was too young for another."""
    alerts.tell_of_drifts()


@shared_task(name="contacts.verify_audit")
def verify_audit() -> None:
    """Prove that the audit is what was written."""
    integrity.verify_nightly()


@shared_task(name="contacts.check_account")
def check_account(account_pk: int) -> None:
    """Read one account because a person asked."""
    account = Account.objects.select_related("organization", "unit").filter(pk=account_pk).first()
    if account:
        checking.check_account(account)


@shared_task(name="contacts.read_stale_contacts")
def read_stale_contacts() -> None:
    """Start a reader for each organization and each standalone account that has something to read."""
    due = due_accounts().order_by()
    ensure_contacts(due.filter(contacts=None))
    for organization_pk in due.exclude(organization=None).values_list("organization", flat=True).distinct():
        read_organization.apply_async(args=[organization_pk], queue="reading", expires=READ_STINT)
    for account_pk in due.filter(organization=None).values_list("pk", flat=True):
        read_standalone_account.apply_async(args=[account_pk], queue="reading", expires=READ_STINT)


@shared_task(name=READING)
def read_organization(organization_pk: int) -> None:
    """Read accounts of one organization whose turn has come."""
    try:
        is_more = _read(
            f"organization:{organization_pk}", due_accounts().filter(organization=organization_pk)
        )
    finally:
        has_ended(READING, organization_pk)
    if is_more:
        read_organization.apply_async(args=[organization_pk], queue="reading", expires=READ_STINT)


@shared_task(name="contacts.read_standalone_account")
def read_standalone_account(account_pk: int) -> None:
    """Read an account that is in no organization, if its turn has come."""
    _read(f"account:{account_pk}", due_accounts().filter(organization=None, pk=account_pk))


@shared_task(name="contacts.watch_reading")
def watch_reading() -> None:
    """Raise the alarm in the log when nothing was read for longer than the target."""
    for organization in silent_organizations(Organization.objects.all()):
        logger.error("nothing of %s was read for longer than the target", organization.aws_id)


def _read(what: str, due: QuerySet[Account]) -> bool:
    """Read for a stint, if a reader's place is free; True when the stint ended before the work did.

    A place falls free soon after its reader was killed. Where AWS is away, the next beat tries again.
    """
    places = (f"reading:{what}:{number}" for number in range(READERS))
    place = next((one for one in places if cache.add(one, 1, timeout=PLACE_SECONDS)), None)
    if place is None:
        return False
    try:
        is_answered = observation.read_due(
            due, seconds=READ_STINT, on_wait=lambda: cache.touch(place, timeout=PLACE_SECONDS)
        )
        return is_answered and due.exists()
    finally:
        cache.delete(place)
