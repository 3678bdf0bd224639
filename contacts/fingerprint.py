"""The fingerprint of a plan: what an approval is bound to. Pure."""

import hashlib
import json
from collections.abc import Iterable

from contacts.models import PlannedChange


def fingerprint(rows: Iterable[PlannedChange]) -> str:
    """SHA-256 over the rows in the order of their lines, one line of canonical JSON each."""
    digest = hashlib.sha256()
    for row in rows:
        facts = [
            row.line,
            row.account_text,
            row.contact_type,
            row.verdict,
            row.is_left_out,
            row.before,
            row.wanted,
        ]
        text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()
