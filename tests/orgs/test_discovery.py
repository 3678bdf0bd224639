"""Discovery: our accounts and units follow AWS, and the audit says what changed."""

import pytest
from django.core.exceptions import PermissionDenied

from audit.context import Context, Source, command_context, worker_context
from audit.models import Action
from orgs.discovery import AlreadyRunning, discover
from orgs.models import Account, AccountState, Organization, OrganizationalUnit
from orgs.tasks import discover_organization, discover_organizations
from portal.aws import AwsError
from portal.causes import Cause
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, Sandbox
from tests.orgs.conftest import events_of

NEW_ID = "555555555555"


def again(organization: Organization):
    """One more discovery by the portal itself."""
    return discover(organization, context=worker_context())


def account(aws_id: str) -> Account:
    return Account.objects.select_related("unit", "organization").get(aws_id=aws_id)


def test_first_discovery_takes_over_all_accounts_and_units(organization, sandbox: Sandbox):
    findings = again(organization)

    members = sandbox.world.members()
    assert findings.accounts == findings.joined == len(members) == Account.objects.count()
    for member in members:
        row = account(member.account_id)
        assert (row.name, row.email, row.state) == (member.name, member.email, member.state)
        assert f"{organization.aws_id}/{row.unit.path}" == sandbox.world.path(member.parent_id)
        assert row.unit.name == sandbox.world.units[member.parent_id].name
    assert len(events_of(Action.ACCOUNT_JOINED)) == len(members)
    assert organization.observed_at
    assert organization.problem == ""


def test_joined_event_says_where_the_account_is(discovered):
    event = next(e for e in events_of(Action.ACCOUNT_JOINED) if e.account_id == PAGE_ACCOUNT_ID)

    assert event.organization_id == discovered.aws_id
    assert event.unit_path == account(PAGE_ACCOUNT_ID).unit.path
    assert event.after["unit"] == "Root / Workloads / Prod"
    assert event.after["state"] == "ACTIVE"


def test_no_call_is_made_per_account(discovered, sandbox: Sandbox):
    log = sandbox.log()
    operations = {attempt["operation"] for attempt in log}

    assert operations <= {
        "GetCallerIdentity",
        "DescribeOrganization",
        "ListAWSServiceAccessForOrganization",
        "ListDelegatedAdministrators",
        "ListAccounts",
        "ListRoots",
        "ListOrganizationalUnitsForParent",
    }
    parents = {unit.parent_id for unit in sandbox.world.units.values() if unit.parent_id}
    listed = [a for a in log if a["operation"] == "ListOrganizationalUnitsForParent"]
    assert len(listed) <= 2 * len(parents)  # a page may be empty and have a next one


def test_nothing_changed_writes_no_event(discovered):
    before = len(events_of(*Action.values))

    findings = again(discovered)

    assert (findings.joined, findings.moved, findings.left, findings.changed) == (0, 0, 0, 0)
    assert len(events_of(*Action.values)) == before


def test_tree_is_walked_where_paths_are_missing(organization, sandbox: Sandbox):
    sandbox.switch(omit_paths=True)

    again(organization)

    assert account(PAGE_ACCOUNT_ID).unit.name == "Prod"
    assert Account.objects.filter(unit=None).count() == 0
    assert OrganizationalUnit.objects.count() == len(sandbox.world.units)


def test_walk_and_paths_agree(discovered, sandbox: Sandbox):
    sandbox.switch(omit_paths=True)

    findings = again(discovered)

    assert (findings.joined, findings.moved, findings.left) == (0, 0, 0)


@pytest.mark.parametrize("switches", [{"omit_status": False}, {"omit_status": False, "omit_state": True}])
def test_state_or_else_status(organization, sandbox: Sandbox, switches: dict):
    sandbox.switch(**switches)
    sandbox.set_account(PAGE_ACCOUNT_ID, state="SUSPENDED")

    again(organization)

    assert account(PAGE_ACCOUNT_ID).state == AccountState.SUSPENDED


def test_moved_account_is_an_event_with_both_places(discovered, sandbox: Sandbox):
    sandbox.set_account(PAGE_ACCOUNT_ID, unit="Payments/Cards")

    findings = again(discovered)

    assert findings.moved == 1
    assert account(PAGE_ACCOUNT_ID).unit.name == "Cards"
    [event] = events_of(Action.ACCOUNT_MOVED)
    assert event.account_id == PAGE_ACCOUNT_ID
    assert event.before["unit"] == "Root / Workloads / Prod"
    assert event.after["unit"] == "Root / Payments / Cards"
    assert event.after["unit_path"] == account(PAGE_ACCOUNT_ID).unit.path


def test_state_and_name_changes_are_events(discovered, sandbox: Sandbox):
    sandbox.set_account(PAGE_ACCOUNT_ID, state="SUSPENDED", name="renamed-prod")

    assert again(discovered).changed == 2

    [state] = events_of(Action.ACCOUNT_STATE_CHANGED)
    assert (state.before, state.after) == ({"state": "ACTIVE"}, {"state": "SUSPENDED"})
    [name] = events_of(Action.ACCOUNT_RENAMED)
    assert name.after["name"] == "renamed-prod"


def test_account_left_only_after_two_scans_and_comes_back(discovered, sandbox: Sandbox):
    sandbox.set_account(PAGE_ACCOUNT_ID, unit=None)

    assert again(discovered).left == 0
    assert account(PAGE_ACCOUNT_ID).left_at is None
    assert again(discovered).left == 1
    assert account(PAGE_ACCOUNT_ID).left_at
    assert again(discovered).left == 0
    [event] = events_of(Action.ACCOUNT_LEFT)
    assert event.account_id == PAGE_ACCOUNT_ID

    sandbox.set_account(PAGE_ACCOUNT_ID, unit="Sandbox")
    assert again(discovered).joined == 1
    assert account(PAGE_ACCOUNT_ID).left_at is None
    assert events_of(Action.ACCOUNT_JOINED)[-1].account_id == PAGE_ACCOUNT_ID


def test_one_scan_without_an_account_is_forgotten_when_it_shows_again(discovered, sandbox: Sandbox):
    sandbox.set_account(PAGE_ACCOUNT_ID, unit=None)
    again(discovered)
    sandbox.set_account(PAGE_ACCOUNT_ID, unit="Workloads/Prod")
    again(discovered)
    sandbox.set_account(PAGE_ACCOUNT_ID, unit=None)

    assert again(discovered).left == 0


def test_new_account_joins(discovered, sandbox: Sandbox):
    sandbox.set_account(NEW_ID, name="new-prod", email="new@northwind.example", unit="Payments")

    assert again(discovered).joined == 1
    assert account(NEW_ID).unit.name == "Payments"


def test_failed_scan_changes_nothing_but_the_problem(discovered, sandbox: Sandbox):
    observed_at = discovered.observed_at
    sandbox.set_account(PAGE_ACCOUNT_ID, unit=None)
    sandbox.switch(outage="unavailable")

    for _ in range(2):
        with pytest.raises(AwsError):
            again(discovered)

    discovered.refresh_from_db()
    assert discovered.problem == Cause.UNAVAILABLE
    assert discovered.observed_at == observed_at
    sandbox.switch(outage=None)
    assert again(discovered).left == 0
    discovered.refresh_from_db()
    assert discovered.problem == ""


def test_half_a_scan_counts_nobody_as_missing(discovered, sandbox: Sandbox):
    sandbox.switch(error_rate=1.0, fault_operations=["ListOrganizationalUnitsForParent"])
    sandbox.set_account(PAGE_ACCOUNT_ID, unit=None)

    with pytest.raises(AwsError):
        again(discovered)

    assert account(PAGE_ACCOUNT_ID).missed_scans == 0


def test_other_credentials_than_connected_change_nothing(discovered, sandbox: Sandbox, monkeypatch):
    from portal import aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"SANDBOX{PAGE_ACCOUNT_ID}")
    aws.forget_clients()

    with pytest.raises(AwsError) as caught:
        again(discovered)

    assert caught.value.cause == Cause.WRONG_ACCOUNT
    assert Account.objects.filter(missed_scans__gt=0).count() == 0


def test_renamed_unit_takes_its_new_name(discovered, sandbox: Sandbox):
    unit = next(unit for unit in sandbox.world.units.values() if unit.name == "Payments")
    sandbox.world.set_unit(type(unit)(unit.unit_id, "Money", unit.parent_id))

    again(discovered)

    assert OrganizationalUnit.objects.get(aws_id=unit.unit_id).name == "Money"


def test_empty_unit_is_dropped_after_two_scans(discovered, sandbox: Sandbox):
    sandbox.set_account(PAGE_ACCOUNT_ID, unit="Payments/Cards")
    again(discovered)
    unit = OrganizationalUnit.objects.get(name="Cards")
    sandbox.set_account(PAGE_ACCOUNT_ID, unit="Payments")
    del sandbox.world.units[unit.aws_id]

    again(discovered)
    assert OrganizationalUnit.objects.filter(name="Cards").exists()
    again(discovered)
    assert not OrganizationalUnit.objects.filter(name="Cards").exists()


def test_trusted_access_switched_off_is_an_event(discovered, sandbox: Sandbox):
    sandbox.world.set_trusted("account.amazonaws.com", False)

    again(discovered)

    discovered.refresh_from_db()
    assert discovered.obstacle == Cause.TRUSTED_ACCESS_OFF
    [event] = events_of(Action.ORGANIZATION_CHANGED)
    assert (event.before, event.after) == ({"trusted_access": True}, {"trusted_access": False})


def test_only_administrators_may_start_it(organization, alice, sandbox: Sandbox):
    calls = len(sandbox.log())

    with pytest.raises(PermissionDenied):
        discover(organization, context=Context(actor=alice, source=Source.PAGE))

    assert len(sandbox.log()) == calls


def test_one_at_a_time(organization, redis_client):
    redis_client.set(f"discovery:{organization.aws_id}", "another process")

    with pytest.raises(AlreadyRunning):
        again(organization)


def test_beat_sends_what_is_due(organization, redis_client, settings):
    redis_client.delete("reading")
    discover_organizations()
    assert redis_client.llen("reading") == 1

    discover_organization(organization.pk)
    redis_client.delete("reading")
    discover_organizations()
    assert redis_client.llen("reading") == 0
    assert Account.objects.get(aws_id=MANAGEMENT_ID).is_management


def test_task_survives_an_outage(organization, sandbox: Sandbox):
    sandbox.switch(outage="unavailable")

    discover_organization(organization.pk)

    organization.refresh_from_db()
    assert organization.problem == Cause.UNAVAILABLE
    assert organization not in Organization.objects.due()


def test_many_accounts_come_in_chunks(db, unhurried, monkeypatch, django_assert_max_num_queries):
    from orgs.connecting import connect_organization
    from portal import aws

    with Sandbox(accounts=600, quota_scale=0, empty_pages=0.0) as big:
        for name, value in big.env().items():
            monkeypatch.setenv(name, value)
        aws.forget_clients()
        organization = connect_organization(context=command_context())
        with django_assert_max_num_queries(80):
            again(organization)
        assert Account.objects.count() == 600
    aws.forget_clients()
