"""The fingerprint of a plan: what an approval is bound to. Pure."""

import hashlib
import json
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

FACTS = ("line", "account_text", "contact_type", "verdict", "is_left_out", "before", "wanted")
_facts_of = attrgetter(*FACTS)
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class Fingerprint:
    """SHA-256 over the rows in the order of their lines, one line of canonical JSON each."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, row: Any) -> None:
        """Take in the next row: a PlannedChange, or whatever else has its FACTS."""
        text = _CANONICAL.encode(_facts_of(row))
        self._digest.update(text.encode("utf-8", "surrogatepass") + b"\n")

    def __str__(self) -> str:
        return self._digest.hexdigest()


def fingerprint(rows: Iterable[Any]) -> str:
    """The fingerprint of these rows."""
    taken = Fingerprint()
    for row in rows:
        taken.add(row)
    return str(taken)
