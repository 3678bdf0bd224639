"""`make bench`: measures the portal and its peers on one stand-in of AWS and prints a table.

BENCH_AWS_ENDPOINT_URL names another stand-in than the sandbox; --write puts the table into
docs/performance.md.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.counting import Tally
from benchmarks.installation import installed_portal
from benchmarks.peers import CLI_ACCOUNTS, THREADS, read_with_boto3, read_with_cli, targets
from benchmarks.readings import edit_with_portal, read_with_portal
from benchmarks.report import report, write
from benchmarks.standin import StandIn


def main() -> int:
    """Measure; what was started is stopped, also after Ctrl-C or SIGTERM."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Short, because a unix socket lies in it.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as directory:  # noqa: S108
        text = _measure(Path(directory))
    print(text)
    if options.write:
        write(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the portal.")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser


def _measure(directory: Path) -> str:
    load = os.getloadavg()[0]
    with StandIn(directory) as standin, installed_portal(directory, standin) as portal:
        _say("sync_contacts reads every account")
        reading = read_with_portal(portal, standin)
        peers = dict(_peers(standin))
        _say("a person edits, with workers and beat")
        edits = edit_with_portal(portal, standin)
        return report(standin.description, load, reading, peers, edits)


def _peers(standin: StandIn) -> Iterator[tuple[str, Tally]]:
    everyone = targets(standin)
    for mode in ("standard", "adaptive"):
        _say(f"boto3 in {mode} mode")
        yield f"boto3 {mode}, {THREADS} threads", read_with_boto3(standin, mode, everyone)
    _say("a loop over the AWS CLI")
    yield "loop over the AWS CLI", read_with_cli(standin, everyone[:CLI_ACCOUNTS])


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
