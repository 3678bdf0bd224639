"""The portal that is measured: real processes on SQLite and a Redis-protocol server of its own."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.standin import StandIn
from tests.live import LivePortal
from tests.valkey import Valkey

LONGEST_COMMAND = 300


@contextmanager
def installed_portal(directory: Path, standin: StandIn) -> Iterator[LivePortal]:
    """A migrated portal that knows the stand-in's organization and may use the whole quota."""
    valkey = Valkey(directory)
    valkey.start()
    portal = LivePortal(
        f"sqlite:///{directory / 'portal.sqlite3'}",
        valkey.url,
        standin,
        directory=directory,
        AWS_QUOTA_SHARE=1,
        AWS_SANDBOX="false",
        SECRET_KEY=secrets.token_urlsafe(50),
        LOG_LEVEL="INFO",
    )
    try:
        manage(portal, "migrate", "--verbosity", "0")
        manage(portal, "connect_organization")
        manage(portal, "sync_accounts")
        yield portal
    finally:
        portal.stop()
        valkey.stop()


def manage(portal: LivePortal, *arguments: str) -> tuple[str, float]:
    """Run `manage.py …`; its answer, and the seconds from start to end. Ends the benchmark when it fails."""
    started = time.monotonic()
    done = portal.run_command(*arguments, timeout=LONGEST_COMMAND)
    if done.returncode:
        raise SystemExit(f"manage.py {' '.join(arguments)} failed: {done.stderr or done.stdout}")
    return done.stdout, time.monotonic() - started


def manage_json(portal: LivePortal, *arguments: str) -> tuple[Any, float]:  # Any: JSON
    """The same with --json."""
    text, seconds = manage(portal, *arguments, "--json")
    return json.loads(text), seconds
