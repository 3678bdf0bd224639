"""A worker claims a wish in the same moment in which a person takes it back: one of the two gets it."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from audit.context import Context, Source
from audit.models import AuditEvent
from contacts.changes import cancel_change, request_change
from contacts.delivery import claim_change
from contacts.models import ChangeStatus, ContactChange
from tests.contacts.scene import DESK

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def while_claiming(change: ContactChange, act: Callable[[], Any]) -> Future:
    """Claim the wish, and commit when act, in a thread of its own, waits for that."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert claim_change(change.pk)
            future = pool.submit(in_own_connection, act)
            wait_until_blocked(future)
        future.exception(timeout=10)
    return future


def in_own_connection(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connection.close()


def wait_until_blocked(future: Future) -> None:
    ends_at = time.monotonic() + 10
    with connection.cursor() as cursor:
        while not future.done():
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < ends_at
            time.sleep(0.01)


def by(person) -> Context:
    return Context(actor=person, source=Source.PAGE, reason="Duty rota moves.")


def actions(change: ContactChange) -> list[str]:
    return list(AuditEvent.objects.filter(change_id=change.pk).values_list("action", flat=True))


def test_what_a_worker_claims_cannot_be_cancelled_any_more(scene, alice):
    change = scene.change(alice, scene.ledger)

    outcome = while_claiming(change, lambda: cancel_change(change, context=by(alice)))

    assert isinstance(outcome.exception(), ValidationError)
    assert ContactChange.objects.get(pk=change.pk).status == ChangeStatus.SENDING
    assert actions(change) == []


def test_what_a_worker_claims_is_followed_and_not_superseded(scene, alice):
    first = scene.change(alice, scene.ledger)

    def ask() -> ContactChange:
        return request_change(scene.ledger, "SECURITY", DESK, context=by(alice), seen=None)

    second = while_claiming(first, ask).result()

    assert ContactChange.objects.get(pk=first.pk).status == ChangeStatus.SENDING
    assert second.status == ChangeStatus.QUEUED
    assert actions(first) == []
