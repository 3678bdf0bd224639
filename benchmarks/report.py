"""The measured numbers as a table, on the terminal and in docs/performance.md."""

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.counting import Sharing, Tally

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- {} -->", "<!-- /{} -->"  # what was measured
MOST = 1.03  # times the limit


def write(what: str, text: str) -> None:
    """Put the text in the place that docs/performance.md keeps for it."""
    begin, end = BEGIN.format(what), END.format(what)
    page = PAGE.read_text()
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not pass (nearest rank)."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def circumstances(load: float) -> str:
    """When, on what, and how busy it was."""
    day = datetime.now(UTC).date().isoformat()
    machine = f"{os.cpu_count()} cores ({_processor()}), load {load:.1f} when it began"
    software = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"Measured on {day}: {machine}; {software}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As Markdown."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [headings, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def tally_row(name: str, one: Tally) -> list[str]:
    """As a row of the table of attempts."""
    counts = (one.wanted, one.attempts, one.rejected, one.failed, one.lost)
    ratio = "–" if one.ratio is None else f"{one.ratio:.3f}"
    return [name, *map(str, counts), f"{one.seconds:.1f}", f"{one.limit:.1f}", ratio]


def verdict(one: Tally, most: float, *, of: str, also_rejected: int = 0) -> str:
    """Whether it came near enough to the limit, lost nothing, and no call was rejected."""
    is_near = one.ratio is not None and one.ratio <= most
    is_reached = is_near and not one.rejected and not also_rejected and not one.lost
    words = "reached" if is_reached else "MISSED"
    return f"To be reached by {of}: at most {most} times the limit, none rejected. It was {words}."


def edit_rows(edits: Sequence[Mapping[str, Any]], found: Mapping[str, list[float]]) -> list[list[str]]:
    """Put and Delete apart: seconds until AWS's answer, in rising order."""
    return [_edit_row(operation, edits, seconds) for operation, seconds in found.items()]


def _edit_row(operation: str, edits: Sequence[Mapping[str, Any]], seconds: list[float]) -> list[str]:
    mine = [edit for edit in edits if edit["operation"] == operation]
    applied = sum(edit["status"] == "applied" for edit in mine)
    times = [percentile(seconds, share) for share in (0.5, 0.95, 1)]
    saved = percentile(sorted(edit["save"] for edit in mine), 0.95)
    return [operation, str(len(mine)), str(applied), *(f"{each:.2f}" for each in (*times, saved))]


def sharing_row(name: str, one: Sharing) -> list[str]:
    """As a row of the table about the neighbour."""
    rejected = f"{one.rejected} ({one.rejected_share:.1%})"
    return [name, str(one.attempts), rejected, str(one.theirs), str(one.answered), f"{one.used:.0%}"]
