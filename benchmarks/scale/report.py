"""The numbers of a large company as tables."""

from collections.abc import Sequence
from importlib.metadata import version

from benchmarks.report import circumstances, percentile, table
from benchmarks.scale.discovery import Discovery
from benchmarks.scale.figures import Scale

MOST_RATIO = 1.1  # times what the Organizations quotas allow
MOST_MIB = 250
MOST_OF_PEER = 0.5  # of the changelist's p95

DISCOVERY = (
    *("accounts", "units", "attempts", "rejected", "seconds", "limit", "ratio"),
    *("until written", "worker at rest", "at most"),
)
LISTS = ("list of accounts, two filters and a search", "looks", "p50", "p95")
PAGES = ("page", "p50", "p95", "kB")


def scale_report(load: float, scale: Scale) -> str:
    """Everything that was measured in this run."""
    lists = {
        "this portal": scale.ours,
        "this portal, by somebody who sees one division": scale.scoped,
        "Django admin's changelist": scale.theirs,
    }
    pages = [[name, *_times(page.seconds), f"{page.length / 1024:.0f}"] for name, page in scale.pages.items()]
    parts = [
        f"{circumstances(load)}, Django {version('django')}; PostgreSQL on the same machine.",
        table(DISCOVERY, [_discovery_row(scale.discovery)]),
        _discovery_verdict(scale.discovery),
        table(LISTS, [[name, str(len(looks)), *_times(looks)] for name, looks in lists.items()]),
        _list_verdict(scale),
        table(PAGES, pages),
        "Seconds until a whole page was there, and its size before compression.",
    ]
    return "\n\n".join(parts)


def _times(looks: Sequence[float]) -> list[str]:
    return [f"{percentile(looks, share):.2f}" for share in (0.5, 0.95)]


def _discovery_row(one: Discovery) -> list[str]:
    counts = [f"{count:,}" for count in (one.accounts, one.units, one.attempts, one.rejected)]
    seconds = [f"{one.seconds:.1f}", f"{one.limit:.1f}", f"{one.ratio:.3f}", f"{one.whole_seconds:.1f}"]
    return [*counts, *seconds, f"{one.rest_mib:.0f} MiB", f"{one.peak_mib:.0f} MiB"]


def _discovery_verdict(one: Discovery) -> str:
    return _verdict(
        {
            f"at most {MOST_RATIO} times what the Organizations quotas allow": one.ratio <= MOST_RATIO,
            "none rejected": not one.rejected,
            f"the worker below {MOST_MIB} MiB": one.peak_mib < MOST_MIB,
        }
    )


def _list_verdict(scale: Scale) -> str:
    share = percentile(scale.ours, 0.95) / percentile(scale.theirs, 0.95)
    found = {search: f"{mine:,}" for search, (mine, peers) in scale.rows.items() if mine == peers}
    words = ", ".join(f"“{search}” {number}" for search, number in found.items())
    verdict = _verdict(
        {
            f"p95 at most half of the changelist's ({share:.2f} of it)": share <= MOST_OF_PEER,
            "both find the same accounts": len(found) == len(scale.rows),
        }
    )
    return f"{verdict} Found by both: {words}."


def _verdict(held: dict[str, bool]) -> str:
    words = "; ".join(f"{what}: {'reached' if is_held else 'MISSED'}" for what, is_held in held.items())
    return f"To be reached: {words}."
