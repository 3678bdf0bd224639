"""The log of every attempt, in memory and bounded, for the tests that join attempts to changes."""

import hashlib
import json
import threading
from collections import deque
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

KEPT_ATTEMPTS = 200_000


@dataclass(slots=True)
class Attempt:
    """One request and what came of it; status 0 means that the connection closed without an answer."""

    at_start: float
    at_end: float = 0.0
    seq: int = 0
    caller: str | None = None
    service: str = ""
    operation: str = ""
    target: str | None = None
    contact_type: str | None = None
    request_id: str = ""
    invocation_id: str | None = None
    user_agent: str | None = None
    status: int = 0
    code: str | None = None
    effect: bool = False
    digest: str | None = None
    values: dict[str, Any] | None = None  # Any: the JSON of the request; kept only when log_values is on


FIELDS = tuple(each.name for each in fields(Attempt))


def digest(name: str, title: str, email: str, phone: str) -> str:
    """Stand for the four values of a Put, as they were sent, without telling them."""
    return hashlib.sha256(json.dumps([name, title, email, phone]).encode()).hexdigest()


class AttemptLog:
    def __init__(self) -> None:
        self._attempts: deque[Attempt] = deque(maxlen=KEPT_ATTEMPTS)
        self._lock = threading.Lock()
        self._last_seq = 0

    def add(self, attempt: Attempt) -> None:
        """Number the finished attempt and keep it."""
        with self._lock:
            self._last_seq += 1
            attempt.seq = self._last_seq
            self._attempts.append(attempt)

    def after(self, seq: int = 0) -> list[dict[str, Any]]:
        """Give the attempts with a higher number, in the order in which they ended."""
        with self._lock:
            first = self._attempts[0].seq if self._attempts else 0
            chosen = list(islice(self._attempts, max(0, seq + 1 - first), None))
        return [{name: getattr(attempt, name) for name in FIELDS} for attempt in chosen]

    def clear(self) -> None:
        """Forget the attempts; the numbering goes on."""
        with self._lock:
            self._attempts.clear()
