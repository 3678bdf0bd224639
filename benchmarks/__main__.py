"""`make bench`: measures the portal and its peers and prints tables.

BENCH_AWS_ENDPOINT_URL names another stand-in of AWS than the sandbox; --only measures a part, and --write
puts the tables into docs/performance.md.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.audit.figures import measure_audit
from benchmarks.audit.names import EVENTS
from benchmarks.audit.report import audit_report
from benchmarks.bulk.figures import measure_bulk
from benchmarks.bulk.installation import POSTGRES, SQLITE
from benchmarks.bulk.report import bulk_report
from benchmarks.counting import Tally
from benchmarks.installation import installed_portal
from benchmarks.peers import CLI_ACCOUNTS, THREADS, read_with_boto3, read_with_cli, targets
from benchmarks.readings import edit_with_portal, read_with_portal
from benchmarks.report import report, write
from benchmarks.scale.figures import measure_scale
from benchmarks.scale.report import scale_report
from benchmarks.standin import StandIn


def main() -> int:
    """Measure; what was started is stopped, also after Ctrl-C or SIGTERM."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Short, because a unix socket lies in it.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as directory:  # noqa: S108
        for what in options.only or PARTS:
            text = PARTS[what](Path(directory), options)
            print(f"{text}\n", flush=True)
            if options.write:
                write(f"measured {what}", text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the portal.")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part")
    parser.add_argument(
        "--events", type=int, default=EVENTS, help=f"events in the history of the audit; usual: {EVENTS:,}"
    )
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    return parser


def _measure_aws(directory: Path, _: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    with StandIn(directory) as standin, installed_portal(directory, standin) as portal:
        _say("sync_contacts reads every account")
        reading = read_with_portal(portal, standin)
        peers = dict(_peers(standin))
        _say("a person edits, with workers and beat")
        edits = edit_with_portal(portal, standin)
        return report(standin.description, load, reading, peers, edits)


def _measure_bulk(directory: Path, _: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    directory.chmod(0o755)  # PostgreSQL never runs as root
    found = [measure_bulk(name, directory / name, _say) for name in (SQLITE, POSTGRES)]
    return bulk_report(load, found)


def _measure_audit(directory: Path, options: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    directory.chmod(0o755)  # PostgreSQL never runs as root
    return audit_report(load, measure_audit(options.events, directory / "audit", _say))


def _measure_scale(directory: Path, _: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    directory.chmod(0o755)  # PostgreSQL never runs as root
    return scale_report(load, measure_scale(directory, _say))


def _peers(standin: StandIn) -> Iterator[tuple[str, Tally]]:
    everyone = targets(standin)
    for mode in ("standard", "adaptive"):
        _say(f"boto3 in {mode} mode")
        yield f"boto3 {mode}, {THREADS} threads", read_with_boto3(standin, mode, everyone)
    _say("a loop over the AWS CLI")
    yield "loop over the AWS CLI", read_with_cli(standin, everyone[:CLI_ACCOUNTS])


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


PARTS: dict[str, Callable[[Path, argparse.Namespace], str]] = {
    "aws": _measure_aws,
    "bulk": _measure_bulk,
    "audit": _measure_audit,
    "scale": _measure_scale,
}


if __name__ == "__main__":
    sys.exit(main())
