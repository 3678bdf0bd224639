"""What is measured of the portal itself: reading every account, and a person's edits."""

import json
import resource
import subprocess
import sys
from dataclasses import dataclass

from benchmarks.counting import Tally, tally
from benchmarks.installation import manage_json
from benchmarks.standin import StandIn
from tests.live import ROOT, LivePortal

EDITS = 20
WORKERS = ("people", "bulk", "beat")


@dataclass(frozen=True)
class Reading:
    """A run of sync_contacts: its attempts, and what the whole command took."""

    tally: Tally
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Edits:
    """Seconds from the request to the settled row, in rising order, and those until the wish was kept."""

    applied: int
    seconds: list[float]
    saves: list[float]


def read_with_portal(portal: LivePortal, standin: StandIn) -> Reading:
    """Read every account with sync_contacts."""
    standin.refresh()
    before = _cpu_of_children()
    answer, seconds = manage_json(portal, "sync_contacts")
    cpu_seconds = _cpu_of_children() - before
    return Reading(tally(standin.log(), wanted=3 * answer["accounts"]), seconds, cpu_seconds)


def edit_with_portal(portal: LivePortal, standin: StandIn) -> Edits:
    """Edit one contact after another while workers and beat run, as in production."""
    standin.refresh()
    portal.start(*WORKERS)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.edits", str(EDITS)],
        cwd=ROOT, env=portal.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
        stdout=subprocess.PIPE, text=True, timeout=300, check=True,
    )  # fmt: skip
    edits = json.loads(done.stdout)
    return Edits(
        applied=sum(edit["status"] == "applied" for edit in edits),
        seconds=sorted(edit["seconds"] for edit in edits),
        saves=sorted(edit["save"] for edit in edits),
    )


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
