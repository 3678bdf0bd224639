"""Reading survives everything: dead workers, an emptied Redis, a crashed database, an AWS that fails."""

import time
from collections.abc import Iterator

import pytest
from django.db import connection

from contacts.models import AlternateContact, ContactStatus
from orgs.models import Account
from portal.causes import Cause
from tests.contacts.conftest import organization  # noqa: F401 - a fixture
from tests.faults import trial
from tests.faults.rig import Rig
from tests.faults.stretch import STRETCH, TIMEOUT
from tests.faults.test_bulk_convergence import QUICK, db, postgres  # noqa: F401 - fixtures
from tests.live import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(TIMEOUT)]

ROUNDS = int(4 * STRETCH)


@pytest.fixture
def world_size() -> int:
    """Enough that the reading outlives its first misfortunes."""
    return 85


@pytest.fixture
def rig(organization, alice, sandbox, shared_valkey, settings) -> Iterator[Rig]:  # noqa: F811
    """Nothing has been read."""
    for name, value in QUICK.items():
        setattr(settings, name, float(value))
    contacts = AlternateContact.objects.select_related("account")
    rig = Rig(sandbox, shared_valkey, [alice], list(contacts))
    yield rig
    rig.stop()


def unread() -> bool:
    return Account.objects.filter(contacts_read_at=None).exists()


def check_that_every_state_is_true() -> None:
    """What counts as read was read, and what we call set or not set was seen."""
    read_ones = AlternateContact.objects.exclude(account__contacts_read_at=None)
    assert not read_ones.filter(problem=Cause.NOT_READ_YET).exists()
    seen = AlternateContact.objects.exclude(status=ContactStatus.UNKNOWN)
    assert not seen.filter(observed_at=None).exists()


def test_every_account_is_read_whatever_happens(rig: Rig, postgres, tmp_path):  # noqa: F811
    rig.sandbox.switch(error_rate=0.2, drop_before=0.05, drop_after=0.05, latency_ms=30)
    rig.start(workers=2, **QUICK, **trial.for_workers(tmp_path, {}))
    for number in range(ROUNDS):
        time.sleep(1.5)
        assert rig.kill_the_sender(f"worker-{rig.workers[0]}"), rig.last_words()
        if number == 1:
            rig.empty_redis()
        if number == 2:
            connection.close()
            postgres.restart()
        check_that_every_state_is_true()
        if not unread():  # and once more from the beginning
            Account.objects.update(contacts_due_at="2000-01-01T00:00Z", contacts_read_at=None)
    rig.sandbox.switch(error_rate=0.05, drop_before=0, drop_after=0)
    wait_until(lambda: not unread(), "all are read", seconds=90, says=rig.last_words)
    check_that_every_state_is_true()
    rig.check_mirror()
    assert not AlternateContact.objects.filter(status=ContactStatus.UNKNOWN).exists()
