"""The named peers on the same stand-in: boto3 in its own retry modes, and a loop over the AWS CLI."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.counting import Tally, tally
from benchmarks.standin import StandIn

CONTACT_TYPES = ("BILLING", "OPERATIONS", "SECURITY")
THREADS = 8
CLI_ACCOUNTS = 10
CLI = str(Path(sys.executable).with_name("aws"))
LONGEST = 900  # seconds of one peer

Target = str | None  # an account's id; None is the caller's own, which is asked for without one


def targets(standin: StandIn) -> list[Target]:
    """All accounts of the caller's organization."""
    env = environment_of_peer(standin)
    caller = _ask(env, "sts", "get-caller-identity", "--query", "Account")
    accounts = _ask(env, "organizations", "list-accounts", "--query", "Accounts[].Id")
    return [None if account == caller else account for account in accounts]


def read_with_boto3(standin: StandIn, mode: str, chosen: Sequence[Target], processes: int = 1) -> Tally:
    """Processes with threads, the mode's default retries; each takes its part of the accounts."""
    standin.refresh()
    parts = [chosen[number::processes] for number in range(processes)]
    running = [_start_boto3(standin, mode, part, THREADS // processes) for part in parts]
    for process in running:
        if process.wait(timeout=LONGEST):
            raise SystemExit("A process of boto3 failed.")
    return tally(standin.log(), wanted=len(chosen) * len(CONTACT_TYPES))


def call_with_boto3(standin: StandIn, chosen: Sequence[Target], threads: int) -> float:
    """Calls a second of a bare thread pool, measured by itself; nothing is kept of what it reads."""
    process = _start_boto3(standin, "standard", chosen, threads)
    said, _ = process.communicate(timeout=LONGEST)
    return len(chosen) * len(CONTACT_TYPES) / float(said)


def _start_boto3(
    standin: StandIn, mode: str, chosen: Sequence[Target], threads: int
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.boto3_reader", mode, str(threads)],
        env=environment_of_peer(standin), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(json.dumps(list(chosen)))
    process.stdin.close()
    process.stdin = None  # communicate() would flush it
    return process


def read_with_cli(standin: StandIn, chosen: Sequence[Target]) -> Tally:
    """One `aws account get-alternate-contact` after another, as a shell loop does it."""
    standin.refresh()
    env = environment_of_peer(standin)
    for target in chosen:
        for contact_type in CONTACT_TYPES:
            account = ["--account-id", target] if target else []
            command = ["get-alternate-contact", "--alternate-contact-type", contact_type, *account]
            # A contact that is not set ends in an error too; the stand-in's log tells the two apart.
            subprocess.run([CLI, "account", *command], env=env, capture_output=True, timeout=60, check=False)
    return tally(standin.log(), wanted=len(chosen) * len(CONTACT_TYPES))


def _ask(env: dict[str, str], *command: str):
    done = subprocess.run(
        [CLI, *command, "--output", "json"], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise SystemExit(f"aws {' '.join(command)} failed: {done.stderr}")
    return json.loads(done.stdout)


def environment_of_peer(standin: StandIn) -> dict[str, str]:
    rest = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return rest | standin.env()
