"""Many writers and several sealers at once: one chain, every event in it once."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from audit.context import worker_context
from audit.log import event, record, record_all
from audit.models import Action, AuditEvent, AuditPending, AuditSeal
from audit.seals import seal_pending
from audit.verification import verify

pytestmark = pytest.mark.django_db(transaction=True)


class TakenBack(Exception):
    """The writer's use case failed."""


def in_thread(function: Callable) -> Callable:
    """The function with a connection of its own, closed at its end."""

    def run(*args: Any) -> Any:
        try:
            return function(*args)
        finally:
            connection.close()

    return run


def write(seed: int) -> int:
    """Some transactions of some events each, a few of them taken back; returns how many stayed."""
    dice, written = random.Random(seed), 0
    for _ in range(20):
        count = dice.randint(1, 5)
        try:
            with transaction.atomic():
                record_all([event(Action.SIGNED_IN, worker_context()) for _ in range(count)])
                if dice.random() < 0.2:
                    raise TakenBack
        except TakenBack:
            continue
        written += count
    return written


def test_writers_and_sealers_at_once_make_one_chain():
    done = Event()

    def seal() -> int:
        sealed = 0
        while not done.is_set():
            sealed += seal_pending(20)
        return sealed

    with ThreadPoolExecutor(6) as pool:
        sealers = [pool.submit(in_thread(seal)) for _ in range(2)]
        writers = [pool.submit(in_thread(write), seed) for seed in range(4)]
        try:
            written = sum(writer.result(60) for writer in writers)
        finally:
            done.set()
        sealed = sum(sealer.result(60) for sealer in sealers)

    while count := seal_pending():
        sealed += count
    verdict = verify()
    assert verdict.ok, verdict.first_bad
    assert written == sealed == verdict.checked == AuditEvent.objects.count()
    assert AuditPending.objects.count() == 0


@pytest.mark.postgres
def test_an_event_whose_transaction_ends_late_is_sealed_when_it_appears():
    written, may_commit = Event(), Event()

    def write_slowly() -> int:
        with transaction.atomic():
            slow = record(Action.SIGNED_IN, worker_context())
            written.set()
            assert may_commit.wait(30)
        return slow.pk

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(in_thread(write_slowly))
        try:
            assert written.wait(30)
            quick = record(Action.SIGNED_OUT, worker_context())
            assert seal_pending() == 1
        finally:
            may_commit.set()
        slow_pk = writer.result(30)

    assert slow_pk < quick.pk
    assert seal_pending() == 1
    assert list(AuditSeal.objects.values_list("seq", "event_id")) == [(1, quick.pk), (2, slow_pk)]
    assert verify().ok


@pytest.mark.postgres
def test_a_second_sealer_does_not_wait():
    record(Action.SIGNED_IN, worker_context())
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert seal_pending() == 1
        assert pool.submit(in_thread(seal_pending)).result(30) == 0
    assert AuditSeal.objects.count() == 1
