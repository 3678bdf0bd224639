"""Counts the attempts at a stand-in that has no log: passes each one on and keeps the sandbox's kind of log.

`python -m benchmarks.relay URL` listens on a free port until it is ended.
"""

import http.client
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from sandbox.attempts import Attempt, AttemptLog
from sandbox.server import Server
from sandbox.wire import HttpRequest, HttpResponse, read_call

NOT_PASSED_ON = {"connection", "content-length", "transfer-encoding", "keep-alive"}
TIMEOUT_SECONDS = 60


class Relay:
    """Takes the place of the sandbox's local AWS behind its server; the answers are the stand-in's."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self.log = AttemptLog()

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """The stand-in's answer, or nothing where it closed the connection."""
        attempt = _describe(request)
        try:
            response = self._ask(request)
            attempt.status = response.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            attempt.at_end = time.time()
            self.log.add(attempt)
        return response

    def reset(self) -> None:
        """Forget the attempts; the stand-in's buckets fill by themselves."""
        self.log.clear()

    def all_switches(self) -> dict[str, Any]:  # Any: JSON
        """There is nothing to switch."""
        return {}

    def stop(self) -> None:
        """Nothing waits here."""

    def _ask(self, request: HttpRequest) -> HttpResponse:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        # A connection for each attempt: one kept too long would turn into a failure of our own.
        connection = kind(self._url.netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(request.method, request.path, request.body, request.headers)
            answer = connection.getresponse()
            headers = {
                name: value for name, value in answer.getheaders() if name.lower() not in NOT_PASSED_ON
            }
            return HttpResponse(answer.status, headers, answer.read())
        finally:
            connection.close()


def _describe(request: HttpRequest) -> Attempt:
    call = read_call(request)
    values = call.values if isinstance(call.values, dict) else {}
    return Attempt(
        at_start=time.time(),
        service=call.service,
        operation=call.operation,
        target=values.get("AccountId"),
        contact_type=values.get("AlternateContactType"),
        user_agent=request.headers.get("user-agent"),
    )


def main() -> None:
    """Serve until the process is ended."""
    server = Server(Relay(sys.argv[1]))
    server.start()
    print(f"relay listening on {server.url}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
