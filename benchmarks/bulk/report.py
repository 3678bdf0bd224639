"""The numbers of bulk changes as tables."""

from collections.abc import Sequence
from importlib.metadata import version

from benchmarks.bulk.figures import PEER_WAYS, Figures, Runs
from benchmarks.bulk.names import LARGE, ROUNDS, SMALL
from benchmarks.bulk.pages import Looks
from benchmarks.report import circumstances, percentile, table

LIMITS = {"plan": 3.0, "queue": 5.0}  # seconds for 10,000 rows
LEAST_RATIO = 5  # times as fast as the peer
MOST_MEMORY = 1.5  # times, for five times the rows

HEADINGS = ("database", "what", "rows", "runs", "seconds", "fastest", "of a processor", "peak MiB", "x plan")
PAGE_HEADINGS = ("database", "meanwhile", "accounts p50", "p95", "plan page p50", "p95", "looks")


def bulk_report(load: float, all_figures: Sequence[Figures]) -> str:
    """Everything that was measured of bulk changes in this run."""
    software = f"Django {version('django')}, django-import-export {all_figures[0].peer_version}"
    parts = [
        f"{circumstances(load)}, {software}.",
        table(HEADINGS, [row for figures in all_figures for row in _rows(figures)]),
        *(_verdict(figures) for figures in all_figures),
        table(PAGE_HEADINGS, [row for figures in all_figures for row in _page_rows(figures)]),
        "Seconds until a whole page was there.",
    ]
    return "\n\n".join(parts)


def _rows(figures: Figures) -> list[list[str]]:
    plan = figures.plan
    rows = [
        ("plan, CSV", SMALL, plan),
        ("plan, CSV", LARGE, figures.plan_large),
        ("plan, XLSX", SMALL, figures.plan_sheet),
        ("plan, XLSX", LARGE, figures.plan_large_sheet),
        ("queue", SMALL, figures.queue),
        *((f"peer, {PEER_WAYS[way]}", SMALL, runs) for way, runs in figures.peers.items()),
    ]
    return [[figures.database, what, f"{count:,}", *_cells(runs, plan)] for what, count, runs in rows]


def _cells(runs: Runs, plan: Runs) -> list[str]:
    return [
        str(len(runs.seconds)),
        f"{runs.median:.1f}",
        f"{min(runs.seconds):.1f}",
        f"{runs.cpu_median:.1f}",
        f"{runs.peak_mib:.0f}" if runs.peak_mib else "–",
        f"{runs.median / plan.median:.1f}",
    ]


def _verdict(figures: Figures) -> str:
    growth = figures.plan_large.peak_mib / figures.plan.peak_mib
    ratio = figures.peers["plain"].median / figures.plan.median
    held = {
        f"{SMALL:,} rows planned in {LIMITS['plan']:g} s": figures.plan.median <= LIMITS["plan"],
        f"{SMALL:,} changes queued in {LIMITS['queue']:g} s": figures.queue.median <= LIMITS["queue"],
        f"{LEAST_RATIO} times as fast as the peer as its documentation advises ({ratio:.1f})": ratio
        >= LEAST_RATIO,
        f"at most {MOST_MEMORY} times the memory for {LARGE // SMALL} times the rows ({growth:.2f})": growth
        <= MOST_MEMORY,
    }
    words = "; ".join(f"{what}: {'reached' if is_held else 'MISSED'}" for what, is_held in held.items())
    return f"To be reached on {figures.database}, in the median of {ROUNDS} runs: {words}."


def _page_rows(figures: Figures) -> list[list[str]]:
    pages = figures.pages
    circumstances = {
        "nothing": pages.idle,
        f"another process plans {LARGE:,} rows": pages.beside,
        f"the web process plans {LARGE:,} rows, in {pages.upload:.0f} s": pages.within,
    }
    return [[figures.database, what, *_look_cells(looks)] for what, looks in circumstances.items()]


def _look_cells(looks: Looks) -> list[str]:
    both = (looks.accounts, looks.change_set)
    times = [f"{percentile(each, share):.2f}" for each in both for share in (0.5, 0.95)]
    return [*times, str(len(looks.accounts))]
