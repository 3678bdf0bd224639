"""The benchmark counts what a stand-in's log says, also where the attempts are counted on the way to it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from benchmarks.counting import DELETE, GET, PUT, share_out, tally, waits
from benchmarks.peers import read_with_boto3
from benchmarks.report import percentile, verdict
from sandbox.testing import Sandbox


def attempt(
    start: float,
    status: int,
    target: str | None = "1",
    contact_type: str = "BILLING",
    operation: str = GET,
    user_agent: str = "Boto3/1.43",
) -> dict:
    return {
        "operation": operation,
        "user_agent": user_agent,
        "status": status,
        "target": target,
        "contact_type": contact_type,
        "at_start": start,
        "at_end": start + 0.5,
    }


def test_each_attempt_has_one_fate_and_a_contact_is_lost_when_none_brought_it():
    log = [
        attempt(10, 200),
        attempt(11, 200),  # the same contact twice
        attempt(12, 404, contact_type="SECURITY"),
        attempt(12, 200, target=None),
        attempt(13, 429, target="2"),
        attempt(14, 500, target="3"),
        attempt(15, 0, target="4"),
        attempt(1, 200) | {"operation": "ListAccounts"},
    ]

    counted = tally(log, wanted=6)

    assert (counted.attempts, counted.rejected, counted.failed, counted.lost) == (7, 1, 2, 3)
    assert counted.seconds == 5.5


def test_the_limit_is_a_full_bucket_and_then_the_published_rate():
    counted = tally([attempt(number / 10, 200, str(number)) for number in range(115)], wanted=115)
    assert counted.limit == 10
    assert counted.ratio == pytest.approx(1.19)


def test_a_rejected_attempt_takes_no_token_and_so_does_not_raise_the_limit():
    log = [attempt(number / 10, 200 if number < 25 else 429, str(number)) for number in range(100)]
    assert tally(log, wanted=100).limit == 1


def test_what_the_burst_covers_has_no_ratio():
    assert tally([attempt(0, 200)], wanted=1).ratio is None


def test_a_run_without_reads_is_no_measurement():
    with pytest.raises(ValueError, match="no GetAlternateContact"):
        tally([], wanted=1)


def test_a_percentile_is_one_of_the_values():
    assert [percentile(range(1, 21), share) for share in (0.5, 0.95, 1)] == [10, 19, 20]


def test_each_operation_has_its_own_limit():
    log = [attempt(number, 200, str(number), operation=DELETE) for number in range(16)]
    log.append(attempt(0, 200, operation=PUT))
    counted = tally(log, wanted=16, operation=DELETE)
    assert (counted.attempts, counted.limit) == (16, 10)


@pytest.mark.parametrize(
    ("statuses", "also_rejected", "says"),
    [([200] * 115, 0, "reached"), ([200] * 114 + [429], 0, "MISSED"), ([200] * 115, 1, "MISSED")],
)
def test_the_verdict_needs_the_limit_and_no_rejection(statuses, also_rejected, says):
    log = [attempt(number * 0.0825, status, str(number)) for number, status in enumerate(statuses)]
    counted = tally(log, wanted=sum(status == 200 for status in statuses))
    assert 0.98 < counted.ratio < 1.01
    assert verdict(counted, 1.03, of="reading", also_rejected=also_rejected).endswith(f"{says}.")


def test_what_was_lost_misses_the_verdict_and_so_does_who_is_slow():
    log = [attempt(number * 0.0825, 200, str(number)) for number in range(115)]
    assert "MISSED" in verdict(tally(log, wanted=116), 1.03, of="reading")
    assert "MISSED" in verdict(tally(log, wanted=115), 0.9, of="reading")


def test_what_a_neighbour_leaves_is_a_full_bucket_and_the_rate_less_its_answered_calls():
    theirs = [
        attempt(number / 5, 200 if number % 2 else 429, user_agent="app/neighbour") for number in range(50)
    ]
    ours = [attempt(number / 5, 200 if number < 48 else 429) for number in range(48)] + [attempt(9, 429)]
    found = share_out([*theirs, *ours, attempt(20, 200)], GET, since=0, until=10.5)
    assert (found.attempts, found.rejected, found.answered, found.theirs) == (49, 1, 48, 25)
    assert found.rest == 15 + 105 - 25
    assert found.used == pytest.approx(48 / 95)


def test_an_edit_waits_until_the_first_answer_that_took_it():
    edits = [
        {"operation": operation, "target": target, "contact_type": "SECURITY", "at": 10.0}
        for operation, target in [(PUT, "1"), (PUT, "2"), (PUT, "3"), (DELETE, "4")]
    ]
    log = [
        attempt(10.0, 429, "1", "SECURITY", PUT),
        attempt(11.5, 200, "1", "SECURITY", PUT),
        attempt(19.5, 200, "1", "SECURITY", PUT),
        attempt(10.5, 200, "2", "SECURITY", PUT),
        attempt(10.5, 200, "3", "BILLING", PUT),
        attempt(12.5, 404, "4", "SECURITY", DELETE),
    ]
    assert waits(log, edits, PUT) == [1.0, 2.0]
    assert waits(log, edits, DELETE) == [3.0]


class BehindRelay:
    """The sandbox as the benchmark sees a stand-in that has no log of its own."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self.sandbox, self.url = sandbox, url

    def refresh(self) -> None:
        self.sandbox.aws.reset()

    def log(self) -> list[dict]:
        with urllib.request.urlopen(f"{self.url}/_sandbox/log") as answer:
            return json.load(answer)

    def env(self) -> dict[str, str]:
        return self.sandbox.env() | {"AWS_ENDPOINT_URL": self.url}


@pytest.fixture
def behind_relay(sandbox: Sandbox) -> Iterator[BehindRelay]:
    command = [sys.executable, "-m", "benchmarks.relay", sandbox.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield BehindRelay(sandbox, process.stdout.readline().split()[-1])
        process.kill()


def test_the_relay_counts_what_the_stand_in_counts(behind_relay: BehindRelay, sandbox: Sandbox):
    members = [account_id for account_id in sandbox.world.accounts if sandbox.world.is_member(account_id)]

    counted = read_with_boto3(behind_relay, "standard", [None, *members[:9]])

    truth = tally(sandbox.log(), wanted=30)
    assert counted.rejected
    assert (counted.attempts, counted.rejected, counted.failed) == (
        truth.attempts,
        truth.rejected,
        truth.failed,
    )
