"""The portal that is measured: real processes on PostgreSQL and a Redis-protocol server of its own."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.standin import StandIn
from portal.embedded import BEHIND, portal_parts
from tests.live import ROOT, LivePortal, wait_until
from tests.postgres import Postgres
from tests.valkey import Valkey

LONGEST_COMMAND = 600
WORKERS = 4  # processes that serve bulk work and reading; people's edits have one more
A_DAY = 86_400


@contextmanager
def installed_portal(directory: Path, standin: StandIn) -> Iterator[LivePortal]:
    """A migrated portal that knows the organization and may use the whole quota; nothing is read."""
    directory.chmod(0o755)  # PostgreSQL never runs as root
    valkey, database = Valkey(directory), Postgres(directory / "postgres")
    valkey.start()
    database.start()
    portal = LivePortal(
        database.url("postgres"),
        valkey.url,
        standin,
        directory=directory,
        AWS_QUOTA_SHARE=1,
        AWS_SANDBOX="false",
        CONTACT_FRESHNESS=A_DAY,  # what is read while we measure is what was asked for
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
        database.stop()
        valkey.stop()


@contextmanager
def workers_of(portal: LivePortal) -> Iterator[None]:
    """Beat, a worker for people's edits, and four for all else."""
    # On machines of their own, as in production, workers need not be nice to the pages.
    parts = {
        part.name: list(part.command)[len(BEHIND) if list(part.command)[: len(BEHIND)] == BEHIND else 0 :]
        for part in portal_parts(portal.port, portal.directory)
    }
    commands = {"people": parts["people"]}
    for number in range(WORKERS):
        commands[f"bulk{number}"] = [word.replace("bulk@", f"bulk{number}@") for word in parts["bulk"]]
    for name, command in commands.items():
        portal.launch(name, command)
    for name in commands:
        wait_until(lambda name=name: " ready." in portal.log(name), f"{name} is ready", seconds=120)
    portal.launch("beat", parts["beat"])
    try:
        yield
    finally:
        portal.stop()
        for name in commands:
            (portal.directory / f"{name}.log").write_text("")


def manage(portal: LivePortal, *arguments: str) -> tuple[str, float]:
    """Run `manage.py …`; its answer, and the seconds from start to end. Ends the benchmark when it fails."""
    started = time.monotonic()
    done = portal.run_command(*arguments, timeout=LONGEST_COMMAND)
    if done.returncode:
        raise SystemExit(f"manage.py {' '.join(arguments)} failed: {done.stderr or done.stdout}")
    return done.stdout, time.monotonic() - started


def run_inside(portal: LivePortal, module: str, *arguments: object, timeout: float = LONGEST_COMMAND) -> Any:
    """Run a module of this package as a process of the portal; the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT, env=environment_of(portal), stdout=subprocess.PIPE, text=True, timeout=timeout, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def environment_of(portal: LivePortal) -> dict[str, str]:
    """For a process that calls django.setup()."""
    return portal.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
