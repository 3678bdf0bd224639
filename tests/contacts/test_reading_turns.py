"""Reading is rolling: each account has its turn, no reader is in another's way, and silence is an alarm."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from audit.context import Context, Source
from audit.models import AuditEvent
from contacts import tasks
from contacts.models import AlternateContact
from contacts.observation import read_account, read_due
from orgs.models import AccessGrant, Account, Organization
from orgs.reading import LEASE, claim, due_accounts, next_turn, reading_of, request_reading
from portal import quota
from portal.causes import Cause
from portal.quota import Lane
from tests.contacts.test_reading import OUTSIDER

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def fast_quota(monkeypatch):
    """The sandbox of these tests has no quota; neither has the portal."""
    from tests.hasty import widen_quotas

    widen_quotas(monkeypatch.setitem)


def leave(organization: Organization, number: int) -> list[Account]:
    """Only so many accounts are due."""
    accounts = list(organization.accounts.filter(state="ACTIVE").order_by("pk")[:number])
    Account.objects.exclude(pk__in=[one.pk for one in accounts]).update(contacts_due_at=timezone.now() + HOUR)
    return accounts


def test_accounts_that_were_read_at_once_are_not_due_at_once_again(organization, settings):
    settings.CONTACT_FRESHNESS = 3600
    assert read_due(due_accounts())
    now = timezone.now()
    turns = sorted((one.contacts_due_at - now).total_seconds() for one in organization.accounts.all())
    assert not due_accounts().exists()
    assert turns[0] > 0 and turns[-1] <= 0.9 * 3600
    gaps = [later - earlier for earlier, later in zip(turns, turns[1:], strict=False)]
    assert max(gaps) < 3 * 3600 / len(turns), "they are spread over the round"


def test_an_account_has_the_same_place_in_each_round(settings):
    settings.CONTACT_FRESHNESS = 3600
    turn = next_turn(17, timezone.now())
    assert next_turn(17, turn + timedelta(seconds=20)) == turn + timedelta(seconds=0.9 * 3600)


@pytest.mark.django_db(transaction=True)
def test_two_readers_never_read_the_same_account(organization, sandbox):
    threads = [threading.Thread(target=read_and_close) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not due_accounts().exists()
    reads = sandbox.log(operation="GetAlternateContact")
    assert len(reads) == 3 * organization.accounts.count()


def read_and_close() -> None:
    try:
        read_due(due_accounts())
    finally:
        connection.close()


def test_what_a_killed_reader_had_claimed_is_read_when_its_lease_is_over(organization):
    accounts = leave(organization, 3)
    assert len(claim(due_accounts(), 2)) == 2
    tasks.read_organization(organization.pk)
    assert Account.objects.exclude(contacts_read_at=None).count() == 1, "the others go on at once"
    Account.objects.filter(contacts_read_at=None).update(contacts_due_at=timezone.now())  # LEASE later
    tasks.read_organization(organization.pk)
    assert not Account.objects.filter(pk__in=[one.pk for one in accounts], contacts_read_at=None).exists()
    assert timedelta(minutes=3) > LEASE


def test_the_place_of_a_killed_reader_falls_free_soon(organization, redis_client):
    for number in range(tasks.READERS):
        cache.add(f"reading:organization:{organization.pk}:{number}", 1, timeout=tasks.PLACE_SECONDS)
    tasks.read_organization(organization.pk)
    assert due_accounts().exists(), "both places are taken"
    keys = redis_client.keys("*reading:organization*")
    assert len(keys) == tasks.READERS and all(0 < redis_client.ttl(key) <= 20 for key in keys)


def test_an_account_without_an_answer_is_asked_later_and_later(organization, sandbox):
    (account,) = leave(organization, 1)
    sandbox.switch(error_rate=1.0)
    pauses = []
    for _ in range(6):
        read_account(account, lane=Lane.CHECK)
        account.refresh_from_db()
        pauses.append(round((account.contacts_due_at - timezone.now()).total_seconds(), -1))
    assert pauses == [60, 120, 240, 480, 900, 900]
    assert (account.contacts_failures, account.contacts_read_at) == (6, None)
    sandbox.switch(error_rate=0.0)
    read_account(account, lane=Lane.CHECK)
    account.refresh_from_db()
    assert account.contacts_failures == 0


def test_what_was_not_read_when_aws_went_away_is_due_at_once(organization, sandbox):
    sandbox.switch(outage="unavailable")
    assert not read_due(due_accounts())
    failed = Account.objects.filter(contacts_failures__gt=0).count()
    assert 10 <= failed < organization.accounts.count()
    assert due_accounts().count() == organization.accounts.count() - failed


def test_who_asks_while_an_account_is_read_has_it_read_again(organization, alice):
    """The answer on its way is older than the wish to know."""
    leave(organization, 1)
    (account,) = claim(due_accounts(), 1)
    request_reading(organization, context=Context(actor=alice, source=Source.PAGE))
    read_account(account, lane=Lane.ROLLING)
    assert due_accounts().filter(pk=account.pk).exists()


def test_check_all_makes_every_account_due_and_says_who_asked(client, organization, alice, sandbox):
    read_due(due_accounts())
    client.force_login(alice)
    client.post(f"/organizations/{organization.aws_id}/read/")
    assert due_accounts().count() == organization.accounts.count()
    event = AuditEvent.objects.get(action="check.contacts_requested")
    assert (event.actor_id, event.organization_id) == (alice.pk, organization.aws_id)
    page = client.get(f"/organizations/{organization.aws_id}/reading/").content.decode()
    assert f"{organization.accounts.count()}</span>, about" in page
    sandbox.set_contact(organization.accounts.last().aws_id, "SECURITY", **OUTSIDER)
    tasks.read_organization(organization.pk)
    assert AlternateContact.objects.filter(name="Outsider").exists()


def test_who_may_not_check_makes_nothing_due(organization, bob):
    Account.objects.update(contacts_due_at=timezone.now() + HOUR)
    with pytest.raises(PermissionDenied):
        request_reading(organization, context=Context(actor=bob, source=Source.PAGE))
    assert not due_accounts().exists()


def test_the_time_left_comes_from_the_quota_and_is_longer_when_that_is_lowered(
    organization, redis_client, monkeypatch, settings
):
    monkeypatch.undo()
    settings.AWS_QUOTA_SHARE = 1
    Account.objects.update(contacts_due_at=timezone.now())
    assert reading_of(organization).time_left == "about 10 seconds"
    quota.take(organization.caller.key, "GetAlternateContact", Lane.PERSON)
    quota.slow_down(organization.caller.key, "GetAlternateContact")
    assert reading_of(organization).time_left == "about 20 seconds"


# Silence


@pytest.fixture
def silent(organization, settings) -> Organization:
    """An organization of which nothing was read for two hours."""
    settings.CONTACT_FRESHNESS = 3600
    long_ago = timezone.now() - 2 * HOUR
    Organization.objects.update(connected_at=long_ago)
    Account.objects.update(contacts_read_at=long_ago)
    return organization


def test_silence_is_an_alarm_on_the_pages_in_the_log_and_for_monitoring(client, silent, bob, caplog):
    client.force_login(bob)
    assert f"Nothing of {silent} is read" in client.get("/").content.decode()
    page = client.get(f"/organizations/{silent.aws_id}/").content.decode()
    assert "Nothing was read for longer than the target" in page
    tasks.watch_reading()
    assert f"nothing of {silent.aws_id} was read" in caplog.text
    answer = client.get("/healthz/reading")
    assert (answer.status_code, answer.json()) == (
        503,
        {"reading": "nothing was read for longer than the target"},
    )
    assert client.get("/healthz").status_code == 200, "no load balancer ends a web process for it"


def test_silence_is_told_to_who_sees_a_part_alone(client, silent, carol):
    """Or the first page would say that every contact could be read."""
    mine = silent.accounts.first()
    AccessGrant.objects.create(person=carol, role="Viewer", account=mine)
    client.force_login(carol)
    page = client.get("/").text
    assert "Nothing that you see is read" in page
    assert f"Nothing of {silent}" not in page
    Account.objects.filter(pk=mine.pk).update(contacts_read_at=timezone.now())
    assert "Nothing that you see is read" not in client.get("/").text


def test_one_account_read_lately_ends_the_alarm(client, silent, bob, caplog):
    account = silent.accounts.first()
    Account.objects.filter(pk=account.pk).update(contacts_read_at=timezone.now())
    client.force_login(bob)
    assert "is read</" not in client.get("/").content.decode()
    tasks.watch_reading()
    assert not caplog.text
    assert client.get("/healthz/reading").status_code == 200


def test_an_organization_connected_lately_has_time(silent):
    Organization.objects.update(connected_at=timezone.now())
    Account.objects.update(contacts_read_at=None)
    assert not reading_of(silent).is_silent


def test_failures_alone_are_no_reading(silent, sandbox):
    sandbox.switch(outage="unavailable")
    Account.objects.update(contacts_due_at=timezone.now())
    tasks.read_organization(silent.pk)
    assert reading_of(silent).is_silent
    assert AlternateContact.objects.filter(problem=Cause.UNAVAILABLE).exists()
