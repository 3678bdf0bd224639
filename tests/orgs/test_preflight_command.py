"""The command preflight: what it prints, and the exit codes that a cron job looks at."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orgs import policies
from orgs.models import Organization
from orgs.policy_kit import needs_of
from portal.causes import Cause
from sandbox.testing import MANAGEMENT_ID, Sandbox


def test_all_is_in_order(discovered: Organization):
    out = StringIO()

    call_command("preflight", stdout=out)

    assert "   ok  Credentials work: We are arn:aws:iam::" in out.getvalue()
    discovered.refresh_from_db()
    assert discovered.checked_at is not None
    assert {check["status"] for check in discovered.checks} == {"ok"}


def test_what_fails_is_printed_with_what_mends_it_and_is_exit_1(discovered: Organization, sandbox: Sandbox):
    sandbox.switch(trusted_access=False)
    out = StringIO()

    with pytest.raises(CommandError, match="1 check fails") as caught:
        call_command("preflight", discovered.aws_id, stdout=out)

    assert caught.value.returncode == 1
    assert f"AWS CLI, in account {MANAGEMENT_ID}:\n" in out.getvalue()
    assert "enable-aws-service-access --service-principal account.amazonaws.com" in out.getvalue()


def test_json_for_programs(discovered: Organization, sandbox: Sandbox):
    sandbox.switch(feature_set="CONSOLIDATED_BILLING")
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("preflight", "--json", stdout=out)

    [found] = json.loads(out.getvalue())
    failing = [check for check in found["checks"] if check["status"] == "failing"]
    assert [check["cause"] for check in failing] == [Cause.CONSOLIDATED_BILLING]
    assert failing[0]["command"] == "aws organizations enable-all-features"


def test_writes_that_are_denied_fail_only_where_they_are_wanted(discovered: Organization, sandbox: Sandbox):
    reading = policies.identity_policy(needs_of(discovered, writes=False))["Statement"]
    judging = policies.judging(f"arn:aws:iam::{MANAGEMENT_ID}:user/portal")
    sandbox.set_policy(MANAGEMENT_ID, "user/portal", policies.document(*reading, *judging))
    out = StringIO()

    call_command("preflight", stdout=out)

    assert " look  Contacts can be changed: No policy allows it" in out.getvalue()
    with pytest.raises(CommandError):
        call_command("preflight", "--strict", stdout=StringIO())


def test_an_organization_that_nobody_connected_is_wrong_usage(discovered: Organization):
    with pytest.raises(CommandError) as caught:
        call_command("preflight", "o-unknown123")
    assert caught.value.returncode == 2


@pytest.mark.django_db
def test_nothing_is_connected(redis_url: str):
    out = StringIO()

    call_command("preflight", stdout=out)

    assert "No organization is connected." in out.getvalue()
