"""The stand-in of AWS that is measured against: the sandbox as a process of its own, or another one."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from benchmarks.counting import GET, QUOTAS
from portal.supervisor import LEASH
from sandbox.callers import KEY_PREFIX
from sandbox.company import MANAGEMENT_ID

ACCOUNTS, SEED, LATENCY_MS = 1000, 7, 60
OTHER = "BENCH_AWS_ENDPOINT_URL"
REAL_AWS = ("amazonaws.", ".api.aws")
SANDBOX_USER = {
    "AWS_ACCESS_KEY_ID": f"{KEY_PREFIX}{MANAGEMENT_ID}",
    "AWS_SECRET_ACCESS_KEY": "any-secret-will-do",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class StandIn:
    """A context manager; attempts are read from the stand-in's own log, or counted on the way to it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._other = os.environ.get(OTHER, "").rstrip("/")
        self._process: subprocess.Popen[str] | None = None
        self.url = self._other

    def __enter__(self) -> Self:
        host = urlsplit(self._other).hostname or ""
        if any(name in host for name in REAL_AWS):
            raise SystemExit(f"{OTHER} names the real AWS. The benchmark writes contacts: name a stand-in.")
        if not self._other:
            shape = ["--accounts", str(ACCOUNTS), "--seed", str(SEED)]
            self.url = self._start("sandbox", *shape, "--switch", f"latency_ms={LATENCY_MS}")
        elif not _has_log(self._other):
            self.url = self._start("benchmarks.relay", self._other)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.communicate(timeout=20)

    @property
    def description(self) -> str:
        """What it is, in words."""
        if self._other:
            counted = "counted on the way to it" if self._process else "its own log"
            return f"another stand-in ({counted})"
        return f"the sandbox: {ACCOUNTS} accounts, published quotas, latency {LATENCY_MS} ms"

    def env(self) -> dict[str, str]:
        """The variables that send boto3 and the AWS CLI here; another stand-in gets the caller's own."""
        given = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        user = given if self._other else SANDBOX_USER
        kept = {name: value for name, value in user.items() if not name.startswith("AWS_ENDPOINT_URL")}
        return {**kept, "AWS_ENDPOINT_URL": self.url}

    def refresh(self) -> None:
        """Empty the log, and begin with full buckets."""
        self._control("reset", method="POST")
        if self._other:
            time.sleep(2 * QUOTAS[GET].burst / QUOTAS[GET].rate)

    def log(self) -> list[dict[str, Any]]:  # Any: JSON
        """All attempts since the last refresh."""
        return self._control("log")

    @property
    def is_sandbox(self) -> bool:
        """Whether it has switches."""
        return not self._other

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Without quotas and at once; another stand-in stays as it is."""
        if not self.is_sandbox:
            yield
            return
        self._control("switches", method="POST", quota_scale=0, latency_ms=0)
        try:
            yield
        finally:
            self._control("switches", method="POST", quota_scale=1, latency_ms=LATENCY_MS)

    def _control(self, place: str, method: str = "GET", **values: float) -> Any:  # Any: JSON
        body = json.dumps(values).encode() if values else None
        request = urllib.request.Request(f"{self.url}/_sandbox/{place}", body, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def _start(self, module: str, *arguments: str) -> str:
        """Start a module that says where it listens in its first line."""
        command = [sys.executable, "-SE", str(LEASH), str(os.getpid()), sys.executable, "-m", module]
        with (self._directory / "standin.log").open("w") as errors:
            self._process = subprocess.Popen(
                [*command, *arguments], stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout
        line = self._process.stdout.readline()
        if "http" not in line:
            raise SystemExit(f"{module} did not start: {(self._directory / 'standin.log').read_text()}")
        return line.split()[-1]


def _has_log(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_sandbox/log", timeout=5) as answer:
            return isinstance(json.load(answer), list)
    except (OSError, ValueError):
        return False
