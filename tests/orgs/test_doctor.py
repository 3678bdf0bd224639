"""The doctor names each cause of AWS's 403, and its own command, pasted into the AWS CLI, mends it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.context import command_context
from audit.models import Action
from orgs import policies
from orgs.checks import Check, Status
from orgs.connecting import connect_organization
from orgs.discovery import discover
from orgs.models import Organization, Standing
from orgs.policy_kit import needs_of
from orgs.preflight import run_checks
from portal import aws
from portal.causes import Cause
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, STANDALONE_IDS, Sandbox
from tests.orgs.conftest import events_of

ME = "user/portal"
READ = "account:GetAlternateContact"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NO_READS = policies.document(ALL | {"Action": ["organizations:*", "sts:*", "iam:*"]})
DENY_READS = {"Effect": "Deny", "Action": READ, "Resource": "*"}


def paste(sandbox: Sandbox, check: Check) -> None:
    """Run the command in a shell, as an administrator of the account that the check names."""
    account_id = re.fullmatch(r"account (\d{12})", check.where)[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {**inherited, **sandbox.env(account_id, is_admin=True)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = ["/bin/sh", "-e", "-c", check.command]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def as_account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, account_id: str) -> None:
    """The portal runs with credentials of this account from now on."""
    for name, value in sandbox.env(account_id).items():
        monkeypatch.setenv(name, value)
    aws.forget_clients()


def trouble(checks: list[Check]) -> list[Check]:
    return [check for check in checks if check.status == Status.FAILING]


def assert_green(organization: Organization) -> None:
    checks = run_checks(organization)
    assert {check.label: check.detail for check in checks if check.status != Status.OK} == {}


@pytest.fixture
def delegated(db, unhurried: Sandbox, monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Organization:
    """Connected by the delegated administrator, without a role in the management account."""
    unhurried.switch(delegated_admin=PAGE_ACCOUNT_ID)
    as_account(unhurried, monkeypatch, PAGE_ACCOUNT_ID)
    organization = connect_organization(context=command_context())
    discover(organization, context=command_context())
    return organization


@pytest.fixture
def plain_member(db, unhurried: Sandbox, monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Organization:
    """Connected by an ordinary member, with a role in the management account."""
    document = policies.trust_policy(f"arn:aws:iam::{PAGE_ACCOUNT_ID}:user/portal", "northwind-portal")
    unhurried.world.set_trust(MANAGEMENT_ID, "AlternateContactsPortal", json.dumps(document))
    as_account(unhurried, monkeypatch, PAGE_ACCOUNT_ID)
    role = f"arn:aws:iam::{MANAGEMENT_ID}:role/AlternateContactsPortal"
    organization = connect_organization(
        management_role_arn=role, external_id="northwind-portal", context=command_context()
    )
    discover(organization, context=command_context())
    return organization


def test_trusted_access_that_is_off(discovered: Organization, sandbox: Sandbox):
    sandbox.switch(trusted_access=False)

    [check] = trouble(run_checks(discovered))

    assert check.cause == Cause.TRUSTED_ACCESS_OFF
    assert "AWS Account Management" in check.console
    assert "organizations:EnableAWSServiceAccess" in check.statement
    paste(sandbox, check)
    assert_green(discovered)


def test_a_plain_member(plain_member: Organization, sandbox: Sandbox):
    [check] = trouble(run_checks(plain_member))

    assert check.cause == Cause.NOT_ADMINISTRATOR
    assert PAGE_ACCOUNT_ID in check.detail
    paste(sandbox, check)
    assert_green(plain_member)
    plain_member.refresh_from_db()
    assert plain_member.standing == Standing.DELEGATED
    assert events_of(Action.ORGANIZATION_CHANGED)[-1].after == {
        "standing": "delegated",
        "trusted_access": True,
    }


def test_another_delegated_administrator_is_named_and_can_be_replaced(
    plain_member: Organization, sandbox: Sandbox
):
    other = next(
        account.account_id
        for account in sandbox.world.members()
        if account.state == "ACTIVE" and account.account_id not in (MANAGEMENT_ID, PAGE_ACCOUNT_ID)
    )
    sandbox.switch(delegated_admin=other)

    [check] = trouble(run_checks(plain_member))

    assert check.cause == Cause.NOT_ADMINISTRATOR
    assert f"Account {other} is the delegated administrator" in check.remedy
    paste(sandbox, check)
    assert sandbox.aws.all_switches()["delegated_admin"] == PAGE_ACCOUNT_ID
    assert_green(plain_member)


def test_the_management_account_by_its_own_id(delegated: Organization, sandbox: Sandbox):
    [check] = trouble(run_checks(delegated))

    assert check.cause == Cause.STANDALONE_ONLY
    refused = sandbox.log(operation="GetAlternateContact", target=MANAGEMENT_ID)[-1]
    assert (refused["status"], refused["caller"]) == (403, PAGE_ACCOUNT_ID)
    paste(sandbox, check)
    name, *words = check.portal.split()
    assert name == "manage.py"
    call_command(*words)
    delegated.refresh_from_db()
    assert_green(delegated)


def test_a_type_that_aws_does_not_know(discovered: Organization, sandbox: Sandbox):
    sandbox.switch(contact_types=["BILLING", "OPERATIONS"])

    for check in (found := trouble(run_checks(discovered))):
        assert check.cause == Cause.BAD_TYPE
        assert check.detail.endswith("Type: SECURITY.")
        assert (check.command, check.statement) == ("", "")
        assert check.remedy.startswith("No command mends it.")
    assert len(found) == 2  # the management account and a member


def test_a_denial_by_iam(discovered: Organization, sandbox: Sandbox):
    sandbox.set_policy(MANAGEMENT_ID, ME, NO_READS)

    first, second = trouble(run_checks(discovered))

    assert {first.cause, second.cause} == {Cause.POLICY_DENIES}
    assert (first.command, first.where) == (second.command, f"account {MANAGEMENT_ID}")
    assert "IAM, Users, portal" in first.console and READ in first.statement
    paste(sandbox, first)
    assert_green(discovered)


def test_a_denial_by_iam_of_the_role_that_is_assumed(
    db, unhurried: Sandbox, monkeypatch: pytest.MonkeyPatch, redis_url: str
):
    as_account(unhurried, monkeypatch, STANDALONE_IDS[0])
    role = f"arn:aws:iam::{MANAGEMENT_ID}:role/AlternateContactsPortal"
    organization = connect_organization(
        role_arn=role, external_id="northwind-portal", context=command_context()
    )
    discover(organization, context=command_context())
    unhurried.set_policy(MANAGEMENT_ID, "role/AlternateContactsPortal", NO_READS)

    check, _ = trouble(run_checks(organization))

    assert "put-role-policy --role-name AlternateContactsPortal" in check.command
    paste(unhurried, check)
    assert_green(organization)


def test_an_explicit_deny_has_no_command(discovered: Organization, sandbox: Sandbox):
    sandbox.set_policy(MANAGEMENT_ID, ME, policies.document(ALL, DENY_READS))

    for check in trouble(run_checks(discovered)):
        assert (check.cause, check.command) == (Cause.POLICY_DENIES, "")
        assert "take that Deny out" in check.remedy


def test_a_denial_by_a_service_control_policy_is_told_apart(delegated: Organization, sandbox: Sandbox):
    sandbox.set_scp(PAGE_ACCOUNT_ID, policies.document(DENY_READS))

    check = trouble(run_checks(delegated))[-1]

    assert check.cause == Cause.SCP_DENIES
    assert check.command == "" and check.remedy.startswith("No command mends it.")
    principal = f"arn:aws:iam::{PAGE_ACCOUNT_ID}:user/portal"
    assert json.loads(check.statement) == policies.exemption(principal)
    exempted = DENY_READS | json.loads(check.statement)
    sandbox.set_scp(PAGE_ACCOUNT_ID, policies.document(exempted))
    assert [found.cause for found in trouble(run_checks(delegated))] == [Cause.STANDALONE_ONLY]


def test_an_account_that_is_no_member(discovered: Organization, sandbox: Sandbox):
    first = discovered.accounts.filter(state="ACTIVE").exclude(aws_id=MANAGEMENT_ID).order_by("pk").first()
    sandbox.set_account(first.aws_id, unit=None)

    [check] = trouble(run_checks(discovered))

    assert check.cause == Cause.LEFT
    assert check.detail == f"Account {first.aws_id} is not a member of {discovered.aws_id}."
    assert check.command == "" and "discoveries" in check.remedy
    for _ in range(2):
        call_command("sync_accounts")
    assert_green(discovered)


def test_an_account_that_is_not_active(discovered: Organization, sandbox: Sandbox):
    first = discovered.accounts.filter(state="ACTIVE").exclude(aws_id=MANAGEMENT_ID).order_by("pk").first()
    sandbox.set_account(first.aws_id, state="SUSPENDED")
    sandbox.switch(state_rules={"SUSPENDED": "none"})

    [check] = trouble(run_checks(discovered))

    assert (check.cause, "SUSPENDED" in check.detail) == (Cause.STATE, True)


def test_credentials_of_another_organization(discovered: Organization):
    Organization.objects.update(aws_id="o-another1234")
    discovered.refresh_from_db()

    [check] = trouble(run_checks(discovered))

    assert check.cause == Cause.WRONG_ACCOUNT
    assert check.portal == "manage.py connect_organization"


def test_a_delegated_administrator_who_may_not_list_is_not_called_a_member(
    delegated: Organization, sandbox: Sandbox
):
    lists = ["organizations:ListDelegatedAdministrators", "organizations:ListAWSServiceAccessForOrganization"]
    sandbox.set_policy(PAGE_ACCOUNT_ID, ME, policies.document(ALL, DENY_READS | {"Action": lists}))

    check = trouble(run_checks(delegated))[0]

    assert (check.cause, check.detail) == (Cause.POLICY_DENIES, "We may not list delegated administrators.")


def test_the_role_in_the_management_account_that_does_not_trust_us(
    plain_member: Organization, sandbox: Sandbox
):
    sandbox.switch(delegated_admin=PAGE_ACCOUNT_ID)
    stranger = policies.trust_policy(f"arn:aws:iam::{STANDALONE_IDS[0]}:root", "northwind-portal")
    sandbox.world.set_trust(MANAGEMENT_ID, "AlternateContactsPortal", json.dumps(stranger))
    aws.forget_clients()

    [check] = trouble(run_checks(plain_member))

    assert check.cause == Cause.ROLE_REFUSED
    paste(sandbox, check)
    assert_green(plain_member)


# Writes


def writes(checks: list[Check]) -> Check:
    return next(check for check in checks if check.label == "Contacts can be changed")


def test_writes_that_iam_would_deny_are_known_before_the_first(discovered: Organization, sandbox: Sandbox):
    reading = policies.identity_policy(needs_of(discovered, writes=False))
    judging = policies.judging(f"arn:aws:iam::{MANAGEMENT_ID}:user/portal")
    sandbox.set_policy(MANAGEMENT_ID, ME, policies.document(*reading["Statement"], *judging))

    checks = run_checks(discovered)

    check = writes(checks)
    assert (check.status, check.cause) == (Status.WARNING, Cause.POLICY_DENIES)
    assert "PutAlternateContact SECURITY for members" in check.detail
    assert not trouble(checks)
    assert not sandbox.log(operation="PutAlternateContact")
    paste(sandbox, check)
    assert_green(discovered)


def test_writes_of_one_type_only(discovered: Organization, sandbox: Sandbox):
    run_checks(discovered)
    policy = policies.identity_policy(needs_of(discovered, types=("SECURITY",)))
    sandbox.set_policy(MANAGEMENT_ID, ME, policy)

    check = writes(run_checks(discovered))

    assert "BILLING" in check.detail and "SECURITY" not in check.detail


def test_writes_are_not_known_where_we_may_not_ask(discovered: Organization, sandbox: Sandbox):
    may_not = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    sandbox.set_policy(MANAGEMENT_ID, ME, policies.document(ALL, may_not))
    check = writes(run_checks(discovered))
    assert (check.status, check.command) == (Status.UNKNOWN, "")

    sandbox.set_policy(
        MANAGEMENT_ID, ME, policies.document(ALL | {"Action": ["account:*", "organizations:*"]})
    )
    check = writes(run_checks(discovered))
    assert check.status == Status.UNKNOWN
    assert check.detail.startswith("Not known until the first write.")
    paste(sandbox, check)
    assert_green(discovered)


def test_writes_that_a_service_control_policy_denies(delegated: Organization, sandbox: Sandbox):
    deny = {"Effect": "Deny", "Action": policies.WRITE, "Resource": "*"}
    sandbox.set_scp(sandbox.world.organization.root_id, policies.document(deny))

    check = writes(run_checks(delegated))

    assert (check.status, check.cause) == (Status.WARNING, Cause.SCP_DENIES)


# Beside the causes


@pytest.mark.parametrize(
    ("seconds", "status"), [(10, Status.OK), (-120, Status.WARNING), (-900, Status.FAILING)]
)
def test_a_clock_that_is_off(discovered: Organization, sandbox: Sandbox, seconds: int, status: Status):
    sandbox.switch(clock_offset_seconds=seconds)

    credentials, clock, *_ = run_checks(discovered)

    assert clock.status == status
    assert (credentials.cause == Cause.CREDENTIALS_REJECTED) == (status == Status.FAILING)
    assert ("ahead of" in clock.detail) == (status != Status.OK)


def test_fields_that_aws_does_not_send(discovered: Organization, sandbox: Sandbox):
    sandbox.switch(omit_state=True, omit_status=False, omit_paths=True)

    [check] = [check for check in run_checks(discovered) if check.status != Status.OK]

    assert check.status == Status.WARNING
    assert "State is missing" in check.detail and "Paths is missing" in check.detail


def test_consolidated_billing(discovered: Organization, sandbox: Sandbox):
    sandbox.switch(feature_set="CONSOLIDATED_BILLING")

    [check] = trouble(run_checks(discovered))

    assert check.command == "aws organizations enable-all-features"


def test_429s_of_late_are_seen(discovered: Organization):
    from portal import quota

    quota.slow_down(discovered.caller.key, "GetAlternateContact")

    [check] = [check for check in run_checks(discovered) if check.status != Status.OK]

    assert (check.status, "1 × GetAlternateContact" in check.detail) == (Status.WARNING, True)


def test_nothing_asked_about_writes_is_not_allowed(plain_member: Organization, sandbox: Sandbox):
    """A delegated administrator that knows no member yet, and has no role in the management account."""
    sandbox.switch(delegated_admin=PAGE_ACCOUNT_ID)
    Organization.objects.update(management_role_arn="")
    plain_member.accounts.update(left_at=timezone.now())
    plain_member.refresh_from_db()
    [check] = [check for check in run_checks(plain_member) if check.label == "Contacts can be changed"]
    assert check.status == Status.UNKNOWN
    assert "allows" not in check.detail
