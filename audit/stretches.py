"""Verification shared out among processes: each takes stretches of the chain, on a connection of its own."""

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import Any

import django
from django.db import connection


def verify_in_processes(stretches: Iterable[tuple[int, int]], processes: int) -> Iterator[tuple[int, Any]]:
    """What verify_stretch() says of each stretch, in their order, whoever was at it.

    Only a few stretches are handed out ahead: after a fault the rest is not looked at, and a chain that
    claims to be endless fills no memory.
    """
    waiting: deque[Future] = deque()
    stretches = iter(stretches)
    # Spawned: a fork would copy the locks and the connections of the threads around us.
    pool = ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_prepare, initargs=(connection.settings_dict,)
    )
    try:
        while True:
            ahead = islice(stretches, 2 * processes - len(waiting))
            waiting += [pool.submit(_verify, *stretch) for stretch in ahead]
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(database: dict[str, Any]) -> None:
    """Make the new process a part of the portal, on the database of the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that started it
    django.setup()
    connection.settings_dict.update(database)


def _verify(first: int, last: int) -> tuple[int, Any]:
    from audit.verification import verify_stretch  # needs the models, which are loaded only now

    return verify_stretch(first, last)
