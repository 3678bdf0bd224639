"""`make run`: a whole portal by one command, which survives deaths, ends cleanly and keeps its data."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from portal.embedded import free_port
from tests.live import ROOT, wait_until

UP = [sys.executable, "manage.py", "up"]


class Run:
    """`manage.py up` in a directory of its own, with what it prints."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.port = free_port()
        self.printed = directory / "printed.txt"
        self.var = directory / "var"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "DJANGO_"))
            and name not in {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HTTPS", "DEBUG"}
        }
        ours = {"PORTAL_ENV_FILE": os.devnull, "PORTAL_VAR": str(self.var), "PORT": str(self.port)}
        self.environment = inherited | ours | settings
        self.process: subprocess.Popen | None = None

    def start(self) -> "Run":
        with self.printed.open("wb") as printed:
            self.process = subprocess.Popen(
                UP, cwd=ROOT, env=self.environment, stdout=printed, stderr=subprocess.STDOUT
            )
        return self

    def wait_until_up(self) -> None:
        wait_until(
            lambda: "The portal is up" in self.text or self.process.poll() is not None,
            "the portal is up",
            seconds=120,
            says=lambda: self.text,
        )
        assert self.process.poll() is None, self.text

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    @property
    def text(self) -> str:
        return self.printed.read_text()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command typed beside the running portal, by somebody who has set nothing but the directory."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def processes(self) -> list[int]:
        """Every process that was started for this directory."""
        mark = f"PORTAL_VAR={self.var}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
            except OSError:  # gone in the meantime, or not ours to read
                continue
        return found

    def part(self, words: str) -> int:
        """The process of this directory whose command line has these words, the oldest of them."""
        for pid in sorted(self.processes()):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if words in line and "leash.py" not in line:
                return pid
        raise AssertionError(f"No process has {words} in its command line.")


@pytest.fixture
def run(short_directory: Path) -> Iterator[Run]:
    run = Run(short_directory)
    yield run
    if run.process and run.process.poll() is None:
        run.process.kill()
        run.process.wait()


def sign_in(run: Run, username: str) -> str:
    """Sign in over HTTP with what was printed at the start, and return the page that follows."""
    password = re.search(r"the password (\S+)", run.text)[1]
    browser: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
    address = f"http://127.0.0.1:{run.port}/sign-in/"
    page = browser.open(address, timeout=20).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    form = {"csrfmiddlewaretoken": token, "login": username, "password": password}
    return browser.open(address, urlencode(form).encode(), timeout=20).read().decode()


def test_one_command_brings_everything_up_and_ctrl_c_ends_it(run: Run):
    run.start().wait_until_up()
    for role in ("Viewer", "Helpdesk", "Editor", "Approver", "Auditor", "Administrator"):
        assert role in run.text
    assert "Sign out" in sign_in(run, "editor")

    # A command typed beside it finds its Redis, its key and its sandbox.
    def synced() -> bool:  # not while a worker does the same
        answer = run.command("sync_accounts")
        assert not answer.returncode or "another process" in answer.stdout, answer.stderr
        return answer.returncode == 0

    wait_until(synced, "the accounts are read")

    # Nobody else can read what it keeps.
    assert run.var.stat().st_mode & 0o077 == 0
    assert (run.var / "secret_key").stat().st_mode & 0o077 == 0
    assert (run.var / "demo_sign_ins.txt").stat().st_mode & 0o077 == 0

    second = run.command("up")
    assert second.returncode == 1
    assert "is already up" in second.stderr

    os.kill(run.part("gunicorn"), signal.SIGKILL)
    wait_until(lambda: "web died (killed by SIGKILL)" in run.text, "the death is told", says=lambda: run.text)
    wait_until(lambda: "Sign out" in sign_in_or_nothing(run), "the web server is back")

    assert run.end(signal.SIGINT) == 0
    wait_until(lambda: not run.processes(), "no process is left", seconds=10)

    # The second time, all data are still there.
    started = time.monotonic()
    password = (run.var / "demo_sign_ins.txt").read_text()
    run.start().wait_until_up()
    print(f"up again after {time.monotonic() - started:.1f} s")
    assert password.splitlines()[0] in run.text
    names = run.command(
        "shell", "--no-imports", "-c", "from orgs.models import Account; print(Account.objects.count())"
    )
    assert int(names.stdout) == 152
    assert run.end(signal.SIGTERM) == 0
    wait_until(lambda: not run.processes(), "no process is left", seconds=10)


def sign_in_or_nothing(run: Run) -> str:
    try:
        return sign_in(run, "editor")
    except OSError:
        return ""


def test_no_part_outlives_a_killed_supervisor(run: Run):
    run.start().wait_until_up()
    assert len(run.processes()) >= 6
    run.end(signal.SIGKILL)
    wait_until(lambda: not run.processes(), "no process is left", seconds=15)


def test_a_port_that_is_taken_is_said_plainly(run: Run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", run.port))
        other.listen()
        run.start()
        assert run.process.wait(timeout=60) == 1
    assert f"Port {run.port} is taken. Choose another: make run PORT={run.port + 1}" in run.text
    assert "Traceback" not in run.text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"REDIS_URL": "redis://:secret@127.0.0.1:9/0"}, "Redis does not answer at redis://127.0.0.1:9/0"),
        ({"DATABASE_URL": "postgres://u:secret@127.0.0.1:9/p"}, "The database (postgresql) does not answer"),
        ({"REDIS_SERVER_BIN": "/nowhere"}, "REDIS_SERVER_BIN is “/nowhere”, and there is no such program."),
        ({"PORT": "many"}, "PORT is “many”. Use a number from 1 to 65535."),
    ],
)
def test_what_does_not_answer_is_said_in_a_line(short_directory: Path, settings: dict, words: str):
    run = Run(short_directory, **settings).start()
    assert run.process.wait(timeout=60) == 1
    assert words in run.text
    assert "secret@" not in run.text
    assert "Traceback" not in run.text
    wait_until(lambda: not run.processes(), "no process is left", seconds=10)


def test_with_the_real_aws_nothing_of_boto3s_settings_is_touched(short_directory: Path):
    own = {"AWS_SANDBOX": "false", "AWS_PROFILE": "company", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    run = Run(short_directory, **own).start()
    try:
        run.wait_until_up()
        assert "sandbox" not in run.text
        assert "Nobody can sign in yet" in run.text
        web = Path(f"/proc/{run.part('gunicorn')}/environ").read_bytes().decode()
        for name, value in own.items():
            assert f"{name}={value}\0" in web
        assert "AWS_ACCESS_KEY_ID" not in web
    finally:
        run.end(signal.SIGTERM)
