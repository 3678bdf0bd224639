"""The benchmark counts what a stand-in's log says, also where the attempts are counted on the way to it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from benchmarks.counting import GET, tally
from benchmarks.peers import read_with_boto3
from benchmarks.report import percentile
from sandbox.testing import Sandbox


def attempt(start: float, status: int, target: str | None = "1", contact_type: str = "BILLING") -> dict:
    return {
        "operation": GET,
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
    with pytest.raises(ValueError, match="no read"):
        tally([], wanted=1)


def test_a_percentile_is_one_of_the_values():
    assert [percentile(range(1, 21), share) for share in (0.5, 0.95, 1)] == [10, 19, 20]


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
