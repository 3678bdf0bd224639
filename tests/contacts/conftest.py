"""An organization as the sandbox has it, put into the database without reading it first."""

import time

import pytest

from contacts.delivery import deliver_one, due_changes, sweep
from contacts.mirror import ensure_contacts
from contacts.models import ContactChange
from contacts.observation import read_account
from orgs.models import Account, Organization, Standing
from portal.quota import Lane
from sandbox.testing import MANAGEMENT_ID, Sandbox

INACTIVE = ["SUSPENDED", "CLOSED", "PENDING_CLOSURE", "PENDING_ACTIVATION"]


@pytest.fixture
def organization(db, redis_url: str, sandbox: Sandbox) -> Organization:
    """The sandbox's organization, reached by its management account."""
    sandbox.switch(quota_scale=0)
    world = sandbox.world
    members = sorted(account.account_id for account in world.members() if account.account_id != MANAGEMENT_ID)
    for account_id, state in zip(members[-len(INACTIVE) :], INACTIVE, strict=True):
        sandbox.set_account(account_id, state=state)
    organization = Organization.objects.create(
        aws_id=world.organization_id,
        management_account_id=MANAGEMENT_ID,
        caller_account_id=MANAGEMENT_ID,
        standing=Standing.MANAGEMENT,
        feature_set="ALL",
        trusted_access=True,
    )
    Account.objects.bulk_create(
        Account(aws_id=account.account_id, name=account.name, state=account.state, organization=organization)
        for account in world.members()
    )
    ensure_contacts(organization.accounts.all())
    return organization


@pytest.fixture
def account(organization: Organization) -> Account:
    """An active member whose three contacts have been read."""
    account = organization.accounts.filter(state="ACTIVE").exclude(aws_id=MANAGEMENT_ID).order_by("aws_id")[0]
    read_account(account, lane=Lane.PERSON)
    return account


def deliver_due() -> None:
    """Deliver everything that is due now, once, as a worker does."""
    for change in list(due_changes().order_by("lane", "pk")):
        deliver_one(change)


def deliver_until_ended(change: ContactChange, seconds: float = 20) -> ContactChange:
    """Deliver and sweep as workers and beat do, until this change has ended."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        sweep()
        deliver_due()
        change.refresh_from_db()
        if not change.is_open:
            return change
        time.sleep(0.05)
    raise AssertionError(f"{change} did not end within {seconds} s")
