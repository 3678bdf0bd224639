"""A Redis-protocol server for tests, on a unix socket; it may be killed and brought back."""

import subprocess
from pathlib import Path

import redis

from portal.services import redis_command, wait_for_redis


class Valkey:
    """One server in one directory with a short path; what it was told is in its append-only file."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.url = f"unix://{directory}/redis.sock"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it, also after a kill, and return when it answers."""
        command = redis_command(self.directory / "redis.sock", self.directory)
        with (self.directory / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        wait_for_redis(self.url, lambda: self.process.poll() is None)

    def client(self) -> redis.Redis:
        """A client of this server."""
        return redis.Redis.from_url(self.url)

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(subprocess.Popen.kill)

    def _end(self, how) -> None:
        if self.process and self.process.poll() is None:
            how(self.process)
            self.process.wait(timeout=10)
