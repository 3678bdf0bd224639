"""PostgreSQL as a company would run it, and a portal on it whose audit holds years of events."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

from benchmarks.bulk.installation import Nowhere, environment_of
from benchmarks.installation import manage
from tests.live import ROOT, LivePortal
from tests.postgres import Postgres
from tests.valkey import Valkey

LONGEST = 3600  # seconds of one process
# What is committed is on the disk: fsync, full_page_writes and synchronous_commit stay on, as usual.
PRODUCTION = {
    "shared_buffers": "2GB",
    "effective_cache_size": "6GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
}
# While the history is made, nothing has to survive a crash.
LOADING = PRODUCTION | {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def history_of(events: int, directory: Path) -> Iterator[tuple[LivePortal, dict[str, Any]]]:  # Any: JSON
    """The portal, and what its history holds. No part of the portal runs yet."""
    directory.mkdir()
    server = Postgres(directory / "postgres", options_of(LOADING))
    server.start()
    valkey = Valkey(directory)
    valkey.start()
    portal = _portal(server.url("postgres"), valkey.url, directory)
    try:
        manage(portal, "migrate", "--verbosity", "0")
        manage(portal, "collectstatic", "--no-input", "--verbosity", "0")
        facts = run_module(portal, "history", events)
        server.options = options_of(PRODUCTION)
        server.restart()
        yield portal, facts
    finally:
        portal.stop()
        valkey.stop()
        server.stop()


def run_module(portal: LivePortal, module: str, *arguments: object) -> dict[str, Any]:  # Any: JSON
    """Run a module of this package as a process of the portal; what its last line says."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.audit.{module}", *map(str, arguments)],
        cwd=ROOT, env=environment_of(portal) | portal.environment, stdout=subprocess.PIPE, text=True,
        timeout=LONGEST, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def verify_whole(portal: LivePortal) -> float:
    """Seconds of `manage.py verify_audit`, with as many processes as there are cores."""
    started = time.perf_counter()
    done = portal.run_command("verify_audit", "--json", timeout=LONGEST)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - started


def peer_portal(portal: LivePortal) -> LivePortal:
    """The same portal on the same database, with django-auditlog beside it."""
    peer = copy(portal)
    peer.environment = portal.environment | {"DJANGO_SETTINGS_MODULE": "benchmarks.audit.peer_settings"}
    manage(peer, "migrate", "auditlog", "--verbosity", "0")
    return peer


def options_of(settings: dict[str, str]) -> list[str]:
    """As the server's command line wants them."""
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _portal(database_url: str, redis_url: str, directory: Path) -> LivePortal:
    """Nothing of it is due to be read from AWS, which is not there."""
    month = 30 * 86_400
    return LivePortal(
        database_url,
        redis_url,
        Nowhere(),
        directory=directory,
        AWS_SANDBOX="false",
        SECRET_KEY=secrets.token_urlsafe(50),
        LOG_LEVEL="INFO",
        CONTACT_FRESHNESS=month,
        DISCOVERY_INTERVAL=month,
    )
