"""Measures everything about the audit among so many events."""

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.audit.names import ROUNDS, SECONDS, WAYS, WRITING
from benchmarks.audit.server import history_of, peer_portal, run_module, verify_whole
from portal.embedded import BEHIND, portal_parts
from tests.live import LivePortal, wait_until

SHARES = (200, 20)  # of all events: a file of one in two hundred, and one of ten times that


@dataclass(frozen=True)
class Look:
    """One filter or search; seconds are those of the round in the middle."""

    name: str
    found: str
    first: float  # the very first time, when the disk may have to be read
    finding: float
    bare: float
    page: float


@dataclass(frozen=True)
class Writers:
    """Events a second of each round of one way."""

    rates: list[float]
    oldest: float = 0  # seconds: the age of the oldest event without a seal, at any time

    @property
    def median(self) -> float:
        """Of the round in the middle."""
        return statistics.median(self.rates)


@dataclass(frozen=True)
class Export:
    """One file."""

    kind: str
    lines: int
    mib: float
    seconds: float
    peak_mib: float


@dataclass(frozen=True)
class Figures:
    """All that was measured."""

    server: str  # the version of PostgreSQL
    events: int
    seconds: dict[str, float]  # of making the history
    mib: dict[str, int]  # that it takes on the disk
    looks: list[Look]
    verifying: float
    bare: dict[str, float]
    writers: dict[str, Writers]
    peer_version: str
    exports: list[Export]


def measure_audit(events: int, directory: Path, say: Callable[[str], None]) -> Figures:
    """Make the history; then find, verify, export and, because that adds to it, write at last."""
    say(f"a history of {events:,} sealed events on PostgreSQL")
    with history_of(events, directory) as (portal, history):
        say("filters and searches")
        looks = [Look(**look) for look in run_module(portal, "finding", ROUNDS)["looks"]]
        say(f"verification of the whole chain, {os.cpu_count()} processes")
        bare = run_module(portal, "verifying")
        verifying = verify_whole(portal)
        say("export")
        exports = list(_exports(portal, events))
        writers, version = _writers(portal, say)
    return Figures(
        server=history["server"],
        events=events,
        seconds=history["seconds"],
        mib=history["mib"],
        looks=looks,
        verifying=verifying,
        bare=bare,
        writers=writers,
        peer_version=version,
        exports=exports,
    )


def _exports(portal: LivePortal, events: int) -> list[Export]:
    return [
        Export(kind, **run_module(portal, "exporting", kind, events // share))
        for kind in ("jsonl", "csv", "bare")
        for share in SHARES
    ]


def _writers(portal: LivePortal, say: Callable[[str], None]) -> tuple[dict[str, Writers], str]:
    """In turns, with worker and beat as in production: without the low priority they have on one machine."""
    peer = peer_portal(portal)
    for part in portal_parts(portal.port, portal.directory):
        if part.name in ("bulk", "beat"):
            portal.launch(part.name, part.command[len(BEHIND) :])
    wait_until(
        lambda: " ready." in portal.log("bulk"), "the sealer is ready", says=lambda: portal.log("bulk")
    )
    answers: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for number in range(1, WRITING + 1):
        say(f"concurrent writers, round {number} of {WRITING}")
        for way in WAYS:
            answers[way].append(run_module(peer if way == "peer" else portal, "writing", way, SECONDS))
    found = {
        way: Writers([one["rate"] for one in each], max(one["oldest"] for one in each))
        for way, each in answers.items()
    }
    return found, answers["peer"][0]["peer"]
