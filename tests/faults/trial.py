"""What a trial changes in the workers of a rig: short waits, small chunks, wide quotas, and points of death.

The points are told as {"name": [3, 7]}: whoever comes to a point of this name as the third of all workers,
or as the seventh, ends there as by kill -9.
"""

import functools
import itertools
import json
import os
import signal
import threading
import time
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.hasty import widen_quotas

VARIABLE = "RIG_TRIAL"
# Where a worker may end, and whether it does so before the rest of the transaction is written.
POINTS = {
    "chunk not committed": ("contacts.bulk.run", "request_changes"),
    "between chunks": ("contacts.bulk.run", "_prepare_chunk"),
    "claimed": ("contacts.delivery", "claim_change"),
    "end not committed": ("contacts.settle", "record_change"),
}
# Where the slow worker falls asleep, over so many of its changes each, for longer than claim and lag last.
NAPS = {("contacts.delivery", "bring_further"): 3, ("contacts.sending", "_may_still_leave"): 3}
NAP, AWAKE = 11.0, 2.0
_dying = threading.Lock()
_is_slow = False
_woken = itertools.count(1)


def for_workers(directory: Path, points: dict[str, list[int]]) -> dict[str, str]:
    """The environment that has workers end at these points, and note it in the directory."""
    return {VARIABLE: json.dumps({"directory": str(directory), "points": points})}


def deaths(directory: Path) -> dict[int, str]:
    """Who ended, by process id, and at which point."""
    return {int(path.suffix[1:]): path.stem for path in directory.glob("*.*")}


def prepare(trial: str) -> None:
    """Change this process, and so all that are forked from it."""
    from contacts import delivery, tasks
    from contacts.bulk import run
    from orgs import reading
    from portal.celery import app

    told = json.loads(trial)
    widen_quotas()
    run.CHUNK = 20
    delivery.SLOTS, delivery.ADVANCE_LIMIT, delivery.WAKE_EVERY = 12, 1, 1
    reading.LEASE, reading.FIRST_PAUSE, tasks.PLACE_SECONDS = timedelta(seconds=4), 0.5, 3
    for name in ("sweep-changes", "watch-change-sets", "read-stale-contacts"):
        app.conf.beat_schedule[name]["schedule"] = 0.25
    for name, numbers in told["points"].items():
        _arm(name, numbers, Path(told["directory"]))


def be_slow() -> None:
    """Turn this process into one that comes back to its changes when they are others'.

    It ends soon after, and prepares no set: it would do most of the work otherwise, because nobody kills it.
    """
    from contacts.bulk import run

    global _is_slow
    _is_slow = True
    run.advance = lambda pk: None
    for (module_name, function_name), count in NAPS.items():
        _drowse(module_name, function_name, count)


def _drowse(module_name: str, function_name: str, count: int) -> None:
    module = import_module(module_name)
    function, naps = getattr(module, function_name), iter(range(count))

    @functools.wraps(function)
    def nap_first(*args: Any, **kwargs: Any) -> Any:
        if next(naps, None) is not None:
            time.sleep(NAP)
            if next(_woken) == sum(NAPS.values()):
                threading.Timer(AWAKE, os._exit, [0]).start()
        return function(*args, **kwargs)

    setattr(module, function_name, nap_first)


def _arm(name: str, numbers: list[int], directory: Path) -> None:
    module_name, function_name = POINTS[name]
    module = import_module(module_name)
    function = getattr(module, function_name)

    @functools.wraps(function)
    def and_die(*args: Any, **kwargs: Any) -> Any:
        answer = function(*args, **kwargs)
        if not _is_slow and _count(directory / name) in numbers:
            _dying.acquire()  # one death for each process; never released
            (directory / f"{name}.{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(module, function_name, and_die)


def _count(path: Path) -> int:
    """The how-manieth of all processes this is: appending moves each to an end of its own."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, b".")
        return os.lseek(file, 0, os.SEEK_CUR)
    finally:
        os.close(file)
