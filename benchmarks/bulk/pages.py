"""How long pages take while nothing else happens, while another process plans, and while their own does."""

import http.client
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bulk.installation import environment_of
from benchmarks.bulk.names import LARGE, SMALL, file_name
from tests.live import ROOT, LivePortal

IDLE_LOOKS, MOST_LOOKS = 30, 200
ACCOUNTS = "/accounts/"
LONGEST = 600  # seconds of one answer: a plan of 50,000 rows on a busy machine


@dataclass(frozen=True)
class Looks:
    """Seconds of each look, in rising order, by page: the list of accounts, and a plan of 10,000 rows."""

    accounts: list[float]
    change_set: list[float]


@dataclass(frozen=True)
class Pages:
    """The pages in three circumstances, and the seconds from the upload of 50,000 rows to their plan."""

    idle: Looks
    beside: Looks
    within: Looks
    upload: float


class Browser:
    """One person who is signed in; each request has a connection of its own."""

    def __init__(self, portal: LivePortal, session: str) -> None:
        self._port = portal.port
        self._token = secrets.token_hex(16)
        self._cookies = f"sessionid={session}; csrftoken={self._token}"

    def get(self, place: str) -> float:
        """Seconds until the whole page was there."""
        started = time.perf_counter()
        status, _ = self._ask("GET", place, {})
        assert status == 200, f"{place}: {status}"
        return time.perf_counter() - started

    def upload(self, path: Path) -> str:
        """Hand in a file as the form does; the address of its plan."""
        boundary = "----benchmark"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
        body = f"{head}Content-Type: text/csv\r\n\r\n".encode() + path.read_bytes()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "X-CSRFToken": self._token,
        }
        status, place = self._ask("POST", "/bulk/file/", headers, body + f"\r\n--{boundary}--\r\n".encode())
        assert status == 302, f"the upload was answered with {status}"
        return place

    def _ask(self, method: str, place: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LONGEST)
        try:
            connection.request(method, place, body, {"Cookie": self._cookies, **headers})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("Location", "")
        finally:
            connection.close()


def look_at_pages(portal: LivePortal, session: str, directory: Path) -> Pages:
    """One person looks at one page after another; another one has 50,000 rows planned."""
    portal.start("web")
    browser, large = Browser(portal, session), directory / file_name(LARGE)
    plan = browser.upload(directory / file_name(SMALL))
    assert re.fullmatch(r"/change-sets/\d+/", plan), plan
    for _ in range(3):
        _look(browser, plan, lambda: False)
    idle = _look(browser, plan, count_to(IDLE_LOOKS))
    beside = _look_beside(browser, plan, portal, large)
    within, upload = _look_within(browser, plan, large)
    portal.kill("web")
    return Pages(idle, beside, within, upload)


def count_to(number: int) -> Callable[[], bool]:
    """True so many times."""
    left = iter(range(number))
    return lambda: next(left, None) is not None


def _look(browser: Browser, plan: str, goes_on: Callable[[], bool]) -> Looks:
    accounts, change_set = [browser.get(ACCOUNTS)], [browser.get(plan)]
    while goes_on() and len(accounts) < MOST_LOOKS:
        accounts.append(browser.get(ACCOUNTS))
        change_set.append(browser.get(plan))
    return Looks(sorted(accounts), sorted(change_set))


def _look_beside(browser: Browser, plan: str, portal: LivePortal, large: Path) -> Looks:
    command = [sys.executable, "-m", "benchmarks.bulk.planning", str(large)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment_of(portal), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()  # Django is set up, and the plan begins
        looks = _look(browser, plan, lambda: process.poll() is None)
        process.communicate()
    assert process.returncode == 0
    return looks


def _look_within(browser: Browser, plan: str, large: Path) -> tuple[Looks, float]:
    seconds: list[float] = []

    def hand_in() -> None:
        started = time.perf_counter()
        browser.upload(large)
        seconds.append(time.perf_counter() - started)

    person = threading.Thread(target=hand_in)
    person.start()
    looks = _look(browser, plan, person.is_alive)
    person.join()
    assert seconds, "the upload of the large file failed"
    return looks, seconds[0]
