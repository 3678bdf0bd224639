"""`make bench`: measures the portal and its peers and prints tables.

BENCH_AWS_ENDPOINT_URL names another stand-in of AWS than the sandbox; --only measures a part or one row of
the part aws alone, and --write puts the tables into docs/performance.md.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.audit.figures import measure_audit
from benchmarks.audit.names import EVENTS
from benchmarks.audit.report import audit_report
from benchmarks.bulk.figures import measure_bulk
from benchmarks.bulk.installation import POSTGRES, SQLITE
from benchmarks.bulk.report import bulk_report
from benchmarks.installation import installed_portal
from benchmarks.report import circumstances, write
from benchmarks.rows import ROWS, Scene
from benchmarks.scale.figures import measure_scale
from benchmarks.scale.report import scale_report
from benchmarks.standin import StandIn

AWS = "aws"


def main() -> int:
    """Measure; what was started is stopped, also after Ctrl-C or SIGTERM."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = options.only or [AWS, *PARTS]
    rows = list(ROWS) if AWS in wanted else [name for name in ROWS if name in wanted]
    # Short, because a unix socket lies in it.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as directory:  # noqa: S108
        if rows:
            _measure_rows(rows, Path(directory), options.write)
        for what in PARTS:
            if what in wanted:
                _tell(what, PARTS[what](Path(directory), options), options.write)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the portal.")
    parser.add_argument(
        "--only",
        action="append",
        choices=[AWS, *PARTS, *ROWS],
        help=f"measure this; {AWS}: {', '.join(ROWS)}",
    )
    parser.add_argument(
        "--events", type=int, default=EVENTS, help=f"events in the history of the audit; usual: {EVENTS:,}"
    )
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    return parser


def _measure_rows(names: list[str], directory: Path, is_kept: bool) -> None:
    """All in one installation: its workers and its mirror serve them one after another."""
    with StandIn(directory) as standin, installed_portal(directory, standin) as portal:
        scene = Scene(standin, portal, _say)
        for name in names:
            load = os.getloadavg()[0]
            _say(name)
            text = ROWS[name](scene)
            _tell(name, f"{circumstances(load)}. Stand-in: {standin.description}.\n\n{text}", is_kept)


def _tell(name: str, text: str, is_kept: bool) -> None:
    print(f"{text}\n", flush=True)
    if is_kept:
        write(f"measured {name}", text)


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


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


PARTS: dict[str, Callable[[Path, argparse.Namespace], str]] = {
    "bulk": _measure_bulk,
    "audit": _measure_audit,
    "scale": _measure_scale,
}


if __name__ == "__main__":
    sys.exit(main())
