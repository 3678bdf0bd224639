"""Discovery by a worker, as in production: attempts from the sandbox's log, memory from the system."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.bulk.installation import POSTGRES, portal_on
from benchmarks.installation import manage
from benchmarks.scale.standin import LargeStandIn
from portal.published_quotas import quota_per_organization, quotas_per_account
from tests.live import LivePortal

LONGEST = 300  # seconds
WORKER = "bulk"  # what serves discovery in `make run`
READ = ("ListAccounts", "ListOrganizationalUnitsForParent", "ListRoots")


@dataclass(frozen=True)
class Discovery:
    """One organization read and written for the first time; seconds from the first attempt on."""

    accounts: int
    units: int
    attempts: int
    rejected: int
    limit: float
    seconds: float  # until the end of the last attempt
    whole_seconds: float  # until all was written
    rest_mib: float
    peak_mib: float

    @property
    def ratio(self) -> float:
        """How many times the limit reading took."""
        return self.seconds / self.limit


def measure_discovery(directory: Path) -> Discovery:
    """Connect while no worker runs, then start one: the message waits for it."""
    directory.mkdir()
    with (
        LargeStandIn(directory) as standin,
        portal_on(POSTGRES, directory / "portal", standin, AWS_QUOTA_SHARE=1, LOG_LEVEL="INFO") as portal,
    ):
        manage(portal, "connect_organization")
        standin.refresh()
        portal.start(WORKER)
        rest = _peak_mib(portal)
        observed_at, accounts, units = _wait(portal)
        peak = _peak_mib(portal)
        return _counted(
            standin.log(), observed_at, accounts=accounts, units=units, rest_mib=rest, peak_mib=peak
        )


def limit_of(attempts: Sequence[dict[str, Any]]) -> float:  # Any: JSON
    """The least seconds that the quotas allow: each operation has its own, and some have two."""
    taken = Counter(attempt["operation"] for attempt in attempts if attempt["status"] != 429)
    per_account = quotas_per_account("aws")
    limits = [0.0]
    for operation, count in taken.items():
        quotas = (per_account.get(operation), quota_per_organization(operation))
        limits += [(count - quota.burst) / quota.rate for quota in quotas if quota]
    return max(limits)


def _counted(log: list[dict[str, Any]], observed_at: datetime, **facts: Any) -> Discovery:
    """What belongs to the discovery: the checks that follow it ask for no lists."""
    end = max(attempt["at_end"] for attempt in log if attempt["operation"] in READ)
    attempts = [attempt for attempt in log if attempt["at_start"] < end]
    start = min(attempt["at_start"] for attempt in attempts)
    return Discovery(
        attempts=len(attempts),
        rejected=sum(attempt["status"] == 429 for attempt in attempts),
        limit=limit_of(attempts),
        seconds=end - start,
        whole_seconds=observed_at.timestamp() - start,
        **facts,
    )


def _wait(portal: LivePortal) -> tuple[datetime, int, int]:
    """When all was written, and how many accounts and units there are then."""
    deadline = time.monotonic() + LONGEST
    socket = portal.directory / "postgres" / "socket"
    with psycopg.connect(host=str(socket), user="postgres", dbname="postgres", autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute("SELECT observed_at FROM orgs_organization").fetchone()
            if row and row[0]:
                counts = connection.execute(
                    "SELECT (SELECT count(*) FROM orgs_account),"
                    " (SELECT count(*) FROM orgs_organizationalunit WHERE parent_id IS NOT NULL)"
                ).fetchone()
                assert counts
                return row[0], *counts
            time.sleep(0.2)
    raise SystemExit(f"The discovery did not end in {LONGEST} s: {portal.log(WORKER)}")


def _peak_mib(portal: LivePortal) -> float:
    """The most memory that a process of the worker ever held."""
    group = portal.processes[WORKER].pid
    peaks = [0.0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            stat, facts = (status.parent / "stat").read_text(), status.read_text()
        except OSError:  # it ended meanwhile
            continue
        if int(stat.rpartition(")")[2].split()[2]) == group:
            peaks += [int(line.split()[1]) / 1024 for line in facts.splitlines() if line.startswith("VmHWM")]
    return max(peaks)
