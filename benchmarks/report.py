"""The measured numbers as a table, on the terminal and in docs/performance.md."""

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.counting import QUOTA, Tally
from benchmarks.readings import Edits, Reading

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- {} -->", "<!-- /{} -->"  # what was measured
MOST = 1.1  # times the limit
HEADINGS = ("reader", "contacts", "attempts", "rejected", "failed", "lost", "seconds", "limit", "ratio")


def report(standin: str, load: float, reading: Reading, peers: Mapping[str, Tally], edits: Edits) -> str:
    """Everything that was measured in this run."""
    parts = [
        f"{circumstances(load)}. Stand-in: {standin}.",
        table(HEADINGS, [_row(name, one) for name, one in {"this portal": reading.tally, **peers}.items()]),
        _verdict(reading.tally),
        _where_the_time_went(reading),
        table(("edits", "applied", "p50", "p95", "longest", "p95 until saved"), [_edit_row(edits)]),
        "Seconds from Save to the settled row.",
    ]
    return "\n\n".join(parts)


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


def _row(name: str, one: Tally) -> list[str]:
    counts = (one.wanted, one.attempts, one.rejected, one.failed, one.lost)
    ratio = "–" if one.ratio is None else f"{one.ratio:.3f}"
    return [name, *map(str, counts), f"{one.seconds:.1f}", f"{one.limit:.1f}", ratio]


def _verdict(one: Tally) -> str:
    is_reached = one.ratio is not None and one.ratio <= MOST and not one.rejected
    words = "reached" if is_reached else "MISSED"
    return f"To be reached with 150 accounts: at most {MOST} times the limit, none rejected. It was {words}."


def _where_the_time_went(reading: Reading) -> str:
    one = reading.tally
    burst = QUOTA.burst / QUOTA.rate
    return (
        f"Of the {one.seconds:.1f} s, {one.limit:.1f} s are the limit, {burst:.1f} s the burst that is left "
        f"unused, and {one.seconds - one.limit - burst:.1f} s all the rest. "
        f"An answer took {one.mean_seconds * 1000:.0f} ms. "
        f"The whole command took {reading.seconds:.1f} s, and {reading.cpu_seconds:.1f} s of a processor."
    )


def _edit_row(edits: Edits) -> list[str]:
    times = [percentile(edits.seconds, share) for share in (0.5, 0.95, 1)]
    saved = percentile(edits.saves, 0.95)
    return [str(len(edits.seconds)), str(edits.applied), *(f"{each:.2f}" for each in (*times, saved))]
