"""Reading a table that somebody made: CSV or XLSX, row by row, and what a spreadsheet did to its cells."""

import csv
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from io import TextIOWrapper
from itertools import chain
from typing import Any, BinaryIO
from xml.parsers import expat

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from portal.spreadsheets import plain_cell, xlsx_text
from portal.unpacking import TooMuch, require_bounded

SIZE_LIMIT = 20 * 1024 * 1024
ROW_LIMIT = 50_000
COLUMN_LIMIT = 100  # of a workbook, where one cell far to the right would make each row long
LAST_SHEET_ROW = 1_048_576
DELIMITERS = (",", ";", "\t")
DELIMITER_LIMIT = 1_000  # in one line

ZIP_START = b"PK\x03\x04"
OLE_START = b"\xd0\xcf\x11\xe0"
# What is no text: NUL, and the bytes that are not UTF-8, as the error handler surrogateescape marks them.
NOT_TEXT = re.compile("[\x00\udc80-\udcff]")
ERROR_VALUE = re.compile(r"#(N/A|NV|[A-ZÄÖÜ]+(/0)?[!?]|[A-Z]+_[A-Z]+)")
ONLY_ZEROS = re.compile(r"0+")
# The parts of openpyxl raise whatever a broken workbook leads them to.
BROKEN_WORKBOOK = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    InvalidFileException,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    OSError,
    EOFError,
    RuntimeError,
)

SAVE_AS = "In Excel choose Save As and the type “CSV UTF-8 (Comma delimited)” or “Excel Workbook (.xlsx)”."


class NotATable(Exception):
    """The file cannot be read as a table. The message names it and says what to do."""


class Fault(Enum):
    """What a spreadsheet made of a cell, so that its text may not be what somebody typed."""

    FORMULA = "formula"
    NUMBER = "number"
    DATE = "date"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not blank: where it starts in the file, its cells as text, and the faulty ones."""

    number: int
    cells: list[str]
    faults: dict[int, Fault] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """The first row that is not blank, and those below it while they are read."""

    header: Row
    rows: Iterator[Row]


def read_table(stream: BinaryIO, name: str) -> Table:
    """The table in a CSV or XLSX file. Raises NotATable, also while its rows are read."""
    start = _start_of(stream, name)
    if start.startswith(OLE_START):
        raise NotATable(
            f"There is no table in {name}: it has a password, or it is an old Excel file. {SAVE_AS}"
        )
    rows = _sheet_rows(stream, name) if start.startswith(ZIP_START) else _csv_rows(stream, name)
    filled = (row for row in rows if any(map(str.strip, row.cells)))
    header = next(filled, None)
    if header is None:
        raise NotATable(f"There is nothing in {name}. Its first line must name the columns.")
    return Table(header, _limited(filled, name))


def _start_of(stream: BinaryIO, name: str) -> bytes:
    """The first bytes, once the size is known to be bearable."""
    size = stream.seek(0, 2)
    stream.seek(0)
    if not size:
        raise NotATable(f"There is nothing in {name}. Its first line must name the columns.")
    if size > SIZE_LIMIT:
        raise NotATable(
            f"There are more than {SIZE_LIMIT // 1024**2} MB in {name}. Split it into smaller files."
        )
    start = stream.read(len(ZIP_START))
    stream.seek(0)
    return start


def _limited(rows: Iterator[Row], name: str) -> Iterator[Row]:
    for count, row in enumerate(rows, start=1):
        if count > ROW_LIMIT:
            raise NotATable(f"There are more than {ROW_LIMIT:,} rows in {name}. Split it into smaller files.")
        yield row


# CSV


def _csv_rows(stream: BinaryIO, name: str) -> Iterator[Row]:
    text = TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        lines = _text_lines(text, name)
        for skipped, line in enumerate(lines):
            if line.strip(" \t\r\n,;"):
                yield from _records(chain([line], lines), _delimiter_of(line), skipped, name)
    finally:
        if not stream.closed:  # its owner may close it before the last row is asked for
            text.detach()  # the stream stays open: it is not ours


def _records(lines: Iterator[str], delimiter: str, skipped: int, name: str) -> Iterator[Row]:
    """Each with the line it starts on: a cell in quotation marks may go over several."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise NotATable(
                f"Line {number} of {name} cannot be read: a quotation mark is missing or in the wrong place. "
                "A value that holds one needs it doubled, and marks around the whole value."
            ) from error
        faults = {place: _fault_of(cell) for place, cell in enumerate(cells) if cell[:1] in {"=", "#"}}
        yield Row(
            number,
            [plain_cell(cell) for cell in cells],
            {place: fault for place, fault in faults.items() if fault},
        )


def _fault_of(cell: str) -> Fault | None:
    """Our own files put an apostrophe before a text that starts with =, so without one it is a formula."""
    if cell.startswith("="):
        return Fault.FORMULA
    return Fault.ERROR if ERROR_VALUE.fullmatch(cell.strip()) else None


def _text_lines(text: TextIOWrapper, name: str) -> Iterator[str]:
    for number, line in enumerate(text, start=1):
        if ("\0" in line or not line.isascii()) and NOT_TEXT.search(line):
            raise NotATable(f"Line {number} of {name} is not text in UTF-8. {SAVE_AS}")
        if max(map(line.count, DELIMITERS)) > DELIMITER_LIMIT:
            raise NotATable(f"Line {number} of {name} has more than {DELIMITER_LIMIT:,} cells.")
        yield line


def _delimiter_of(line: str) -> str:
    """The one that makes most columns of the header; marks around a name may hold the others."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([line], delimiter=delimiter))))


# XLSX


def _sheet_rows(stream: BinaryIO, name: str) -> Iterator[Row]:
    """The rows of the first visible sheet."""
    try:
        require_bounded(stream)
        book = load_workbook(stream, read_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not sheets:
            raise NotATable(f"There is no visible sheet in {name}.")
        cells = sheets[0].iter_rows(max_col=COLUMN_LIMIT, max_row=LAST_SHEET_ROW)
        yield from _unlike_the_last(cells)
    except TooMuch as error:
        raise NotATable(
            f"There is more in {name} than a table needs. Copy its rows into a new workbook, or save as CSV."
        ) from error
    except BROKEN_WORKBOOK as error:
        raise NotATable(
            f"There is no table in {name}: it is no Excel workbook, or damaged. {SAVE_AS}"
        ) from error


def _unlike_the_last(cells: Iterator[Any]) -> Iterator[Row]:  # Any: openpyxl has no types
    """A stray cell far below makes a gap of a million rows, which openpyxl gives as one and the same."""
    last = None
    for number, row in enumerate(cells, start=1):
        if row is not last:
            yield _sheet_row(number, row)
        last = row


def _sheet_row(number: int, row: tuple[Any, ...]) -> Row:  # Any: openpyxl has no types
    cells: list[str] = []
    faults: dict[int, Fault] = {}
    for place, cell in enumerate(row):
        if cell.value is None:
            continue
        text, fault = _sheet_cell(cell)
        cells += [""] * (place - len(cells)) + [text]
        if fault:
            faults[place] = fault
    return Row(number, cells, faults)


def _sheet_cell(cell: Any) -> tuple[str, Fault | None]:  # Any: openpyxl has no types
    value = cell.value
    if cell.data_type == "f":
        return str(getattr(value, "text", None) or value), Fault.FORMULA
    if isinstance(value, bool):
        return str(value).upper(), None
    if isinstance(value, date | datetime | time | timedelta):
        return str(value), Fault.DATE
    if isinstance(value, int | float):
        return _number(value, cell.number_format or ""), Fault.NUMBER
    text = xlsx_text(str(value))
    return text, Fault.ERROR if cell.data_type == "e" or ERROR_VALUE.fullmatch(text.strip()) else None


def _number(value: float, number_format: str) -> str:
    """As the sheet shows it where that matters: with the leading zeros of a format such as 000000000000."""
    text = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return text.zfill(len(number_format)) if ONLY_ZEROS.fullmatch(number_format) else text
