"""The numbers of the audit as tables."""

import os
from collections.abc import Iterator
from importlib.metadata import version

from benchmarks.audit.figures import Export, Figures, Look
from benchmarks.audit.names import ROUNDS, WRITERS, WRITING
from benchmarks.report import circumstances, table

MOST_LOOK = 1.0  # seconds of one page of what was looked for, with its count
MOST_VERIFYING = 4  # times the bare look
LEAST_SHARE = 0.8  # of the writers without seals
OLDEST = 1.0  # seconds
MOST_MEMORY = 1.2  # times, for ten times the events

LOOK_HEADINGS = ("looked for", "found", "first ms", "ms", "bare ms", "whole page ms")
WAY_NAMES = {
    "sealed": "audit.log.record(), sealed meanwhile",
    "unsealed": "the same row inserted, no seal",
    "peer": "django-auditlog",
}


def audit_report(load: float, figures: Figures) -> str:
    """Everything that was measured of the audit in this run."""
    versions = (
        f"PostgreSQL {figures.server}",
        f"Django {version('django')}",
        f"django-auditlog {figures.peer_version}",
    )
    parts = [
        f"{circumstances(load)}, {', '.join(versions)}.",
        _history(figures),
        table(LOOK_HEADINGS, [_look_row(look) for look in figures.looks]),
        table(("every event", "seconds", "events/s", "x"), list(_verifying_rows(figures))),
        table(
            (f"{WRITERS} writers", "events/s", "of unsealed", "oldest without a seal"),
            list(_writer_rows(figures)),
        ),
        table(
            ("export", "lines", "MiB", "seconds", "lines/s", "peak MiB"),
            [_export_row(one) for one in figures.exports],
        ),
        _verdict(figures),
    ]
    return "\n\n".join(parts)


def _history(figures: Figures) -> str:
    mib, seconds = figures.mib, figures.seconds
    return (
        f"{figures.events:,} events over five years: {mib['events']:,} MiB, their indexes "
        f"{mib['indexes']:,} MiB, their seals {mib['seals']:,} MiB. "
        f"Made in {seconds['filling']:.0f} s, indexed in {seconds['indexing']:.0f} s."
    )


def _look_row(look: Look) -> list[str]:
    times = (look.first, look.finding, look.bare, look.page)
    return [
        look.name,
        look.found.removesuffix("s").removesuffix(" event"),
        *(f"{1000 * each:.0f}" for each in times),
    ]


def _verifying_rows(figures: Figures) -> Iterator[list[str]]:
    names = {"select": "SELECT, one process", "copy": "COPY, one process"}
    rows = {f"verify_audit, {os.cpu_count()} processes": figures.verifying} | {
        names[way]: seconds for way, seconds in figures.bare.items()
    }
    for name, seconds in rows.items():
        yield [
            name,
            f"{seconds:.1f}",
            f"{figures.events / seconds:,.0f}",
            f"{seconds / figures.bare['select']:.1f}",
        ]


def _writer_rows(figures: Figures) -> Iterator[list[str]]:
    plain = figures.writers["unsealed"].median
    for way, writers in figures.writers.items():
        age = f"{writers.oldest:.2f} s" if way == "sealed" else "–"
        yield [WAY_NAMES[way], f"{writers.median:,.0f}", f"{writers.median / plain:.0%}", age]


def _export_row(one: Export) -> list[str]:
    kind = {"bare": "COPY of the same rows"}.get(one.kind, one.kind)
    return [
        kind,
        f"{one.lines:,}",
        f"{one.mib:.0f}",
        f"{one.seconds:.1f}",
        f"{one.lines / one.seconds:,.0f}",
        f"{one.peak_mib:.0f}",
    ]


def _verdict(figures: Figures) -> str:
    slowest = max(figures.looks, key=lambda look: look.finding)
    ratio = figures.verifying / figures.bare["select"]
    sealed = figures.writers["sealed"]
    share = sealed.median / figures.writers["unsealed"].median
    growth = max(_growths(figures.exports))
    held = {
        f"each page of {figures.events:,} events, with its count, in {MOST_LOOK:g} s (“{slowest.name}” "
        f"{slowest.finding:.2f})": slowest.finding <= MOST_LOOK,
        f"verification at most {MOST_VERIFYING} times the bare SELECT ({ratio:.1f})": ratio <= MOST_VERIFYING,
        f"at least {LEAST_SHARE:.0%} of the writers without seals ({share:.0%})": share >= LEAST_SHARE,
        f"no event older than {OLDEST:g} s without a seal ({sealed.oldest:.2f})": sealed.oldest <= OLDEST,
        f"at most {MOST_MEMORY} times the memory for ten times the export ({growth:.2f})": growth
        <= MOST_MEMORY,
    }
    words = "; ".join(f"{what}: {'reached' if is_held else 'MISSED'}" for what, is_held in held.items())
    return f"To be reached, in the median of {ROUNDS} rounds, of {WRITING} for writers: {words}."


def _growths(exports: list[Export]) -> Iterator[float]:
    for kind in ("jsonl", "csv"):
        small, large = (one.peak_mib for one in exports if one.kind == kind)
        yield large / small
