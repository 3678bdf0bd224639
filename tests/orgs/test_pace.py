"""Discovery keeps to the quota: one token for each page, counted for the caller and for the organization."""

from collections import Counter

import pytest

from audit.context import command_context, worker_context
from orgs.connecting import connect_organization
from orgs.discovery import discover
from portal import quota
from portal.aws import AwsError
from portal.causes import Cause
from sandbox.testing import Sandbox


@pytest.mark.django_db
def test_each_page_takes_a_token_and_aws_never_throttles(sandbox: Sandbox, redis_url: str, settings):
    settings.AWS_QUOTA_SHARE = 1
    organization = connect_organization(context=command_context())

    discover(organization, context=worker_context(), lane=quota.Lane.CHECK)

    attempts = Counter(attempt["operation"] for attempt in sandbox.log(service="organizations"))
    used = {one.operation: one.used_last_minute for one in quota.usage(organization.caller.key)}
    assert {name: used[name] for name in attempts} == attempts
    assert sandbox.log(status=429) == []


@pytest.mark.django_db
def test_without_redis_no_call_is_made(organization, sandbox: Sandbox, settings):
    settings.REDIS_URL = "unix:///tmp/nobody-listens-here.sock"
    calls = len(sandbox.log())

    with pytest.raises(AwsError) as caught:
        discover(organization, context=worker_context())

    assert caught.value.cause == Cause.NO_QUOTA
    assert len(sandbox.log()) == calls
