"""What Celery runs for the product. Tasks take ids only, may run twice, and skip what is not due."""

import time
from collections.abc import Iterator

from celery import shared_task
from django.core.cache import cache
from django.db.models import QuerySet

from contacts import alerts, delivery, integrity, observation
from contacts.bulk import run
from contacts.mirror import ensure_contacts
from orgs.models import Account
from portal.quota import Lane

READ_STINT = 20.0  # seconds a reader works
MOST_A_STINT = 500


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
        observation.check_account(account)


@shared_task(name="contacts.read_stale_contacts")
def read_stale_contacts() -> None:
    """Start a reader for each organization and each standalone account that has something to read."""
    ensure_contacts(Account.objects.filter(contacts=None))
    due = observation.due_accounts().order_by()
    for organization_pk in due.exclude(organization=None).values_list("organization", flat=True).distinct():
        read_group.apply_async(args=[organization_pk, None], queue="reading")
    for account_pk in due.filter(organization=None).values_list("pk", flat=True):
        read_group.apply_async(args=[None, account_pk], queue="reading")


@shared_task(name="contacts.read_group")
def read_group(organization_pk: int | None, account_pk: int | None) -> None:
    """Read the stalest accounts of one organization, or one standalone account; never a second run on top."""
    mark = f"reading:{organization_pk}:{account_pk}"
    if not cache.add(mark, 1, timeout=20 * READ_STINT):
        return
    try:
        due = observation.due_accounts().filter(organization=organization_pk)
        if account_pk:
            due = due.filter(pk=account_pk)
        observation.read_accounts(_for_a_stint(due), lane=Lane.ROLLING)
    finally:
        cache.delete(mark)
    # What is left is found by the next beat, so that a run that fails does not start over at once.


def _for_a_stint(due: QuerySet[Account]) -> Iterator[Account]:
    """A bounded list first: an open cursor would hold SQLite's snapshot while the answers are written."""
    ends_at = time.monotonic() + READ_STINT
    for account in list(due[:MOST_A_STINT]):
        if time.monotonic() > ends_at:
            return
        yield account
