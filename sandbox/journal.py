"""Keeps a world in a file: a header, then one JSON line for each change, appended before AWS answers."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from sandbox.errors import StateInUse
from sandbox.records import Organization, as_json
from sandbox.world import Event, World


class FileJournal:
    """Appends events without a buffer, so that what was answered survives a kill."""

    def __init__(self, path: Path, lock: BinaryIO) -> None:
        self._file = path.open("ab", buffering=0)
        self._lock = lock

    def append(self, event: Event) -> None:
        self._file.write(_line(event))

    def close(self) -> None:
        self._file.close()
        self._lock.close()


def open_world(path: Path, make_world: Callable[[], World]) -> World:
    """Load the world that the file holds, or make one; from now on it is kept there.

    Raises StateInUse where another process keeps its world there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _lock(path)
    world = _load(path) if path.exists() else make_world()
    _write(path, world)
    world.journal = FileJournal(path, lock)
    return world


def close_world(world: World) -> None:
    """Stop keeping the world; whatever changes later is lost."""
    if isinstance(world.journal, FileJournal):
        world.journal.close()
    world.journal = None


def _lock(path: Path) -> BinaryIO:
    """Own the file as long as the lock is open; two writers would lose each other's changes."""
    lock = path.with_name(f"{path.name}.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StateInUse(f"Another sandbox is using {path}.") from error
    return lock


def _load(path: Path) -> World:
    header, *lines = path.read_bytes().splitlines()
    facts = json.loads(header)
    world = World(Organization(**facts["organization"]), facts["partition"])
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
        except ValueError:
            if number < len(lines):
                raise
            break  # a kill can cut only the last line, and its call was never answered
        world.apply(event)
    return world


def _write(path: Path, world: World) -> None:
    """Replace the file by the shortest one that holds this world."""
    fresh = path.with_name(f"{path.name}.new")
    header = {"organization": as_json(world.organization), "partition": world.partition}
    with fresh.open("wb") as file:
        file.write(_line(header))
        file.writelines(_line(event) for event in world.events())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _line(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
