"""Lines of a bulk change from a file or from pasted rows, and what repeats or contradicts among them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, BinaryIO

from contacts.bulk.cells import ID_LENGTH, TYPES, columns_of, header_lines, line_of
from contacts.bulk.line import Line, Problem
from portal.tables import NotATable, read_table

CONFLICTS_NAMED = 5


def read_lines(stream: BinaryIO, name: str) -> Iterator[Line]:
    """The lines of a CSV or XLSX file. The whole file is read first: NotATable comes before any line."""
    table = read_table(stream, name)
    columns = columns_of(table.header, name)
    seen = _Seen()
    kept = _KeptLines()
    count = 0
    for count, row in enumerate(table.rows, start=1):  # noqa: B007
        kept.add(seen.look_at(line_of(row, columns)))
    if not count:
        raise NotATable(f"There are no rows in {name} below the line that names the columns.")
    return chain(header_lines(columns, table.header), (seen.complete(line) for line in kept))


def pasted_lines(text: str) -> Iterator[Line]:
    """The lines of rows that were pasted, their header first."""
    return read_lines(BytesIO(text.encode("utf-8", "replace")), "the pasted text")


@dataclass
class _Seen:
    """Which contacts were asked for before, and on which line."""

    # (account id, type) → the first line, and a hash of what it asks for.
    first: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    conflicts: dict[int, list[int]] = field(default_factory=dict)

    def look_at(self, line: Line) -> Line:
        """The line, refused when an earlier one is about the same contact."""
        if len(line.account_id) != ID_LENGTH or line.contact_type not in TYPES:
            return line
        asked = hash(_asked_for(line))
        number, before = self.first.setdefault((line.account_id, line.contact_type), (line.number, asked))
        if number == line.number:
            return line
        if asked == before:
            return _refused(line, f"This line repeats line {number}. Remove one of them.")
        self.conflicts.setdefault(number, []).append(line.number)
        return _refused(line, _about_conflict([number]))

    def complete(self, line: Line) -> Line:
        """The line, refused as well when a later one asks for something else."""
        others = self.conflicts.get(line.number)
        return _refused(line, _about_conflict(others)) if others else line


def _asked_for(line: Line) -> tuple[tuple[str, str], ...] | None:
    """As the plan will trim it."""
    if line.values is None:
        return None
    return tuple((name, value.strip()) for name, value in sorted(line.values.items()))


def _about_conflict(others: list[int]) -> str:
    named = ", ".join(map(str, others[:CONFLICTS_NAMED]))
    more = f" and {len(others) - CONFLICTS_NAMED} more" if len(others) > CONFLICTS_NAMED else ""
    lines = f"Line{'s' if len(others) > 1 else ''} {named}{more}"
    asks = "ask" if len(others) > 1 else "asks"
    return f"{lines} {asks} for something else for the same contact. Keep the line that is right."


def _refused(line: Line, text: str) -> Line:
    return line._replace(problems=(*line.problems, Problem("", text)))


class _KeptLines:
    """Lines in a temporary file, because the last line of a file may be what is wrong with the first."""

    def __init__(self) -> None:
        self._file: IO[str] = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed when read)

    def add(self, line: Line) -> None:
        facts = (line.number, line.account_id, line.contact_type, line.values, line.problems)
        self._file.write(json.dumps(facts) + "\n")

    def __iter__(self) -> Iterator[Line]:
        """All of them, once: the file is gone then."""
        with self._file as kept:
            kept.seek(0)
            for text in kept:
                number, account_id, contact_type, values, problems = json.loads(text)
                found = tuple(Problem(*problem) for problem in problems)
                yield Line(number, account_id, contact_type, values, found)
