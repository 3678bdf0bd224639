"""Text for spreadsheets: CSV that streams, and cells that no spreadsheet takes for a formula."""

import csv
from collections.abc import Iterable, Iterator

# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as something else


def safe_cell(value: object) -> str:
    """The value as text; an apostrophe comes before what a spreadsheet would run."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Rows as lines of a CSV file, one by one, every cell safe."""
    writer = csv.writer(_Echo())
    start = BYTE_ORDER_MARK
    for row in rows:
        yield start + writer.writerow([safe_cell(value) for value in row])
        start = ""


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text
