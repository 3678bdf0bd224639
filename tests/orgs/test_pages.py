"""The pages of organizations and people: what they show, to whom, and what their buttons start."""

import pytest
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from audit.models import Action
from orgs.models import Account, Organization
from orgs.preflight import Status, run_checks
from orgs.tasks import discover_organization, run_preflight
from orgs.waking import DISCOVERY, PREFLIGHT, is_awaited
from portal.causes import Cause
from sandbox.testing import EXTERNAL_ID, PORTAL_ROLE, STANDALONE_IDS, Sandbox
from tests.orgs.conftest import events_of


def test_unknown_organization_is_not_found(client: Client, erin):
    client.force_login(erin)

    assert client.get(reverse("orgs:organization_detail", args=["o-unknown123"])).status_code == 404


def test_page_shows_facts_policies_and_no_button_to_viewers(discovered, client: Client, bob):
    client.force_login(bob)

    page = client.get(reverse("orgs:organization_detail", args=[discovered.aws_id])).content.decode()

    assert "Management account" in page
    assert reverse("orgs:policy_list", args=[discovered.aws_id]) in page
    assert "Discover now" not in page
    assert "Run the checks now" not in page
    assert "Trusted access" in page


def test_discover_now_runs_in_a_worker_and_the_page_waits(organization, client: Client, erin):
    client.force_login(erin)
    url = reverse("orgs:organization_detail", args=[organization.aws_id])

    client.post(reverse("orgs:organization_discover", args=[organization.aws_id]))
    assert is_awaited(DISCOVERY, organization)
    assert [event.actor_id for event in events_of(Action.DISCOVERY_REQUESTED)] == [erin.pk]
    assert "every 2s" in client.get(url).content.decode()

    discover_organization(organization.pk)
    assert not is_awaited(DISCOVERY, organization)
    page = client.get(url).content.decode()
    assert "every 2s" not in page
    assert Account.objects.count() > 1


def test_page_stands_while_redis_is_away(discovered, client: Client, bob, settings):
    settings.REDIS_URL = "unix:///tmp/nobody-listens-here.sock"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    client.force_login(bob)

    page = client.get(reverse("orgs:organization_detail", args=[discovered.aws_id])).content.decode()

    assert "every 2s" not in page
    assert str(Cause.NO_QUOTA.label) in page


def test_checks_say_what_mends_what_they_find(discovered, sandbox: Sandbox, client: Client, erin):
    sandbox.world.set_trusted("account.amazonaws.com", False)
    client.force_login(erin)
    client.post(reverse("orgs:organization_check", args=[discovered.aws_id]))
    assert is_awaited(PREFLIGHT, discovered)
    assert [event.actor_id for event in events_of(Action.ORGANIZATION_CHECKED)] == [erin.pk]

    run_preflight(discovered.pk)

    page = client.get(reverse("orgs:organization_detail", args=[discovered.aws_id])).content.decode()
    assert "aws organizations enable-aws-service-access --service-principal account.amazonaws.com" in page
    assert not is_awaited(PREFLIGHT, discovered)


def test_checks_of_a_sound_organization_are_all_in_order(discovered):
    assert {check.status for check in run_checks(discovered)} == {Status.OK}


def test_without_credentials_the_other_checks_are_unknown(discovered, monkeypatch):
    from portal import aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN123456789")
    aws.forget_clients()

    first, clock, *others = run_checks(discovered)

    assert (first.status, clock.status) == (Status.FAILING, Status.OK)
    assert {check.status for check in others} == {Status.UNKNOWN}


def test_outage_is_unknown_and_not_failing(discovered, sandbox: Sandbox):
    sandbox.switch(outage="closed")

    assert {check.status for check in run_checks(discovered)} == {Status.UNKNOWN}


def test_denied_member_read_is_found(discovered, sandbox: Sandbox):
    sandbox.switch(deny=[{"operation": "GetAlternateContact", "kind": "identity"}])

    failing = {check.label: check.cause for check in run_checks(discovered) if check.status != Status.OK}

    assert failing == {
        "The management account's own contacts are in reach": Cause.POLICY_DENIES,
        "Contacts of a member can be read": Cause.POLICY_DENIES,
    }


@pytest.mark.django_db
def test_administrator_connects_an_organization_by_form(unhurried: Sandbox, client: Client, erin):
    client.force_login(erin)

    response = client.post(reverse("orgs:organization_connect"), {"name": "Northwind"})

    organization = Organization.objects.get()
    assert response.url == reverse("orgs:organization_detail", args=[organization.aws_id])
    [event] = events_of(Action.ORGANIZATION_CONNECTED)
    assert (event.actor_id, event.source) == (erin.pk, "page")


@pytest.mark.django_db
def test_mistakes_in_the_form_are_named_and_nothing_is_saved(unhurried: Sandbox, client: Client, erin):
    client.force_login(erin)

    response = client.post(reverse("orgs:organization_connect"), {"role_arn": "my role", "name": "N"})
    assert "role_arn" in response.context["form"].errors
    assert b'value="my role"' in response.content
    arn = f"arn:aws:iam::{STANDALONE_IDS[0]}:role/{PORTAL_ROLE}"
    response = client.post(reverse("orgs:organization_connect"), {"role_arn": arn})
    assert "could not be assumed" in response.content.decode()
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_administrator_connects_an_account_by_form(unhurried: Sandbox, client: Client, erin):
    client.force_login(erin)
    account_id = STANDALONE_IDS[0]
    arn = f"arn:aws:iam::{account_id}:role/{PORTAL_ROLE}"
    values = {"account_id": account_id, "role_arn": arn, "external_id": EXTERNAL_ID}

    response = client.post(reverse("orgs:account_connect"), values | {"account_id": STANDALONE_IDS[1]})
    assert "belong to account" in response.content.decode()
    response = client.post(reverse("orgs:account_connect"), values)

    assert response.url == reverse("contacts:account_detail", args=[account_id])
    assert Account.objects.get().aws_id == account_id


def test_list_shows_organizations_and_takes_few_queries(
    discovered, client, bob, django_assert_max_num_queries
):
    client.force_login(bob)

    with django_assert_max_num_queries(14):
        page = client.get(reverse("orgs:organization_list")).content.decode()

    assert discovered.aws_id in page
    assert "Connect an organization" not in page


@pytest.mark.parametrize("name", ["organization_check", "organization_discover"])
def test_what_could_not_be_sent_is_said(discovered, client: Client, erin, monkeypatch, name):
    def fail(*args, **kwargs):
        raise OperationalError("Redis went away between two calls")

    monkeypatch.setattr("orgs.waking.current_app.send_task", fail)
    client.force_login(erin)

    page = client.post(reverse(f"orgs:{name}", args=[discovered.aws_id]), follow=True).content.decode()

    assert str(Cause.NO_QUOTA.label) in page
    assert "every 2s" not in page
    assert "The checks run now" not in page and "are read from AWS now" not in page


def test_the_list_of_organizations_does_not_grow_with_what_they_hold(
    discovered, client, bob, django_assert_max_num_queries
):
    Account.objects.bulk_create(
        Account(aws_id=f"{10**11 + number}", name=f"alone-{number:03d}") for number in range(60)
    )
    client.force_login(bob)

    with django_assert_max_num_queries(14):
        page = client.get(reverse("orgs:organization_list")).content.decode()

    assert f'data-label="Accounts">{discovered.accounts.count()}<' in page
    assert f'data-label="Units">{discovered.units.count()}<' in page
    assert "60 standalone accounts." in page and "1–25 of 60 accounts" in page
    assert "alone-024" in page and "alone-025" not in page
