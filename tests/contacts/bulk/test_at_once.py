"""Somebody decides in the very moment in which somebody else takes the request back."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from contacts import change_sets, changes
from contacts.approval import save_rules
from contacts.changes import cancel_change, request_change, seen_of
from contacts.models import ApprovalRules, ChangeStatus, ContactChange, SetStatus
from tests.contacts.bulk.plans import by, decide
from tests.contacts.scene import FINANCE, ROTA

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def waiting(scene, redis_url, erin, hank) -> ContactChange:
    """A single change of hank's that waits for its approval."""
    save_rules(ApprovalRules(roles=["Helpdesk"]), context=by(erin))
    return request_change(scene.ledger, "SECURITY", ROTA, context=by(hank), seen=None)


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def in_thread(pool: ThreadPoolExecutor, call: Callable[[], Any]) -> Any:
    def run() -> Any:
        try:
            return call()
        finally:
            connection.close()

    return pool.submit(run)


@pytest.fixture
def halfway(monkeypatch) -> Event:
    """Set when a change was taken back, but not its set of one: that comes when somebody waits for a lock."""
    reached, close = Event(), changes.close_single

    def close_late(change: ContactChange) -> None:
        reached.set()
        ends_at = time.monotonic() + 10
        while not somebody_waits_for_a_lock() and time.monotonic() < ends_at:
            time.sleep(0.01)
        close(change)

    monkeypatch.setattr(changes, "close_single", close_late)
    return reached


@pytest.mark.parametrize(("how", "by_whom"), [("replaced", "an approver"), ("cancelled", "the author")])
def test_who_comes_second_hears_that_nothing_waits_any_more(
    waiting, halfway, hank, frank, alice, how, by_whom
):
    def take_back() -> ContactChange:
        if how == "cancelled":
            return cancel_change(waiting, context=by(alice))
        seen = seen_of(waiting.contact)
        return request_change(waiting.contact.account, "SECURITY", FINANCE, context=by(alice), seen=seen)

    def end() -> Any:
        if by_whom == "the author":
            return change_sets.withdraw(waiting.change_set, context=by(hank))
        return decide(waiting.change_set, frank)

    with ThreadPoolExecutor(2) as pool:
        first = in_thread(pool, take_back)
        assert halfway.wait(10)
        second = in_thread(pool, end)
        first.result(20)
        with pytest.raises(ValidationError):
            second.result(20)
    waiting.refresh_from_db()
    assert waiting.status in (ChangeStatus.SUPERSEDED, ChangeStatus.CANCELLED)
    assert waiting.change_set.status == SetStatus.DISCARDED
