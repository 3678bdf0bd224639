"""Reading AWS: set, not set and unknown are three things; what we did not write is drift."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from audit.context import Context, Source
from audit.models import AuditEvent
from contacts import tasks
from contacts.checking import is_being_checked, request_check
from contacts.models import AlternateContact, ContactStatus
from contacts.observation import read_account, read_accounts
from orgs.models import Account, Organization, Standing
from orgs.reading import due_accounts
from portal.aws import forget_clients
from portal.causes import Cause
from portal.quota import Lane
from sandbox.testing import EXTERNAL_ID, MANAGEMENT_ID, PORTAL_ROLE, STANDALONE_IDS
from tests.contacts.conftest import INACTIVE

pytestmark = pytest.mark.django_db

OUTSIDER = {"name": "Outsider", "title": "CTO", "email": "cto@northwind.example", "phone": "+1 206 555 0100"}
ROLE_ARN = "arn:aws:iam::{}:role/" + PORTAL_ROLE


def contact(account: Account, contact_type: str = "SECURITY") -> AlternateContact:
    return AlternateContact.objects.get(account=account, contact_type=contact_type)


def read(account: Account) -> list[str]:
    """Read it; the causes of what could not be read."""
    account = Account.objects.select_related("organization", "unit").get(pk=account.pk)
    return read_account(account, lane=Lane.CHECK).causes


def test_set_not_set_and_unknown_are_three_things(account, sandbox):
    sandbox.set_contact(account.aws_id, "BILLING", **OUTSIDER)
    sandbox.set_contact(account.aws_id, "OPERATIONS")
    sandbox.switch(deny=[{"account": account.aws_id, "type": "SECURITY", "kind": "scp"}])
    assert read(account) == [Cause.SCP_DENIES]
    found = {one.contact_type: (one.status, one.problem) for one in account.contacts.all()}
    assert found == {
        "BILLING": (ContactStatus.SET, ""),
        "OPERATIONS": (ContactStatus.ABSENT, ""),
        "SECURITY": (ContactStatus.UNKNOWN, Cause.SCP_DENIES),
    }


def test_values_are_kept_raw(account, sandbox):
    padded = {
        "name": "  Zoë Müller ",
        "title": " 部長 ",
        "email": "z@northwind.example",
        "phone": " +49 (0) 1 ",
    }
    sandbox.set_contact(account.aws_id, "SECURITY", **padded)
    read(account)
    assert contact(account).value == {"status": "set", **padded}


def test_an_unknown_contact_keeps_what_was_seen_last(account, sandbox):
    seen = contact(account, "BILLING").details
    sandbox.switch(deny=[{"account": account.aws_id}])
    read(account)
    assert contact(account, "BILLING").status == ContactStatus.UNKNOWN
    assert contact(account, "BILLING").details == seen


def test_first_sight_is_one_baseline_and_no_drift(organization, sandbox):
    account = organization.accounts.filter(state="ACTIVE").first()
    read(account)
    read(account)
    baseline = AuditEvent.objects.get(account_id=account.aws_id)
    assert baseline.action == "contact.baseline"
    assert baseline.after == {one.contact_type: one.value for one in account.contacts.all()}


def test_what_was_unknown_at_first_gets_its_own_baseline(organization, sandbox):
    account = organization.accounts.filter(state="ACTIVE").first()
    sandbox.switch(deny=[{"account": account.aws_id, "type": "SECURITY"}])
    read(account)
    sandbox.switch(deny=[])
    read(account)
    second = AuditEvent.objects.filter(account_id=account.aws_id).latest("pk")
    assert (second.action, second.contact_type) == ("contact.baseline", "SECURITY")


def test_a_change_outside_the_portal_is_drift_once(account, sandbox):
    before = contact(account).value
    sandbox.set_contact(account.aws_id, "SECURITY", **OUTSIDER)
    read(account)
    read(account)
    drift = AuditEvent.objects.get(action="contact.drift")
    assert (drift.before, drift.after) == (before, {"status": "set", **OUTSIDER})
    assert drift.actor_id is None and drift.account_id == account.aws_id


def test_a_read_that_was_asked_earlier_does_not_undo_a_later_one(account, sandbox):
    from contacts.mirror import lock_contact, note_reading

    old = contact(account).details
    asked_at = timezone.now()
    sandbox.set_contact(account.aws_id, "SECURITY", **OUTSIDER)
    read(account)
    note_reading(
        lock_contact(contact(account).pk), old, asked_at=asked_at, context=Context(source=Source.WORKER)
    )
    assert contact(account).name == "Outsider"
    assert AuditEvent.objects.filter(action="contact.drift").count() == 1


@pytest.mark.parametrize(
    ("switches", "cause"),
    [({"outage": "unavailable"}, Cause.UNAVAILABLE), ({"error_rate": 1.0}, Cause.UNAVAILABLE)],
)
def test_a_failure_that_passes_leaves_the_value_and_its_time(account, sandbox, switches, cause):
    known = contact(account)
    sandbox.switch(**switches)
    read(account)
    now = contact(account)
    assert (now.value, now.observed_at, now.problem) == (known.value, known.observed_at, cause)
    assert now.tried_at > known.tried_at


def test_rejected_credentials_say_nothing_about_the_contact(account, sandbox, monkeypatch):
    known = contact(account)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SANDBOX000000000009")
    forget_clients()
    assert set(read(account)) == {Cause.CREDENTIALS_REJECTED}
    assert contact(account).value == known.value


def test_the_management_account_is_read_in_its_own_context(organization, sandbox):
    account = organization.accounts.get(aws_id=MANAGEMENT_ID)
    assert read(account) == []
    assert {attempt["status"] for attempt in sandbox.log(operation="GetAlternateContact")} <= {200, 404}


@pytest.mark.parametrize("state", INACTIVE)
def test_accounts_that_are_not_active_are_read_where_aws_lets_us(organization, sandbox, state):
    account = organization.accounts.get(state=state)
    assert read(account) == []
    sandbox.switch(state_rules=sandbox.aws.switches.state_rules | {state: "none"})
    assert set(read(account)) == {Cause.NOT_ALLOWED}


def standing(organization: Organization, **fields) -> Organization:
    for name, value in fields.items():
        setattr(organization, name, value)
    organization.save(update_fields=list(fields))
    return organization


def test_consolidated_billing_is_said_plainly_and_costs_no_call(organization, sandbox):
    standing(organization, feature_set="CONSOLIDATED_BILLING")
    sandbox.switch(feature_set="CONSOLIDATED_BILLING")
    member = organization.accounts.exclude(aws_id=MANAGEMENT_ID).first()
    assert set(read(member)) == {Cause.CONSOLIDATED_BILLING}
    assert sandbox.log(operation="GetAlternateContact") == []
    assert read(organization.accounts.get(aws_id=MANAGEMENT_ID)) == []


def test_trusted_access_off(organization, sandbox):
    sandbox.switch(trusted_access=False)
    member = organization.accounts.exclude(aws_id=MANAGEMENT_ID).first()
    assert set(read(member)) == {Cause.TRUSTED_ACCESS_OFF}
    assert read(organization.accounts.get(aws_id=MANAGEMENT_ID)) == []


def test_a_delegated_administrator_needs_a_role_for_the_management_account(
    organization, sandbox, monkeypatch
):
    delegate = organization.accounts.filter(state="ACTIVE").exclude(aws_id=MANAGEMENT_ID)[0]
    sandbox.switch(delegated_admin=delegate.aws_id)
    for name, value in sandbox.env(delegate.aws_id).items():
        monkeypatch.setenv(name, value)
    forget_clients()
    standing(organization, standing=Standing.DELEGATED, caller_account_id=delegate.aws_id)
    management = organization.accounts.get(aws_id=MANAGEMENT_ID)
    other = organization.accounts.exclude(aws_id__in=[MANAGEMENT_ID, delegate.aws_id]).first()
    assert read(delegate) == read(other) == []
    assert set(read(management)) == {Cause.MANAGEMENT_ROLE_MISSING}
    standing(organization, management_role_arn=ROLE_ARN.format(MANAGEMENT_ID), external_id=EXTERNAL_ID)
    assert read(management) == []


def test_a_standalone_account_is_read_by_its_role(db, redis_url, sandbox):
    account = Account.objects.create(
        aws_id=STANDALONE_IDS[0],
        state="ACTIVE",
        role_arn=ROLE_ARN.format(STANDALONE_IDS[0]),
        external_id=EXTERNAL_ID,
    )
    sandbox.switch(quota_scale=0)
    assert read(account) == []
    Account.objects.update(external_id="wrong-id")
    assert set(read(account)) == {Cause.ROLE_REFUSED}


def test_an_account_that_left_is_not_asked_for(account, sandbox):
    Account.objects.filter(pk=account.pk).update(left_at=timezone.now())
    asked = len(sandbox.log())
    assert set(read(account)) == {Cause.LEFT}
    assert len(sandbox.log()) == asked


@pytest.mark.django_db(transaction=True)
def test_an_absent_aws_ends_the_run_and_nothing_counts_as_read(organization, sandbox):
    sandbox.switch(outage="unavailable")
    read_accounts(list(organization.accounts.all()), lane=Lane.ROLLING)
    assert not Account.objects.exclude(contacts_read_at=None).exists()
    assert len(sandbox.log(operation="GetAlternateContact")) < 3 * organization.accounts.count()


@pytest.mark.django_db(transaction=True)
def test_the_rolling_read_takes_the_stalest_first_and_does_not_repeat_itself(organization, sandbox, settings):
    """New accounts before stale ones; fresh ones not at all."""
    settings.CONTACT_FRESHNESS = 3600
    accounts = list(organization.accounts.filter(state="ACTIVE").order_by("pk")[:3])
    Account.objects.exclude(pk__in=[one.pk for one in accounts]).update(
        contacts_due_at=timezone.now() + timedelta(hours=1)
    )
    Account.objects.filter(pk=accounts[0].pk).update(contacts_read_at="2020-01-02T00:00Z")
    Account.objects.filter(pk=accounts[1].pk).update(contacts_read_at="2020-01-01T00:00Z")
    assert list(due_accounts()) == [accounts[2], accounts[1], accounts[0]]
    tasks.read_organization(organization.pk)
    assert not due_accounts().exists()
    asked = len(sandbox.log())
    tasks.read_organization(organization.pk)
    assert len(sandbox.log()) == asked


def test_every_account_has_its_three_rows(organization):
    AlternateContact.objects.filter(account__in=organization.accounts.all()[:2]).delete()
    tasks.read_stale_contacts()
    assert AlternateContact.objects.count() == 3 * Account.objects.count()


def test_check_now_asks_a_worker_once(account, alice, bob):
    with pytest.raises(PermissionDenied):
        request_check(account, context=Context(actor=bob, source=Source.PAGE))
    assert not is_being_checked(account)
    for _ in range(2):
        request_check(account, context=Context(actor=alice, source=Source.PAGE))
    assert is_being_checked(account)
    event = AuditEvent.objects.get(action="check.contacts_requested")
    assert (event.actor_id, event.account_id) == (alice.pk, account.aws_id)
    tasks.check_account(account.pk)
    assert not is_being_checked(account)
