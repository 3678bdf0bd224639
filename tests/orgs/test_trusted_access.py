"""An administrator lets the portal switch trusted access on: confirmed, read again, in the audit."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from audit.context import Context, Source, command_context
from audit.models import Action, AuditEvent
from orgs import policies
from orgs.connecting import connect_organization
from orgs.models import Organization
from orgs.policy_kit import needs_of
from orgs.trusted_access import enable_trusted_access
from orgs.waking import PREFLIGHT, is_awaited
from portal import aws
from portal.aws import Refused
from portal.causes import Cause
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, Sandbox
from tests.orgs.conftest import events_of

EVENTS = (Action.TRUST_REQUESTED, Action.TRUST_ENABLED, Action.TRUST_FAILED)


@pytest.fixture
def untrusted(unhurried: Sandbox, db) -> Organization:
    """Connected by the management account while trusted access was off."""
    unhurried.switch(trusted_access=False)
    return connect_organization(context=command_context())


def address(organization: Organization) -> str:
    return reverse("orgs:trusted_access", args=[organization.aws_id])


def actions() -> list[str]:
    return [event.action for event in events_of(*EVENTS)]


def test_nothing_happens_before_it_is_confirmed(untrusted: Organization, sandbox: Sandbox, client, erin):
    client.force_login(erin)

    page = client.get(address(untrusted)).content.decode()

    assert "organizations:EnableAWSServiceAccess" in page and "Take it away afterwards" in page
    assert not sandbox.log(operation="EnableAWSServiceAccess")
    assert actions() == []


def test_it_is_switched_on_read_again_and_recorded(untrusted: Organization, sandbox: Sandbox, client, erin):
    client.force_login(erin)

    response = client.post(address(untrusted), {"reason": "New organization."}, follow=True)

    assert "AWS said so when it was read again" in response.content.decode()
    assert sandbox.aws.all_switches()["trusted_access"] is True
    asked, done = events_of(*EVENTS)
    assert (asked.action, done.action) == (Action.TRUST_REQUESTED, Action.TRUST_ENABLED)
    assert {event.actor_id for event in (asked, done)} == {erin.pk}
    assert asked.reason == "New organization." and asked.request_id == done.request_id
    [call] = sandbox.log(operation="EnableAWSServiceAccess")
    assert done.aws_request_id == call["request_id"]
    assert events_of(Action.ORGANIZATION_CHANGED)[-1].after == {"trusted_access": True}
    reads = sandbox.log(after=call["seq"], operation="ListAWSServiceAccessForOrganization")
    assert reads
    untrusted.refresh_from_db()
    assert untrusted.trusted_access is True
    assert is_awaited(PREFLIGHT, untrusted)


def test_a_reason_is_needed_and_what_was_typed_stays(untrusted, sandbox: Sandbox, client: Client, erin):
    client.force_login(erin)

    response = client.post(address(untrusted), {"reason": ""})

    assert response.status_code == 422
    assert actions() == [] and not sandbox.log(operation="EnableAWSServiceAccess")


def test_the_daily_policy_does_not_let_us_and_that_is_said(untrusted, sandbox: Sandbox, client, erin):
    client.force_login(erin)
    daily = policies.identity_policy(needs_of(untrusted))
    sandbox.set_policy(MANAGEMENT_ID, "user/portal", daily)

    response = client.post(address(untrusted), {"reason": "New organization."})

    assert response.status_code == 422
    assert "New organization." in response.content.decode()
    assert actions() == [Action.TRUST_REQUESTED, Action.TRUST_FAILED]
    assert events_of(Action.TRUST_FAILED)[0].detail == {"cause": "not_allowed"}
    assert sandbox.aws.all_switches()["trusted_access"] is False

    once = policies.enabling_trusted_access()["Statement"]
    sandbox.set_policy(MANAGEMENT_ID, "user/portal", policies.document(*daily["Statement"], *once))
    assert client.post(address(untrusted), {"reason": "New organization."}).status_code == 302
    assert sandbox.aws.all_switches()["trusted_access"] is True


def test_an_answer_that_was_lost_is_cleared_up_by_reading(untrusted: Organization, sandbox: Sandbox, erin):
    sandbox.switch(drop_after=1, fault_operations=["EnableAWSServiceAccess"])

    enable_trusted_access(untrusted, context=Context(actor=erin, source=Source.PAGE))

    assert actions() == [Action.TRUST_REQUESTED, Action.TRUST_ENABLED]


def test_what_cannot_be_read_again_is_not_called_on(untrusted: Organization, sandbox: Sandbox):
    sandbox.switch(deny=[{"operation": "ListAWSServiceAccessForOrganization"}])

    with pytest.raises(ValidationError, match="did not say that it is on"):
        enable_trusted_access(untrusted, context=command_context())

    assert actions() == [Action.TRUST_REQUESTED, Action.TRUST_FAILED]
    assert events_of(Action.TRUST_FAILED)[0].detail == {"cause": "not_confirmed"}


def test_what_somebody_else_switched_on_is_not_said_to_be_ours(untrusted: Organization, sandbox: Sandbox):
    """AWS refused us, and it is on: an administrator was faster in the console."""
    sandbox.switch(trusted_access=True, deny=[{"operation": "EnableAWSServiceAccess"}])

    enable_trusted_access(untrusted, context=command_context())

    assert actions() == [Action.TRUST_REQUESTED, Action.TRUST_FAILED]
    untrusted.refresh_from_db()
    assert untrusted.trusted_access is True


def test_twice_is_once(untrusted: Organization, sandbox: Sandbox):
    for _ in range(2):
        enable_trusted_access(untrusted, context=command_context())

    assert len(events_of(Action.ORGANIZATION_CHANGED)) == 1


def test_nobody_else_may(untrusted: Organization, sandbox: Sandbox, alice):
    with pytest.raises(PermissionDenied):
        enable_trusted_access(untrusted, context=Context(actor=alice, source=Source.PAGE))
    with pytest.raises(PermissionDenied):
        enable_trusted_access(untrusted, context=Context(source=Source.PAGE))

    assert not sandbox.log(operation="EnableAWSServiceAccess")
    assert not AuditEvent.objects.filter(action__in=EVENTS).exists()


def test_a_delegated_administrator_cannot_and_reads_who_can(
    unhurried: Sandbox, db, monkeypatch, client: Client, erin
):
    unhurried.switch(delegated_admin=PAGE_ACCOUNT_ID)
    for name, value in unhurried.env(PAGE_ACCOUNT_ID).items():
        monkeypatch.setenv(name, value)
    aws.forget_clients()
    organization = connect_organization(context=command_context())
    client.force_login(erin)

    page = client.get(address(organization)).content.decode()

    assert "The portal cannot do it" in page and "enable-aws-service-access" in page
    assert client.post(address(organization), {"reason": "Please."}).status_code == 422
    assert not unhurried.log(operation="EnableAWSServiceAccess")
    assert actions() == []


def test_the_page_of_the_organization_leads_there(untrusted: Organization, client: Client, erin, bob):
    from orgs.preflight import run_checks

    run_checks(untrusted)
    detail = reverse("orgs:organization_detail", args=[untrusted.aws_id])
    for person, is_shown in ((erin, True), (bob, False)):
        client.force_login(person)
        assert (address(untrusted) in client.get(detail).content.decode()) is is_shown


def test_a_refusal_of_aws_is_raised(untrusted: Organization, sandbox: Sandbox):
    sandbox.switch(deny=[{"operation": "EnableAWSServiceAccess"}])

    with pytest.raises(Refused) as caught:
        enable_trusted_access(untrusted, context=command_context())

    assert caught.value.cause == Cause.NOT_ALLOWED
