"""Measures everything about bulk changes on one database."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bulk.installation import company_on, run_module
from benchmarks.bulk.names import LARGE, ROUNDS, SMALL, file_name
from benchmarks.bulk.pages import Pages, look_at_pages
from tests.live import LivePortal

PEER_WAYS = {"plain": "as its documentation advises", "loading": "the fastest we could make of it"}


@dataclass(frozen=True)
class Runs:
    """The same work, several times."""

    seconds: list[float]
    cpu: list[float]  # of the process itself; PostgreSQL's own comes on top
    peak_mib: float

    @property
    def median(self) -> float:
        """Seconds of the run in the middle."""
        return statistics.median(self.seconds)

    @property
    def cpu_median(self) -> float:
        """Seconds of a processor, of the run in the middle."""
        return statistics.median(self.cpu)


@dataclass(frozen=True)
class Figures:
    """All of one database."""

    database: str
    plan: Runs
    plan_large: Runs
    plan_sheet: Runs
    plan_large_sheet: Runs
    peers: dict[str, Runs]
    peer_version: str
    queue: Runs
    pages: Pages


def measure_bulk(database: str, directory: Path, say: Callable[[str], None]) -> Figures:
    """Make the company, then measure plans and peers in turns, pages, and the queue at last."""
    say(f"a company of 17,000 accounts on {database}")
    with company_on(database, directory) as (portal, session):
        small = [directory / file_name(SMALL, number) for number in range(ROUNDS)]
        answers: dict[str, list[dict[str, Any]]] = {"plan": [], **{way: [] for way in PEER_WAYS}}
        for number, path in enumerate(small, start=1):
            say(f"plan and dry run of {SMALL:,} rows, round {number} of {ROUNDS}")
            answers["plan"].append(run_module(portal, "planning", path))
            for way in PEER_WAYS:
                answers[way].append(run_module(portal, "peer", way, path))
        say(f"plans of {LARGE:,} rows and of workbooks")
        plans = _plans(portal, directory)
        say(f"pages while {LARGE:,} rows are planned")
        pages = look_at_pages(portal, session, directory)
        say(f"queueing {SMALL:,} changes, {ROUNDS} times")
        queue = run_module(portal, "queueing", *small)
        assert all(each["queued"] == SMALL for each in queue["rounds"])
    return Figures(
        database=database,
        plan=_runs(answers.pop("plan")),
        peer_version=answers["plain"][0]["version"],
        peers={way: _runs(found) for way, found in answers.items()},
        queue=_runs([queue]),
        pages=pages,
        **plans,
    )


def _plans(portal: LivePortal, directory: Path) -> dict[str, Runs]:
    """Each size and kind in processes of its own, so that each has its own peak of memory."""
    files = {
        "plan_large": [file_name(LARGE)] * ROUNDS,
        "plan_sheet": [file_name(SMALL, kind="xlsx")] * ROUNDS,
        "plan_large_sheet": [file_name(LARGE, kind="xlsx")],
    }
    return {
        what: _runs([run_module(portal, "planning", directory / name) for name in names])
        for what, names in files.items()
    }


def _runs(answers: Sequence[dict[str, Any]]) -> Runs:
    rounds = [one for answer in answers for one in answer["rounds"]]
    return Runs(
        [one["seconds"] for one in rounds],
        [one["cpu"] for one in rounds],
        max(answer.get("peak_mib", 0) for answer in answers),
    )
