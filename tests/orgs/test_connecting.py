"""Connecting: by the commands, and what they find out about our standing."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.models import Action
from orgs.models import Account, AccountState, Organization, Standing, Unreachable
from portal import aws
from portal.causes import Cause
from portal.commands import FAILED, WRONG_USAGE
from sandbox.testing import EXTERNAL_ID, MANAGEMENT_ID, PAGE_ACCOUNT_ID, PORTAL_ROLE, STANDALONE_IDS, Sandbox
from tests.orgs.conftest import events_of

STANDALONE_ID = STANDALONE_IDS[0]


def role_in(account_id: str) -> str:
    return f"arn:aws:iam::{account_id}:role/{PORTAL_ROLE}"


def run(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def as_account(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, account_id: str) -> None:
    for name, value in sandbox.env(account_id).items():
        monkeypatch.setenv(name, value)
    aws.forget_clients()


@pytest.mark.django_db
def test_management_account_connects(unhurried: Sandbox):
    facts = json.loads(run("connect_organization", "--name=Northwind", "--json"))

    assert facts["standing"] == Standing.MANAGEMENT
    organization = Organization.objects.get()
    assert organization.aws_id == facts["organization"] == unhurried.world.organization_id
    assert organization.caller_account_id == organization.management_account_id == MANAGEMENT_ID
    assert (organization.feature_set, organization.trusted_access) == ("ALL", True)
    [event] = events_of(Action.ORGANIZATION_CONNECTED)
    assert event.organization_id == organization.aws_id
    assert event.os_user
    assert event.source == "command"


@pytest.mark.django_db
def test_again_is_an_update_with_before_and_after(unhurried: Sandbox):
    run("connect_organization", "--name=Northwind")
    run("connect_organization")
    assert events_of(Action.ORGANIZATION_CHANGED) == []

    run("connect_organization", "--name=Northwind Bank")

    assert Organization.objects.get().name == "Northwind Bank"
    [event] = events_of(Action.ORGANIZATION_CHANGED)
    assert (event.before, event.after) == ({"name": "Northwind"}, {"name": "Northwind Bank"})


@pytest.mark.django_db
def test_delegated_administrator_with_a_management_role(unhurried: Sandbox, monkeypatch):
    unhurried.world.replace_delegated_administrator(PAGE_ACCOUNT_ID)
    as_account(monkeypatch, unhurried, PAGE_ACCOUNT_ID)

    run("connect_organization")
    organization = Organization.objects.get()
    assert organization.standing == Standing.DELEGATED
    run("sync_accounts")
    management = Account.objects.select_related("organization").get(aws_id=MANAGEMENT_ID)
    with pytest.raises(Unreachable) as caught:
        management.reach()
    assert caught.value.cause == Cause.MANAGEMENT_ROLE_MISSING

    run(
        "connect_organization",
        f"--management-role-arn={role_in(MANAGEMENT_ID)}",
        f"--external-id={EXTERNAL_ID}",
    )
    reach = Account.objects.select_related("organization").get(aws_id=MANAGEMENT_ID).reach()
    assert aws.who_am_i(reach.caller).account_id == MANAGEMENT_ID
    assert reach.account_id is None


@pytest.mark.django_db
def test_management_role_must_be_the_management_accounts(unhurried: Sandbox):
    with pytest.raises(CommandError) as caught:
        run(
            "connect_organization",
            f"--management-role-arn={role_in(STANDALONE_ID)}",
            f"--external-id={EXTERNAL_ID}",
        )

    assert caught.value.returncode == WRONG_USAGE
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_plain_member_is_said_and_knows_itself_only(unhurried: Sandbox, monkeypatch):
    as_account(monkeypatch, unhurried, PAGE_ACCOUNT_ID)

    assert Cause.NOT_ADMINISTRATOR.label in run("connect_organization")
    run("sync_accounts")

    account = Account.objects.select_related("organization").get()
    assert account.aws_id == PAGE_ACCOUNT_ID
    assert account.reach().account_id is None
    assert account.state == AccountState.ACTIVE


@pytest.mark.django_db
def test_consolidated_billing_is_said_plainly(unhurried: Sandbox):
    unhurried.world.set_feature_set("CONSOLIDATED_BILLING")

    assert Cause.CONSOLIDATED_BILLING.label in run("connect_organization")


@pytest.mark.django_db
def test_account_without_organization_is_no_organization(unhurried: Sandbox, monkeypatch):
    as_account(monkeypatch, unhurried, STANDALONE_ID)

    with pytest.raises(CommandError, match="standalone") as caught:
        run("connect_organization")

    assert caught.value.returncode == WRONG_USAGE


@pytest.mark.django_db
def test_unknown_credentials_fail_with_a_remedy(unhurried: Sandbox, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN123456789")
    aws.forget_clients()

    with pytest.raises(CommandError) as caught:
        run("connect_organization")

    assert caught.value.returncode == FAILED
    assert Cause.CREDENTIALS_REJECTED.remedy in str(caught.value)


@pytest.mark.django_db
def test_standalone_account_connects_by_role(unhurried: Sandbox):
    arguments = [
        "connect_account",
        STANDALONE_ID,
        f"--role-arn={role_in(STANDALONE_ID)}",
        f"--external-id={EXTERNAL_ID}",
        "--name=press-office",
    ]
    run(*arguments)
    run(*arguments)

    account = Account.objects.get()
    assert (account.aws_id, account.name, account.state) == (STANDALONE_ID, "press-office", "ACTIVE")
    assert account.organization is None
    assert aws.get_alternate_contact(account.reach().caller, "BILLING", None).details
    [event] = events_of(Action.ACCOUNT_CONNECTED)
    assert event.account_id == STANDALONE_ID


@pytest.mark.django_db
def test_role_of_another_account_is_refused(unhurried: Sandbox):
    with pytest.raises(CommandError, match=f"belong to account {STANDALONE_ID}") as caught:
        run(
            "connect_account",
            STANDALONE_IDS[1],
            f"--role-arn={role_in(STANDALONE_ID)}",
            f"--external-id={EXTERNAL_ID}",
        )

    assert caught.value.returncode == WRONG_USAGE
    assert not Account.objects.exists()


@pytest.mark.django_db
def test_role_that_cannot_be_assumed_fails(unhurried: Sandbox):
    with pytest.raises(CommandError) as caught:
        run("connect_account", STANDALONE_ID, f"--role-arn={role_in(STANDALONE_ID)}")

    assert caught.value.returncode == FAILED
    assert Cause.ROLE_REFUSED.remedy in str(caught.value)


@pytest.mark.django_db
def test_account_id_of_eleven_digits_is_wrong_usage(unhurried: Sandbox):
    with pytest.raises(CommandError, match="12 digits") as caught:
        run("connect_account", "12345678901", "--role-arn=x")

    assert caught.value.returncode == WRONG_USAGE


def test_member_of_a_connected_organization_is_refused(discovered, sandbox: Sandbox):
    with pytest.raises(CommandError, match="connected already"):
        run(
            "connect_account",
            MANAGEMENT_ID,
            f"--role-arn={role_in(MANAGEMENT_ID)}",
            f"--external-id={EXTERNAL_ID}",
        )


def test_account_that_left_becomes_standalone(discovered, sandbox: Sandbox):
    sandbox.set_account(PAGE_ACCOUNT_ID, unit=None, roles={PORTAL_ROLE: EXTERNAL_ID})
    run("sync_accounts")
    run("sync_accounts")

    run(
        "connect_account",
        PAGE_ACCOUNT_ID,
        f"--role-arn={role_in(PAGE_ACCOUNT_ID)}",
        f"--external-id={EXTERNAL_ID}",
    )

    account = Account.objects.get(aws_id=PAGE_ACCOUNT_ID)
    assert (account.organization, account.unit, account.left_at) == (None, None, None)
    assert account.reach().account_id is None


def test_standalone_account_that_joins_is_taken_over(organization, sandbox: Sandbox):
    run(
        "connect_account",
        STANDALONE_ID,
        f"--role-arn={role_in(STANDALONE_ID)}",
        f"--external-id={EXTERNAL_ID}",
    )
    sandbox.set_account(STANDALONE_ID, unit="Sandbox")
    run("sync_accounts")

    account = Account.objects.select_related("organization").get(aws_id=STANDALONE_ID)
    assert account.organization == organization
    assert account.reach().account_id == STANDALONE_ID
    assert STANDALONE_ID in [event.account_id for event in events_of(Action.ACCOUNT_JOINED)]


@pytest.mark.django_db
def test_partitions_side_by_side(unhurried: Sandbox, monkeypatch):
    run("connect_organization")
    with Sandbox(partition="aws-cn", quota_scale=0) as china:
        china.world.organization = replace(china.world.organization, organization_id="o-cn7k2d9x4b")
        as_account(monkeypatch, china, MANAGEMENT_ID)
        with pytest.raises(CommandError):
            run("sync_accounts")
        run("connect_organization")
        organization = Organization.objects.get(partition="aws-cn")
        assert organization.caller.key == f"aws-cn:{MANAGEMENT_ID}"
    assert Organization.objects.count() == 2


def test_sync_says_what_it_found(organization):
    [result] = json.loads(run("sync_accounts", "--json"))

    assert result["organization"] == organization.aws_id
    assert result["joined"] == result["accounts"] == Account.objects.count()
    assert result["problem"] == ""


def test_sync_of_one_that_fails_is_exit_one(organization, sandbox: Sandbox):
    sandbox.switch(outage="unavailable")

    with pytest.raises(CommandError) as caught:
        run("sync_accounts")

    assert caught.value.returncode == FAILED


@pytest.mark.django_db
def test_sync_of_an_unknown_organization_is_wrong_usage():
    with pytest.raises(CommandError) as caught:
        run("sync_accounts", "--organization=o-unknown123")

    assert caught.value.returncode == WRONG_USAGE
