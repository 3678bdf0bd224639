"""The supervisor: names and brings back what dies, gives up on what keeps dying, leaves no orphan."""

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.supervisor import LEASH, Part, PartsKeepDying, Supervisor, describe_exit
from tests.live import wait_until

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
WITH_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(p.pid, flush=True); p.wait()",
]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(io.StringIO(), first_pause=0.01)
    yield supervisor
    supervisor.stop()


def test_what_a_part_says_carries_its_name(supervisor: Supervisor):
    supervisor.start(Part("web", SLEEPER))
    wait_until(lambda: "web │ here\n" in supervisor.output.getvalue(), "the line is printed")


def test_lines_that_are_not_worth_showing_are_hidden(supervisor: Supervisor):
    supervisor.start(
        Part("redis", ["sh", "-c", "echo overcommit; echo ready; sleep 600"], hidden="overcommit")
    )
    wait_until(lambda: "ready" in supervisor.output.getvalue(), "the line is printed")
    assert "overcommit" not in supervisor.output.getvalue()


def test_a_part_that_dies_is_named_with_its_reason_and_starts_again(supervisor: Supervisor):
    part = supervisor.start(Part("web", SLEEPER))
    wait_until(lambda: part.last_lines, "it runs")
    first = part.process.pid
    threading.Thread(target=supervisor.watch, daemon=True).start()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: part.process.pid != first and part.is_running, "it runs again")
    assert "web died (killed by SIGKILL): here. It starts again in 0.01 s." in supervisor.output.getvalue()


def test_the_pause_doubles_and_five_deaths_end_the_run(supervisor: Supervisor):
    supervisor.start(Part("worker", ["sh", "-c", "echo no such table >&2; exit 3"]))
    with pytest.raises(PartsKeepDying) as caught:
        supervisor.watch()
    assert "worker died 5 times within 60 seconds" in str(caught.value)
    assert "exit code 3" in str(caught.value)
    assert "no such table" in str(caught.value)
    for pause in ("0.01", "0.02", "0.04", "0.08"):
        assert f"It starts again in {pause} s." in supervisor.output.getvalue()


def test_stopping_goes_in_reverse_order(supervisor: Supervisor):
    for name in ("redis", "web"):
        script = f"trap 'echo {name} goes; exit 0' TERM; echo {name} is on; sleep 600 & wait"
        supervisor.start(Part(name, ["sh", "-c", script]))
    wait_until(lambda: supervisor.output.getvalue().count(" is on") == 2, "both run")
    supervisor.stop()
    wait_until(lambda: supervisor.output.getvalue().count(" goes") == 2, "both have said so")
    said = supervisor.output.getvalue()
    assert said.index("web goes") < said.index("redis goes")


def test_stopping_kills_who_does_not_listen(supervisor: Supervisor):
    supervisor.patience = 0.5
    deaf = supervisor.start(
        Part("deaf", ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"])
    )
    wait_until(lambda: deaf.last_lines, "it runs")
    supervisor.stop()
    assert deaf.process.wait(timeout=5) == -signal.SIGKILL


def test_children_of_a_part_end_with_it(supervisor: Supervisor):
    part = supervisor.start(Part("web", WITH_CHILD))
    wait_until(lambda: part.last_lines, "it has a child")
    supervisor.stop()
    wait_until(lambda: not is_alive(int(part.last_lines[0])), "the child is gone")


@pytest.mark.skipif(
    sys.platform != "linux", reason="only the kernel of Linux ends children with their parent"
)
def test_a_killed_parent_takes_its_parts_along():
    starter = (
        "import os, subprocess, sys, time;"
        f"p = subprocess.Popen([sys.executable, {str(LEASH)!r}, str(os.getpid()), 'sleep', '600']);"
        "print(p.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        wait_until(lambda: is_alive(child), "the child runs")
        parent.kill()
    wait_until(lambda: not is_alive(child), "the child is gone")


def test_an_exit_is_told_in_words():
    assert describe_exit(1) == "exit code 1"
    assert describe_exit(-15) == "killed by SIGTERM"
    assert describe_exit(-250) == "killed by signal 250"
