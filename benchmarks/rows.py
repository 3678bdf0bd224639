"""The rows of the issue that need a stand-in of AWS: each measures one thing and says it in words."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.counting import DELETE, GET, PUT, share_out, tally, waits
from benchmarks.installation import LONGEST_COMMAND, WORKERS, manage, run_inside, workers_of
from benchmarks.peers import (
    CLI_ACCOUNTS,
    THREADS,
    call_with_boto3,
    environment_of_peer,
    read_with_boto3,
    read_with_cli,
    targets,
)
from benchmarks.report import (
    MOST,
    edit_rows,
    percentile,
    sharing_row,
    table,
    tally_row,
    verdict,
)
from benchmarks.standin import StandIn
from tests.live import ROOT, LivePortal

PUTS, DELETES, EDIT_SECONDS = 200, 100, 300
SLOWEST_PUT = 2.0  # seconds, p95
SHARED_ROWS = 400  # of the bulk change beside the neighbour
REJECTED, USED = 0.02, 0.9
ENGINE_RUNS, ENGINE_SHARE = 3, 0.6
TALLY = ("what", "calls", "attempts", "rejected", "failed", "lost", "seconds", "limit", "ratio")
EDITS = ("edits", "asked", "applied", "p50", "p95", "longest", "p95 until saved")
SHARING = ("beside a neighbour", "attempts", "rejected", "their calls", "our calls", "of the rest")


@dataclass
class Scene:
    """One stand-in and one portal for all rows; whoever needs the mirror has it filled first."""

    standin: StandIn
    portal: LivePortal
    say: Callable[[str], None]
    is_read: bool = False

    def fill_mirror(self) -> None:
        """Have every contact read once, as fast as the stand-in lets us."""
        if self.is_read:
            return
        with self.standin.unlimited():
            if self.standin.is_sandbox:
                run_inside(self.portal, "engine", THREADS)
            else:
                manage(self.portal, "sync_contacts")
        self.is_read = True


def read(scene: Scene) -> str:
    """Every account once, by four worker processes that find out by themselves what is due."""
    accounts = len(targets(scene.standin))
    scene.standin.refresh()
    with workers_of(scene.portal):
        _wait(lambda: _contacts_read(scene) >= 3 * accounts, seconds=3 * accounts / 5 + 60)
        log = scene.standin.log()
    scene.is_read = True
    found = tally(log, wanted=3 * accounts)
    rows = [tally_row(f"this portal, {WORKERS} worker processes", found)]
    return "\n\n".join([table(TALLY, rows), verdict(found, MOST, of=f"reading {accounts:,} accounts")])


def peers(scene: Scene) -> str:
    """What else people read with, on the same stand-in."""
    everyone = targets(scene.standin)
    rows = []
    for mode, processes in (("standard", 1), ("adaptive", 1), ("adaptive", 4)):
        name = f"boto3 {mode}, {processes} × {THREADS // processes} threads"
        scene.say(name)
        rows.append(tally_row(name, read_with_boto3(scene.standin, mode, everyone, processes)))
    scene.say("a loop over the AWS CLI")
    rows.append(tally_row("loop over the AWS CLI", read_with_cli(scene.standin, everyone[:CLI_ACCOUNTS])))
    return table(TALLY, rows)


def write(scene: Scene) -> str:
    """A bulk change that sets one type everywhere."""
    scene.fill_mirror()
    with workers_of(scene.portal):
        scene.standin.refresh()
        asked = run_inside(scene.portal, "bulks", "set", "SECURITY", 0, 1000)
        ended = run_inside(scene.portal, "bulks", "wait", asked["pk"])
    log = scene.standin.log()
    found = tally(log, wanted=asked["rows"], operation=PUT)
    reads = tally(log, wanted=asked["rows"], operation=GET)
    rows = [tally_row("writes", found), tally_row("the reads before them", reads)]
    says = verdict(found, MOST, of=f"writing {asked['rows']:,} contacts", also_rejected=reads.rejected)
    return "\n\n".join([table(TALLY, rows), f"The rows ended so: {_words(ended)}.", says])


def edits(scene: Scene) -> str:
    """People edit while a bulk of each kind and the rolling read want the same quota."""
    scene.fill_mirror()
    with workers_of(scene.portal):
        scene.standin.refresh()
        sets = [
            run_inside(scene.portal, "bulks", "set", "BILLING", 0, 1000),
            run_inside(scene.portal, "bulks", "set", "OPERATIONS", 1, 500),
            run_inside(scene.portal, "bulks", "delete", "OPERATIONS", 501, 499),
        ]
        manage(scene.portal, "shell", "-c", _ASK_FOR_ALL)
        asked = run_inside(scene.portal, "edits", PUTS, DELETES, EDIT_SECONDS, 100)
        log = scene.standin.log()
        for one in sets:
            run_inside(scene.portal, "bulks", "cancel", one["pk"])
    found = {operation: waits(log, asked, operation) for operation in (PUT, DELETE)}
    background = [tally_row(name, tally(log, wanted=0, operation=name)) for name in (GET, PUT, DELETE)]
    p95 = percentile(found[PUT], 0.95)
    says = "reached" if p95 <= SLOWEST_PUT and len(found[PUT]) == PUTS else "MISSED"
    return "\n\n".join(
        [
            table(EDITS, edit_rows(asked, found)),
            "Seconds from Save to the end of AWS's answer. Meanwhile AWS saw, edits included:",
            table(TALLY[:1] + TALLY[2:5] + TALLY[6:], [row[:1] + row[2:5] + row[6:] for row in background]),
            f"To be reached: p95 of Put at most {SLOWEST_PUT:g} s. It was {says}.",
        ]
    )


def neighbour(scene: Scene) -> str:
    """Another tool takes half of the reads and half of the writes, all the while."""
    scene.fill_mirror()
    with workers_of(scene.portal), _neighbour_of(scene):
        scene.standin.refresh()
        manage(scene.portal, "shell", "-c", _ASK_FOR_ALL)
        asked = run_inside(scene.portal, "bulks", "set", "SECURITY", 1, SHARED_ROWS)
        ended = run_inside(scene.portal, "bulks", "wait", asked["pk"])
        log = scene.standin.log()
    ours = [one for one in log if one["operation"] == PUT and one["contact_type"] == "SECURITY"]
    window = {"since": min(one["at_start"] for one in ours), "until": max(one["at_end"] for one in ours)}
    found = {operation: share_out(log, operation, **window) for operation in (GET, PUT)}
    rejected = sum(one.rejected for one in found.values()) / sum(one.attempts for one in found.values())
    is_reached = (
        rejected <= REJECTED and min(one.used for one in found.values()) >= USED and not ended.get("failed")
    )
    return "\n\n".join(
        [
            table(SHARING, [sharing_row(operation, one) for operation, one in found.items()]),
            f"A bulk change of {asked['rows']} rows and the rolling read, for "
            f"{window['until'] - window['since']:.0f} s. The rows ended so: {_words(ended)}. "
            f"Of our attempts {rejected:.1%} were rejected.",
            f"To be reached: no failed row, at most {REJECTED:.0%} of our attempts rejected, at least "
            f"{USED:.0%} of the rest used. It was {'reached' if is_reached else 'MISSED'}.",
        ]
    )


def engine(scene: Scene) -> str:
    """How fast the portal's reader is when nothing holds it back, beside a bare thread pool."""
    everyone = targets(scene.standin)
    ours, bare, peaks, cpu = [], [], [], []
    with scene.standin.unlimited():
        for _ in range(ENGINE_RUNS):
            run = run_inside(scene.portal, "engine", THREADS)
            ours.append(run["calls"] / run["seconds"])
            cpu.append(run["cpu"] / run["calls"] * 1000)
            peaks.append(run["peak_mib"])
            bare.append(call_with_boto3(scene.standin, everyone, THREADS))
    scene.is_read = True
    share = statistics.median(ours) / statistics.median(bare)
    rows = [
        ["this portal", f"{statistics.median(ours):.0f}", f"{max(ours):.0f}"],
        ["bare boto3 thread pool", f"{statistics.median(bare):.0f}", f"{max(bare):.0f}"],
    ]
    says = "reached" if share >= ENGINE_SHARE else "MISSED"
    return "\n\n".join(
        [
            table((f"one process, {THREADS} threads", "calls a second", "fastest run"), rows),
            f"In the median of {ENGINE_RUNS} runs the portal reaches {share:.0%}; a call costs it "
            f"{statistics.median(cpu):.1f} ms of a processor, and its memory peaks at {max(peaks):.0f} MiB.",
            f"To be reached: at least {ENGINE_SHARE:.0%} of the bare pool. It was {says}.",
        ]
    )


ROWS: dict[str, Callable[[Scene], str]] = {
    "read": read,
    "peers": peers,
    "write": write,
    "neighbour": neighbour,
    "edits": edits,
    "engine": engine,
}
_ASK_FOR_ALL = (
    "from orgs.models import Account; from orgs.reading import ask_for; ask_for(Account.objects.all())"
)


@contextmanager
def _neighbour_of(scene: Scene) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.neighbour"],
        cwd=ROOT, env=environment_of_peer(scene.standin) | {"AWS_SDK_UA_APP_ID": "neighbour"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    process.stdout.readline()
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _contacts_read(scene: Scene) -> int:
    log = scene.standin.log()
    return len({(one["target"], one["contact_type"]) for one in log if one["operation"] == GET})


def _wait(condition: Callable[[], bool], seconds: float, every: float = 5.0) -> None:
    ends_at = time.monotonic() + min(seconds, LONGEST_COMMAND)
    while not condition():
        if time.monotonic() > ends_at:
            raise SystemExit("The workers did not read everything in time.")
        time.sleep(every)


def _words(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in outcomes.items()) or "none"
