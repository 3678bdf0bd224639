"""Keeps a few programs running: prefixes what they say, restarts what dies, stops all in reverse order."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

LEASH = Path(__file__).with_name("leash.py")
GIVE_UP_DEATHS, GIVE_UP_WINDOW = 5, 60.0


class PartsKeepDying(Exception):
    """A part died too often to go on; the text says which and why."""


@dataclass
class Part:
    """One program: what to call it, how to start it, and how it fared."""

    name: str
    command: Sequence[str]
    hidden: str = "\n"  # lines with this text are not worth showing
    process: subprocess.Popen | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=8))
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=GIVE_UP_DEATHS))
    restart_at: float | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def died(self) -> int:
        """Note a death and return how many there were of late."""
        now = time.monotonic()
        self.deaths.append(now)
        return sum(1 for death in self.deaths if now - death < GIVE_UP_WINDOW)


class Supervisor:
    """Starts parts in order, watches them, and stops them in reverse order."""

    def __init__(self, output: IO[str], *, patience: float = 5.0, first_pause: float = 1.0) -> None:
        self.output = output
        self.patience = patience  # seconds that all parts together get to stop by themselves
        self.first_pause = first_pause  # before the first restart; each later one waits twice as long
        self.parts: list[Part] = []
        self._deaths: SimpleQueue[tuple[Part, subprocess.Popen]] = SimpleQueue()
        self._talking = threading.Lock()

    def start(self, part: Part) -> Part:
        """Start one part; it is watched from now on."""
        if part not in self.parts:
            self.parts.append(part)
        part.restart_at = None
        part.process = process = subprocess.Popen(
            [sys.executable, "-SE", str(LEASH), str(os.getpid()), *part.command],
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,  # Ctrl-C reaches only the supervisor, which stops the parts in order
            text=True,
            errors="replace",
        )
        reader = threading.Thread(target=self._read, args=(part, process.stdout), daemon=True)
        reader.start()
        threading.Thread(target=self._wait, args=(part, process, reader), daemon=True).start()
        return part

    def say(self, text: str, name: str = "portal") -> None:
        """Print a line with the name of the one who says it."""
        # Whoever read along may be gone: a closed terminal is no reason to lose the parts.
        with self._talking, contextlib.suppress(OSError, ValueError):
            print(f"{name:>8} │ {text}", file=self.output, flush=True)

    def watch(self) -> None:
        """Bring back what dies, for ever; raise PartsKeepDying when a part cannot be kept alive."""
        while True:
            with contextlib.suppress(Empty):
                self._bury(*self._deaths.get(timeout=self._next_restart()))
            self._restart_due()

    def stop(self) -> None:
        """Stop all parts, the last one started first; who does not go in time is killed with its children."""
        deadline = time.monotonic() + self.patience
        for part in reversed(self.parts):
            process = part.process
            if process and process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(1.0, deadline - time.monotonic()))
            self._kill_group(part)

    def _read(self, part: Part, lines: IO[str]) -> None:
        for line in lines:
            if part.hidden not in line.rstrip("\n"):
                part.last_lines.append(line.rstrip())
                self.say(line.rstrip(), part.name)

    def _wait(self, part: Part, process: subprocess.Popen, reader: threading.Thread) -> None:
        process.wait()
        reader.join(timeout=1)  # its last words; a grandchild may hold the pipe for longer
        self._deaths.put((part, process))

    def _bury(self, part: Part, process: subprocess.Popen) -> None:
        self._kill_group(part)
        deaths = part.died()
        how = describe_exit(process.returncode)
        if deaths == GIVE_UP_DEATHS:
            last = "\n".join(f"  {line}" for line in part.last_lines)
            raise PartsKeepDying(
                f"{part.name} died {deaths} times within {GIVE_UP_WINDOW:.0f} seconds "
                f"(the last time: {how}). Its last lines:\n{last}"
            )
        pause = self.first_pause * 2 ** (deaths - 1)
        why = f": {part.last_lines[-1]}" if part.last_lines else ""
        self.say(f"{part.name} died ({how}){why}. It starts again in {pause:g} s.")
        part.restart_at = time.monotonic() + pause

    def _next_restart(self) -> float | None:
        times = [part.restart_at for part in self.parts if part.restart_at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _restart_due(self) -> None:
        for part in self.parts:
            if part.restart_at is not None and part.restart_at <= time.monotonic():
                self.start(part)

    def _kill_group(self, part: Part) -> None:
        """Nobody whom the part has started outlives it."""
        if part.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(part.process.pid, signal.SIGKILL)


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
