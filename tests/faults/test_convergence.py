"""Whatever breaks: every change ends in exactly one honest state, and AWS and the mirror agree."""

import threading
from collections.abc import Iterator

import pytest

from contacts.mirror import ensure_contacts
from contacts.models import AlternateContact, ChangeStatus, ContactChange
from contacts.observation import read_account
from orgs.models import Account
from portal.quota import Lane
from sandbox.testing import EXTERNAL_ID, MANAGEMENT_ID, PORTAL_ROLE
from tests.contacts.conftest import organization  # noqa: F401 - a fixture
from tests.faults.rig import TIMES, Rig, drifts
from tests.faults.stretch import OUTAGE, STRETCH, TIMEOUT
from tests.portal.test_quota_pace import call_as_neighbour

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True), pytest.mark.timeout(TIMEOUT)]

CONTACTS = 24
KILLS, KILLS_AFTER_PUT = int(24 * STRETCH), int(12 * STRETCH)  # fifty more die in test_bulk_convergence.py


@pytest.fixture
def rig(request, organization, alice, hank, sandbox, shared_valkey, settings) -> Iterator[Rig]:  # noqa: F811
    """Twenty-four contacts that have been read, two people, two workers and beat."""
    if getattr(request, "param", "") == "by role":
        organization.role_arn = f"arn:aws:iam::{MANAGEMENT_ID}:role/{PORTAL_ROLE}"
        organization.external_id = EXTERNAL_ID
        organization.save(update_fields=["role_arn", "external_id"])
    for name, value in TIMES.items():
        setattr(settings, name, float(value))
    accounts = Account.objects.filter(state="ACTIVE").select_related("organization", "unit")[: CONTACTS // 3]
    ensure_contacts(accounts)
    for account in accounts:
        read_account(account, lane=Lane.PERSON)
    Account.objects.exclude(pk__in=accounts).update(contacts_due_at="2100-01-01T00:00Z")
    contacts = list(AlternateContact.objects.filter(account__in=accounts).select_related("account"))
    rig = Rig(sandbox, shared_valkey, [alice, hank], contacts)
    rig.start()
    yield rig
    rig.stop()


def test_workers_killed(rig: Rig, monkeypatch):
    """At seeded points: while a read is on its way, and after AWS took a Put whose answer never arrived."""
    points = ["put"] * KILLS_AFTER_PUT + ["get"] * (KILLS - KILLS_AFTER_PUT)
    rig.chance.shuffle(points)
    killed = []
    add = rig.sandbox.aws.log.add

    def add_and_kill(attempt) -> None:
        add(attempt)
        if points and is_point(points[-1], attempt):
            killed.append(points.pop())
            rig.kill_the_sender(attempt.user_agent)  # its answer has not been written yet

    def is_point(point: str, attempt) -> bool:
        if point == "put":
            return attempt.effect and attempt.operation == "PutAlternateContact"
        return attempt.operation == "GetAlternateContact" and rig.chance.random() < 0.5

    monkeypatch.setattr(rig.sandbox.aws.log, "add", add_and_kill)
    rig.click_for(150 * STRETCH, until=lambda: not points)
    assert (len(killed), killed.count("put")) == (KILLS, KILLS_AFTER_PUT), rig.last_words()
    rig.heal()
    rig.check()
    assert not drifts(), "our own writes are no drift"
    read_back = ContactChange.objects.filter(status=ChangeStatus.APPLIED, lag_until__isnull=False)
    assert read_back.count() >= 10, "changes whose worker died after the Put were understood by reading back"


FAULTS = {
    "500s": {"error_rate": 0.2},
    "dropped before": {"drop_before": 0.15},
    "dropped after": {"drop_after": 0.3},
    "five seconds of read lag": {"read_lag_seconds": 5.0},
    "all at once": {"error_rate": 0.1, "drop_before": 0.1, "drop_after": 0.1, "read_lag_seconds": 3.0},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_aws(rig: Rig, fault: str):
    rig.sandbox.switch(**FAULTS[fault])
    rig.click_for(8 * STRETCH)
    rig.heal()
    rig.check()
    assert not drifts(), "our own writes are no drift"
    applied = ContactChange.objects.filter(status=ChangeStatus.APPLIED).count()
    assert applied >= 5


def test_an_outage_redis_emptied_and_redis_gone(rig: Rig):
    rig.click_for(2)
    rig.sandbox.switch(outage="closed")
    rig.click_for(OUTAGE)
    rig.empty_redis()
    rig.click_for(1)
    rig.sandbox.switch(outage=None)
    rig.click_for(2)
    rig.valkey.stop()
    rig.click_for(2)
    rig.valkey.start()
    rig.click_for(2)
    rig.heal()
    rig.check()
    assert not drifts()


def test_aws_hangs(rig: Rig):
    """A hung call holds its own thread until the timeout, and no other change."""
    rig.click_for(2)
    rig.sandbox.switch(outage="hang")
    rig.click_for(4 * STRETCH)
    rig.sandbox.switch(outage=None)
    rig.click_for(1)
    rig.heal()
    rig.check()
    assert not drifts()


def test_a_greedy_neighbour(rig: Rig):
    """It takes all that it gets; our calls are put off, and none of our changes fails."""
    rig.sandbox.switch(quota_scale=0.3)
    stop = threading.Event()

    def take() -> None:
        while not stop.wait(0.05):
            call_as_neighbour()

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        rig.click_for(8 * STRETCH, every=0.4)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    rig.heal()
    rig.check()
    assert not drifts()
    ended = set(ContactChange.objects.values_list("status", flat=True))
    assert ended <= {ChangeStatus.APPLIED, ChangeStatus.UNCHANGED, ChangeStatus.SUPERSEDED}
    assert rig.sandbox.log(status=429), "the quota was used up"


@pytest.mark.parametrize("rig", ["by role"], indirect=True)
def test_credentials_expire_in_mid_run(rig: Rig):
    for _ in range(int(4 * STRETCH)):
        rig.click_for(1.5)
        rig.sandbox.expire_sessions()
    rig.heal()
    rig.check()
    assert not drifts()
    assert not ContactChange.objects.filter(status=ChangeStatus.FAILED).exists()
    assert rig.sandbox.log(code="ExpiredTokenException"), "it was noticed by a call"


def test_somebody_else_edits_in_aws_all_the_while(rig: Rig):
    outsider = {
        "name": "Outsider",
        "title": "CTO",
        "email": "cto@northwind.example",
        "phone": "+1 206 555 0100",
    }
    edited = set()
    for round_ in range(40):
        rig.click()
        if round_ % 4 == 0:
            contact = rig.chance.choice(rig.contacts)
            edited.add(contact.pk)
            rig.sandbox.set_contact(contact.account.aws_id, contact.contact_type, **outsider)
        rig.click_for(0.2)
    rig.heal()
    rig.read_all()
    rig.check()
    conflicts = ContactChange.objects.filter(status=ChangeStatus.CONFLICT)
    assert {change.contact_id for change in conflicts} <= edited
    assert drifts() >= 1
