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
LONGEST = 300  # seconds of one peer

Target = str | None  # an account's id; None is the caller's own, which is asked for without one


def targets(standin: StandIn) -> list[Target]:
    """All accounts of the caller's organization."""
    env = _environment(standin)
    caller = _ask(env, "sts", "get-caller-identity", "--query", "Account")
    accounts = _ask(env, "organizations", "list-accounts", "--query", "Accounts[].Id")
    return [None if account == caller else account for account in accounts]


def read_with_boto3(standin: StandIn, mode: str, chosen: Sequence[Target]) -> Tally:
    """One process with threads, the mode's default retries."""
    standin.refresh()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.boto3_reader", mode, str(THREADS)],
        env=_environment(standin), input=json.dumps(list(chosen)), text=True, check=True, timeout=LONGEST,
    )  # fmt: skip
    return tally(standin.log(), wanted=len(chosen) * len(CONTACT_TYPES))


def read_with_cli(standin: StandIn, chosen: Sequence[Target]) -> Tally:
    """One `aws account get-alternate-contact` after another, as a shell loop does it."""
    standin.refresh()
    env = _environment(standin)
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


def _environment(standin: StandIn) -> dict[str, str]:
    rest = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return rest | standin.env()
