"""Measures discovery, and every page of a large company, on PostgreSQL."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bulk.installation import POSTGRES, Nowhere, portal_on, run_module
from benchmarks.scale.discovery import Discovery, measure_discovery


@dataclass(frozen=True)
class Page:
    """Seconds of each look at a page, in rising order, and how many bytes it has."""

    seconds: list[float]
    length: int


@dataclass(frozen=True)
class Scale:
    """All of this part; seconds of looks in rising order."""

    discovery: Discovery
    ours: list[float]  # the account list with two filters and a search
    theirs: list[float]  # Django admin's changelist with the same
    scoped: list[float]  # the account list of somebody who sees one division
    rows: dict[str, tuple[int, int]]  # what the two found for each search
    pages: dict[str, Page]


def measure_scale(directory: Path, say: Callable[[str], None]) -> Scale:
    """Discover 10,000 accounts, then make 100,000 and look at them."""
    say("discovery of 10,000 accounts in 300 units, by a worker")
    discovery = measure_discovery(directory / "discovery")
    say("a company of 100,000 accounts on PostgreSQL")
    with portal_on(POSTGRES, directory / "scale", Nowhere()) as portal:
        run_module(portal, "scene", package="scale")
        say("the list of accounts and Django admin's changelist in turns, then every other page")
        looks = run_module(portal, "looks", package="scale", settings="benchmarks.scale.settings")
    return Scale(
        discovery=discovery,
        ours=sorted(looks["ours"]),
        theirs=sorted(looks["theirs"]),
        scoped=sorted(looks["scoped"]),
        rows={search: tuple(found) for search, found in looks["rows"].items()},
        pages={name: Page(sorted(page["seconds"]), page["bytes"]) for name, page in looks["pages"].items()},
    )
