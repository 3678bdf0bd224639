"""At the limit: many processes and threads share the quota, and the local AWS rejects no call."""

import multiprocessing
import threading
import time

import pytest

from portal import aws, quota
from portal.quota import Lane, NoToken
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID

CALLER = aws.Caller(account_id=MANAGEMENT_ID)
SCALE = 4  # of the published quotas, here and there, so that few seconds show much
SECONDS = 4.0
TRIES = 4


@pytest.fixture(autouse=True)
def scaled_quotas(redis_client, sandbox, settings):
    redis_client.flushall()
    settings.AWS_QUOTA_SHARE = SCALE
    sandbox.switch(quota_scale=SCALE, latency_ms=10)


def read_until(ends_at: float, lane: Lane) -> None:
    while (left := ends_at - time.time()) > 0:
        try:
            quota.take(CALLER.key, "GetAlternateContact", lane, wait=left)
        except NoToken:
            return
        try:
            aws.get_alternate_contact(CALLER, "BILLING", PAGE_ACCOUNT_ID)
        except aws.Throttled:
            quota.slow_down(CALLER.key, "GetAlternateContact")


def read_in_threads(ends_at: float, lanes: list[Lane]) -> None:
    threads = [threading.Thread(target=read_until, args=(ends_at, lane)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(processes: int, lanes: list[Lane]) -> None:
    context, ends_at = multiprocessing.get_context("fork"), time.time() + SECONDS
    workers = [context.Process(target=read_in_threads, args=(ends_at, lanes)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


def calls_per_second(log: list[dict]) -> float:
    starts = sorted(attempt["at_start"] for attempt in log)
    return (len(starts) - 1) / (starts[-1] - starts[0])


@pytest.mark.parametrize(
    ("processes", "lanes"),
    [(1, [Lane.ROLLING] * 4), (3, [Lane.ROLLING] * 6), (3, list(Lane))],
    ids=["one process", "three processes", "all lanes"],
)
def test_the_whole_quota_is_used_and_none_of_it_twice(sandbox, processes, lanes):
    """A machine that is busy with something else may spoil a try; no try may be rejected."""
    rates = []
    for _ in range(TRIES):
        before = len(sandbox.log())
        run(processes, lanes)
        log = sandbox.log(before, operation="GetAlternateContact")
        assert {attempt["status"] for attempt in log} == {200}
        rates.append(calls_per_second(log))
        if rates[-1] >= 0.97 * 10 * SCALE:
            return
    pytest.fail(f"at most {max(rates):.1f} of {10 * SCALE} calls a second in {TRIES} tries")


def test_a_burst_after_a_pause_is_not_rejected_either(sandbox, redis_client):
    run(2, [Lane.PERSON] * 8)
    for key in redis_client.keys("{quota}:*Contact"):
        redis_client.hincrbyfloat(key, "at", -100)
    sandbox.switch(quota_scale=SCALE)  # fills the buckets
    run(2, [Lane.PERSON] * 8)
    assert {attempt["status"] for attempt in sandbox.log()} == {200}


def call_as_neighbour() -> bool:
    """Another tool, which knows nothing of our pace; False when AWS rejected it."""
    try:
        aws.get_alternate_contact(CALLER, "SECURITY", PAGE_ACCOUNT_ID)
    except aws.Throttled:
        return False
    return True


def test_a_neighbour_costs_us_few_rejections(sandbox):
    while call_as_neighbour():
        pass  # it has used up the burst when we begin
    stop = threading.Event()

    def go_on() -> None:
        while not stop.wait(1 / (6 * SCALE)):
            call_as_neighbour()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        run(2, [Lane.ROLLING] * 4)
    finally:
        stop.set()
        thread.join()
    ours = sandbox.log(operation="GetAlternateContact", contact_type="BILLING")
    rejected = [attempt for attempt in ours if attempt["status"] == 429]
    assert 1 <= len(rejected) <= 0.2 * len(ours)
