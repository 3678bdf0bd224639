"""Text for spreadsheets: CSV that streams, XLSX, and cells that no spreadsheet takes for a formula."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from tempfile import SpooledTemporaryFile
from typing import IO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

# What a spreadsheet would run: https://owasp.org/www-community/attacks/CSV_Injection
# Apostrophes before it count, so that taking one off gives back exactly what was there.
# The last four are the signs in full width, which some languages' spreadsheets take for them.
FORMULA_START = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
TAKEN_FOR_FORMULA = re.compile(f"'*{FORMULA_START}")
QUOTED_FORMULA = re.compile(f"'+{FORMULA_START}")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as something else

# What XML cannot hold, and the underscore of what would be read as an escape (ECMA-376 part 1, 22.9.2.19).
NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
AS_TEXT = "@"  # the number format: what is typed over it stays text too
WIDTHS = (8, 60)
ROWS_MEASURED = 100
IN_MEMORY = 2_000_000  # bytes of a workbook; what is larger waits in a file


def safe_cell(value: object) -> str:
    """The value as text; an apostrophe comes before what a spreadsheet would run."""
    text = "" if value is None else str(value)
    return f"'{text}" if TAKEN_FOR_FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """The inverse of safe_cell()."""
    return text[1:] if QUOTED_FORMULA.match(text) else text


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


def write_xlsx(rows: Iterable[Iterable[object]], stream: IO[bytes]) -> None:
    """A workbook with one sheet: the first row is its header, and every cell is text, never a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Table")
    remaining = iter(rows)
    first = [list(row) for row in islice(remaining, ROWS_MEASURED)]
    sheet.freeze_panes = "A2"
    for number, width in enumerate(_widths(first), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for row in first[:1]:
        sheet.append(_Cells(sheet, Font(bold=True)).holding(row))
    cells = _Cells(sheet)
    for values in chain(first[1:], remaining):
        sheet.append(cells.holding(values))
    book.save(stream)


def xlsx_file(rows: Iterable[Iterable[object]]) -> IO[bytes]:
    """The workbook as a file at its beginning; whoever takes it closes it."""
    stream = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - not closed here
    write_xlsx(rows, stream)
    stream.seek(0)
    return stream


def xlsx_text(text: str) -> str:
    """The inverse of what write_xlsx() does to a text: its escapes and one apostrophe come off."""
    if "_x" in text:
        text = ESCAPED.sub(_unescaped, text)
    return plain_cell(text)


class _Cells:
    """Text cells of one row, used again for the next: to format each anew takes most of the time."""

    def __init__(self, sheet: object, font: Font | None = None) -> None:
        self._sheet, self._font = sheet, font
        self._cells: list[WriteOnlyCell] = []

    def holding(self, values: Iterable[object]) -> list[WriteOnlyCell]:
        """The cells with these values, until the next row."""
        texts = [_sheet_text(value) for value in values]
        while len(self._cells) < len(texts):
            self._cells.append(self._new_cell())
        for cell, text in zip(self._cells, texts, strict=False):
            cell.value = text
            cell.data_type = "s"  # openpyxl takes a text that starts with = for a formula
        return self._cells[: len(texts)]

    def _new_cell(self) -> WriteOnlyCell:
        cell = WriteOnlyCell(self._sheet)
        cell.number_format = AS_TEXT
        if self._font:
            cell.font = self._font
        return cell


def _sheet_text(value: object) -> str:
    """A string cell is never run, so only what plain_cell() would shorten gets one more apostrophe."""
    text = "" if value is None else str(value)
    if QUOTED_FORMULA.match(text):
        text = f"'{text}"
    return NOT_IN_XML.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


def _unescaped(match: re.Match[str]) -> str:
    """NUL and lone surrogates are no text: their escapes stay."""
    code = int(match[1], 16)
    return match[0] if code == 0 or 0xD800 <= code <= 0xDFFF else chr(code)


def _widths(rows: list[list[object]]) -> list[int]:
    """Wide enough for the first rows, within limits."""
    least, most = WIDTHS
    columns = max(map(len, rows), default=0)
    longest = [max(len(str(row[n])) for row in rows if len(row) > n) for n in range(columns)]
    return [min(max(length + 2, least), most) for length in longest]
