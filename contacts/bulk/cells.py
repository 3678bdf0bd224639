"""Columns and cells of a bulk file: what they mean, and every mistake that a spreadsheet can make in them."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from contacts.bulk.line import Line, Problem
from contacts.bulk.verdicts import ACCOUNT, COLUMNS, TYPE
from contacts.models import ContactType, PlannedChange
from orgs.account_ids import plain_id
from portal.tables import Fault, NotATable, Row

ACTION = "Action"
DELETE = "delete"
# AWS's own names and plain words for them, as _plain() leaves them.
NAMES = {
    "accountid": ACCOUNT,
    "account": ACCOUNT,
    "alternatecontacttype": TYPE,
    "contacttype": TYPE,
    "type": TYPE,
    "action": ACTION,
    "name": COLUMNS["name"],
    "title": COLUMNS["title"],
    "emailaddress": COLUMNS["email"],
    "email": COLUMNS["email"],
    "phonenumber": COLUMNS["phone"],
    "phone": COLUMNS["phone"],
}
IGNORED = {"line", "accountname", "status", "problem", "observedat"}  # what our own exports hold beside
KNOWN = ", ".join(dict.fromkeys(NAMES.values()))

TYPES = tuple(ContactType.values)
ID_LENGTH = 12
WHOLE_ID = re.compile(r"[0-9]{12}")
SHORTENED = re.compile(r"\d+([.,]\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)
DATE_LIKE = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}-\d{2}-\d{2}( 00:00:00)?", re.ASCII)
AGAIN = "Format the column as text and type the value again."
LONGEST_ID = PlannedChange._meta.get_field("account_text").max_length
LONGEST_TYPE = PlannedChange._meta.get_field("contact_type").max_length


@dataclass(frozen=True)
class Columns:
    """Where each column that we know stands, and the names that the file gives to all."""

    names: list[str]
    places: dict[str, list[int]]  # more than one: the file has the column twice
    unknown: list[str]
    named: frozenset[int]


def columns_of(header: Row, name: str) -> Columns:
    names = [cell.strip() for cell in header.cells]
    places: dict[str, list[int]] = {}
    unknown = []
    for place, text in enumerate(names):
        plain = _plain(text)
        if plain in NAMES:
            places.setdefault(NAMES[plain], []).append(place)
        elif text and plain not in IGNORED:
            unknown.append(text)
    missing = [column for column in (ACCOUNT, TYPE) if column not in places]
    if missing:
        found = ", ".join(filter(None, names))[:300]
        raise NotATable(
            f"There is no column {' and no column '.join(missing)} in {name}. Its first line names: {found}. "
            "Name the columns as the template does."
        )
    named = frozenset(place for place, text in enumerate(names) if text)
    return Columns(names, places, unknown, named)


def _plain(name: str) -> str:
    """A column's name without case, spaces, underscores and hyphens."""
    return re.sub(r"[\s_-]", "", name).lower()


def header_lines(columns: Columns, header: Row) -> list[Line]:
    """The header as a refused line when something is wrong with it."""
    problems = [
        Problem(
            name[:60], f"The column “{name[:60]}” is not known. Remove it, or rename it to one of: {KNOWN}."
        )
        for name in columns.unknown
    ]
    for column, places in columns.places.items():
        if len(places) > 1:
            twice = " and ".join(f"“{columns.names[place]}”" for place in places)
            text = f"The columns {twice} mean the same. Remove all but one."
            problems.append(Problem(column, text))
    if not problems:
        return []
    return [Line(header.number, "", "", {}, problems=tuple(problems))]


# One line


def line_of(row: Row, columns: Columns) -> Line:
    cells, problems = _cells_of(row, columns)
    account_id = _account_id(cells[ACCOUNT], problems)
    contact_type = _contact_type(cells[TYPE], problems)
    is_deletion = _is_deletion(cells.get(ACTION), problems)
    filled = {
        name: cells[column] for name, column in COLUMNS.items() if column in cells and cells[column].text
    }
    if not is_deletion:
        for cell in filled.values():
            _check_value(cell, problems)
    return Line(
        number=row.number,
        account_id=account_id[:LONGEST_ID],
        contact_type=contact_type[:LONGEST_TYPE],
        values=None if is_deletion else {name: cell.text for name, cell in filled.items()},
        problems=tuple(problems),
    )


class Cell(NamedTuple):
    """One value of a line, under AWS's name of its column; empty if it is only white space."""

    column: str
    text: str
    fault: Fault | None

    def problem(self, text: str) -> Problem:
        return Problem(self.column, text)


def _cells_of(row: Row, columns: Columns) -> tuple[dict[str, Cell], list[Problem]]:
    """The cells by what they mean, and what is wrong with the row as a whole."""
    cells, problems = {}, []
    filled = {place for place, text in enumerate(row.cells) if text and not text.isspace()}
    for column, places in columns.places.items():
        own = filled.intersection(places)
        place = min(own, default=places[0])
        text = row.cells[place] if own else ""
        cells[column] = Cell(column, text, row.faults.get(place))
        if len(own) > 1 and len({row.cells[other] for other in own}) > 1:
            problems.append(cells[column].problem("This column stands twice here, with different values."))
    nameless = filled - columns.named
    if nameless:
        text = f"Cell {min(nameless) + 1} of this line stands under no column."
        problems.append(Problem("", f"{text} Put quotation marks around a value that holds the separator."))
    return cells, problems


def _account_id(cell: Cell, problems: list[Problem]) -> str:
    """The twelve digits, also from the form 1234-5678-9012; whatever else is there, as given."""
    text = cell.text.strip()
    digits = plain_id(text.removeprefix("'"))
    if WHOLE_ID.fullmatch(digits) and cell.fault in (None, Fault.NUMBER):
        return digits
    if not text:
        problems.append(cell.problem(f"The account id is missing. Write its {ID_LENGTH} digits."))
    elif cell.fault not in (None, Fault.NUMBER):
        problems.append(cell.problem(_about_fault(cell)))
    elif SHORTENED.fullmatch(text):
        lost = f"The spreadsheet shortened the account id to {text}, and its last digits are lost."
        problems.append(cell.problem(f"{lost} {AGAIN}"))
    elif re.fullmatch("[0-9]+", digits):
        problems.append(cell.problem(_about_length(digits)))
    else:
        shown = f"“{text[:LONGEST_ID]}” is no account id."
        problems.append(cell.problem(f"{shown} An account id has {ID_LENGTH} digits."))
    return text


def _about_length(digits: str) -> str:
    counted = f"{len(digits)} digit{'s' if len(digits) > 1 else ''}"
    said = f"Account id has {counted}. It needs {ID_LENGTH}"
    if len(digits) > ID_LENGTH:
        return f"{said}."
    return f"{said}: the spreadsheet may have dropped a leading zero. Is it {digits.zfill(ID_LENGTH)}?"


def _contact_type(cell: Cell, problems: list[Problem]) -> str:
    text = cell.text.strip()
    if text.upper() in TYPES:
        return text.upper()
    which = f"Write {', '.join(TYPES[:-1])} or {TYPES[-1]}."
    said = f"“{text[:LONGEST_TYPE]}” is no contact type." if text else "The contact type is missing."
    problems.append(cell.problem(f"{said} {which}"))
    return text


def _is_deletion(cell: Cell | None, problems: list[Problem]) -> bool:
    """Deleting is said by its word alone: an empty cell never deletes."""
    word = cell.text.strip().lower() if cell else ""
    if cell and word not in ("", "set", DELETE):
        said = f"“{cell.text.strip()[:40]}” is no action."
        problems.append(cell.problem(f"{said} Write set or delete, or leave the cell empty to set."))
    return word == DELETE


def _check_value(cell: Cell, problems: list[Problem]) -> None:
    """What a spreadsheet may have done to it. AWS's rules are the plan's work."""
    if cell.fault:
        problems.append(cell.problem(_about_fault(cell)))
        return
    text = cell.text.strip()
    if cell.column == COLUMNS["phone"] and SHORTENED.fullmatch(text):
        problems.append(cell.problem(f"{_about_number(text)} {AGAIN}"))
    if cell.column == COLUMNS["phone"] and DATE_LIKE.fullmatch(text):
        problems.append(cell.problem(f"The spreadsheet turned this into the date {text}. {AGAIN}"))


def _about_fault(cell: Cell) -> str:
    text = cell.text.strip()[:40]
    return {
        Fault.FORMULA: f"The cell holds the formula {text}. Put the value itself in its place, as text.",
        Fault.NUMBER: f"{_about_number(text)} {AGAIN}",
        Fault.DATE: f"The spreadsheet turned this into the date {text}. {AGAIN}",
        Fault.ERROR: f"The cell holds the error {text}. Put the value in its place, or empty the cell.",
    }[cell.fault or Fault.ERROR]


def _about_number(text: str) -> str:
    return f"The spreadsheet turned this into the number {text}, so a leading + or 0 may be lost."
