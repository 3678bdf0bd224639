"""What a search for text looks at: one expression over an event, which PostgreSQL has an index for.

The index is made by migration 0004 and helps only while it holds this very expression:
tests/audit/test_finding.py asks the planner.
"""

import re
from typing import Any

from django.db.models import F, Func, TextField

SHORTEST = 3
COLUMNS = ("actor_label", "os_user", "account_id", "reason", "ticket", "before", "after", "detail")
_TEXTS = COLUMNS[:5]
# Where an event holds a contact: a baseline holds three, a conflict holds what was found.
_CONTACTS = (
    ("before",),
    ("after",),
    ("after", "BILLING"),
    ("after", "OPERATIONS"),
    ("after", "SECURITY"),
    ("detail", "found"),
)
_FIELDS = ("name", "title", "email", "phone")
_PLACES = [(*place, field) for place in _CONTACTS for field in _FIELDS] + [("detail", "user")]


class EventText(Func):
    """All that a search looks at, one after the other; each vendor has its own way into JSON."""

    output_field = TextField()

    def __init__(self) -> None:
        super().__init__(*map(F, COLUMNS))

    def as_sql(
        self, compiler: Any, connection: Any, *args: Any, **context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        # Columns alone: they bring no parameters.
        columns = {
            name: compiler.compile(source)[0]
            for name, source in zip(COLUMNS, self.source_expressions, strict=True)
        }
        return expression(connection.vendor, columns), ()


def expression(vendor: str, columns: dict[str, str]) -> str:
    """The SQL of the expression over these columns."""
    read = _read_postgresql if vendor == "postgresql" else _read_sqlite
    texts = [columns[name] for name in _TEXTS]
    texts += [f"coalesce({read(columns[column], path)}, '')" for column, *path in _PLACES]
    return "(" + " || ' ' || ".join(texts) + ")"


def is_searchable(text: str) -> bool:
    """Whether there is enough of it: without two letters or digits in a row no index could help."""
    return len(text.strip()) >= SHORTEST and bool(re.search(r"[^\W_]{2}", text))


def rare_part(text: str) -> str:
    """Of an e-mail address what stands before the @, if that is enough to search for; else nothing.

    The company's domain is in nearly every event, and an index that has to look at it as well takes longest.
    """
    part = text.partition("@")[0].strip() if "@" in text else ""
    return part if is_searchable(part) else ""


def may_begin_id(text: str) -> bool:
    """Whether the random id of a request may begin so; to look for more than is needed costs time."""
    return bool(re.fullmatch(r"[\w-]*[0-9][\w-]*|[0-9a-f-]+", text, re.IGNORECASE | re.ASCII))


def _read_postgresql(column: str, path: list[str]) -> str:
    *way, field = (f"'{key}'" for key in path)
    return f"{' -> '.join([column, *way])} ->> {field}"


def _read_sqlite(column: str, path: list[str]) -> str:
    return f"json_extract({column}, '$.{'.'.join(path)}')"
