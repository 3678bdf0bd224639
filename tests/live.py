"""A portal of real processes for end-to-end and fault tests: gunicorn, Celery workers and beat."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import portal
from portal.embedded import free_port, portal_parts
from portal.supervisor import LEASH
from sandbox.testing import Sandbox

ROOT = Path(portal.__file__).parent.parent
ALL_PARTS = ("web", "people", "bulk", "beat")
NOT_INHERITED = ("AWS_", "DJANGO_", "TEST_")


class LivePortal:
    """Processes on one database, one Redis and one sandbox; settings go to them as environment variables."""

    def __init__(
        self, database_url: str, redis_url: str, sandbox: Sandbox, *, directory: Path, **settings: Any
    ) -> None:
        self.directory = directory
        self.port = port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)},
            **sandbox.env(),
            "PORTAL_ENV_FILE": os.devnull,
            "PORTAL_VAR": str(directory),
            "PYTHONUNBUFFERED": "1",
            "HTTPS": "false",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            **{name: str(value) for name, value in settings.items()},
        }
        self.processes: dict[str, subprocess.Popen] = {}

    def start(self, *names: str) -> None:
        """Start these parts (none named: all) and return when all of them are at work."""
        parts = {part.name: part.command for part in portal_parts(self.port, self.directory)}
        for name in names or ALL_PARTS:
            self.launch(name, parts[name])
        for name in names or ALL_PARTS:
            wait_until(
                lambda name=name: self._is_ready(name), f"{name} is ready", says=lambda n=name: self.log(n)
            )

    def kill(self, name: str) -> None:
        """End a part as a crash would, with all its children."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_worker(self) -> None:
        """Crash the worker that serves people's changes."""
        self.kill("people")

    def stop(self) -> None:
        """End all parts; nothing they might still do is of worth."""
        for name in list(self.processes):
            self.kill(name)

    def is_running(self, name: str) -> bool:
        """Whether the part lives."""
        return name in self.processes and self.processes[name].poll() is None

    def log(self, name: str) -> str:
        """All that a part has said."""
        path = self.directory / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def run_command(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `manage.py …` with the settings of this portal."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def launch(self, name: str, command: Sequence[str]) -> None:
        """Start a process of any other kind; it ends with the portal, or with the test."""
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-SE", str(LEASH), str(os.getpid()), *command],
                cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip

    def _is_ready(self, name: str) -> bool:
        assert self.is_running(name), f"{name} ended:\n{self.log(name)}"
        if name == "web":
            return answers(f"{self.url}/healthz")
        if name == "beat":
            return any(self.directory.glob("beat-schedule*"))
        return " ready." in self.log(name)


def answers(url: str) -> bool:
    """Whether a GET of this address succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def wait_until(
    condition: Callable[[], bool], what: str, *, seconds: float = 60, says: Callable[[], str] = str
) -> None:
    """Return when the condition holds; fail with what was awaited and what the part said."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"Waited {seconds:g} s until {what}.\n{says()}"
        time.sleep(0.05)
