"""A portal that holds the company of scene.py, on either database."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.installation import manage
from benchmarks.standin import SANDBOX_USER, StandIn
from tests.live import ROOT, LivePortal
from tests.postgres import Postgres
from tests.valkey import Valkey

LONGEST = 600  # seconds of one process
SQLITE, POSTGRES = "SQLite", "PostgreSQL"


class Nowhere:
    """In place of AWS, which nobody asks here."""

    def env(self) -> dict[str, str]:
        """As the sandbox's."""
        return SANDBOX_USER | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


@contextmanager
def company_on(database: str, directory: Path) -> Iterator[tuple[LivePortal, str]]:
    """The portal, and the session of the editor. No part of it runs yet."""
    with portal_on(database, directory, Nowhere()) as portal:
        yield portal, run_module(portal, "scene", directory)["session"]


@contextmanager
def portal_on(
    database: str, directory: Path, aws: Nowhere | StandIn, **settings: object
) -> Iterator[LivePortal]:
    """A migrated portal that holds nothing, on a database and a Redis-protocol server of its own."""
    directory.mkdir()
    directory.chmod(0o755)  # PostgreSQL never runs as root
    valkey = Valkey(directory)
    valkey.start()
    try:
        with _address_of(database, directory) as url:
            facts = {"AWS_SANDBOX": "false", "SECRET_KEY": secrets.token_urlsafe(50), "LOG_LEVEL": "WARNING"}
            portal = LivePortal(
                url,
                valkey.url,
                aws,
                directory=directory,
                COMPANY_EMAIL_DOMAINS="northwind.example",
                **(facts | settings),
            )
            try:
                manage(portal, "migrate", "--verbosity", "0")
                manage(portal, "collectstatic", "--no-input", "--verbosity", "0")
                yield portal
            finally:
                portal.stop()
    finally:
        valkey.stop()


def run_module(
    portal: LivePortal,
    module: str,
    *arguments: object,
    package: str = "bulk",
    settings: str = "portal.settings",
) -> dict[str, Any]:  # Any: JSON
    """Run a module of a package of benchmarks as a process of the portal; what its last line says."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{package}.{module}", *map(str, arguments)],
        cwd=ROOT, env=environment_of(portal) | {"DJANGO_SETTINGS_MODULE": settings},
        stdout=subprocess.PIPE, text=True, timeout=LONGEST, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def environment_of(portal: LivePortal) -> dict[str, str]:
    """For a process that calls django.setup()."""
    return portal.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"}


@contextmanager
def _address_of(database: str, directory: Path) -> Iterator[str]:
    if database == SQLITE:
        yield f"sqlite:///{directory / 'portal.sqlite3'}"
        return
    server = Postgres(directory / "postgres")
    server.start()
    try:
        yield server.url("postgres")
    finally:
        server.stop()
