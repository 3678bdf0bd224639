"""THE file that holds every trap of a spreadsheet: 200 rows, what is wrong with which line, and it mended."""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO, StringIO
from itertools import chain

from openpyxl import Workbook

ROWS = 200
TYPES = ("SECURITY", "OPERATIONS", "BILLING")
HEADER = "account id;Account Name;ALTERNATECONTACTTYPE;action;name;Title;e-mail;Phone Number;Cost Centre"
UNKNOWN_COLUMN = "Cost Centre"
NOBODYS_ACCOUNT = "000000000001"
ID, LABEL, TYPE, ACTION, NAME, TITLE, EMAIL, PHONE, COST = range(9)

Cells = dict[int, str]
Pair = tuple[str, str]
Values = dict[str, str]
# What the cells become, and the words that each mistake is told with.
MISTAKES: list[tuple[Cells, tuple[str, ...]]] = [
    ({ID: "1.23E+11"}, ("AccountId: The spreadsheet shortened the account id to 1.23E+11",)),
    ({ID: "1,23457E+11"}, ("AccountId: The spreadsheet shortened the account id to 1,23457E+11",)),
    ({ID: "1234567890123"}, ("AccountId: Account id has 13 digits. It needs 12.",)),
    ({ID: "payments"}, ("AccountId: “payments” is no account id.",)),
    ({ID: ""}, ("AccountId: The account id is missing.",)),
    ({ID: NOBODYS_ACCOUNT}, (f"AccountId: No account {NOBODYS_ACCOUNT} is known to you.",)),
    ({TYPE: ""}, ("AlternateContactType: The contact type is missing.",)),
    ({TYPE: "SECURTY"}, ("AlternateContactType: “SECURTY” is no contact type.",)),
    ({ID: " ", TYPE: " "}, ("AccountId: The account id is missing.", "The contact type is missing.")),
    ({PHONE: "4.42079E+11"}, ("PhoneNumber: The spreadsheet turned this into the number 4.42079E+11",)),
    ({PHONE: "4,42079E+11"}, ("PhoneNumber: The spreadsheet turned this into the number 4,42079E+11",)),
    ({PHONE: "=+44-20-7946"}, ("PhoneNumber: The cell holds the formula =+44-20-7946.",)),
    ({PHONE: "24.11.2026"}, ("PhoneNumber: The spreadsheet turned this into the date 24.11.2026.",)),
    ({PHONE: "2026-11-24"}, ("PhoneNumber: The spreadsheet turned this into the date 2026-11-24.",)),
    ({PHONE: "#N/A"}, ("PhoneNumber: The cell holds the error #N/A.",)),
    ({NAME: "#REF!"}, ("Name: The cell holds the error #REF!.",)),
    ({TITLE: '=VLOOKUP(A2;Staff;3)&" desk"'}, ("Title: The cell holds the formula =VLOOKUP",)),
    ({ACTION: "remove"}, ("Action: “remove” is no action.",)),
    ({COST + 1: "4711"}, ("Cell 10 of this line stands under no column.",)),
    ({EMAIL: "rota.northwind.example"}, ("EmailAddress: AWS takes one address",)),
    ({PHONE: "+44 20 7946 0150 ext. 7"}, ("PhoneNumber: AWS takes digits",)),
    ({NAME: "Rota " * 13 + "x"}, ("Name: AWS takes at most 64 characters",)),
    (
        {ACTION: "clear", EMAIL: "=A1", PHONE: "#VALUE!"},
        (
            "Action: “clear” is no action.",
            "EmailAddress: The cell holds the formula",
            "PhoneNumber: The cell",
        ),
    ),
]
# What looks odd and is right: nothing of it is refused.
ODDITIES: list[Cells] = [
    {TYPE: "security", ACTION: "SET"},
    {TYPE: " Operations ", ACTION: " set "},
    {NAME: "Duty Rota  ", TITLE: "Duty officer ", EMAIL: " rota@northwind.example "},
    {NAME: "Duty " * 13},  # 64 characters without the blank at the end: AWS takes that
    {LABEL: "two\r\nlines"},
    {LABEL: 'quoted "here"; and there'},
    {NAME: "Zoë O'Brien, née Ó Dálaigh"},
    {NAME: "'=not a formula", PHONE: "'+44 20 7946 0150"},
    {NAME: "Half; half", TITLE: '"Quoted"'},
    {ACTION: "delete", NAME: "", TITLE: "", EMAIL: "", PHONE: ""},
    {ACTION: "Delete"},
]
KEEPING: list[Cells] = [
    {NAME: "", TITLE: "", EMAIL: ""},
    {NAME: "   ", PHONE: ""},
    {NAME: "", TITLE: "", EMAIL: "", PHONE: ""},
]


@dataclass
class Entry:
    """One row: as it stands in the file, how it is mended, and what is told of it."""

    cells: Cells
    mended: Cells | None  # None: mended by removing the row
    errors: tuple[str, ...] = ()
    about: list["Entry"] = field(default_factory=list)  # the errors name these by line: {0}


def trap_file(accounts: list[str], absent: Collection[Pair] = ()) -> tuple[bytes, dict[int, tuple[str, ...]]]:
    """The file, and the beginnings of the errors of each line that has some; all other lines are right.

    accounts: at least ninety account ids; absent: the contacts that are not set, as (account id, type).
    """
    entries = _entries(accounts, absent)
    out = StringIO(newline="")
    out.write(f"\ufeff{HEADER}\r\n")
    writer = csv.writer(out, delimiter=";")
    line, lines = 2, {}
    for number, entry in enumerate(entries):
        if number in (50, 120):
            out.write(";;;;;;;;\r\n" if number == 50 else "\r\n")
            line += 1
        lines[id(entry)] = line
        writer.writerow(_row(entry.cells))
        line += 1 + entry.cells[LABEL].count("\n")
    errors = {lines[id(entry)]: _named(entry, lines) for entry in entries if entry.errors}
    return out.getvalue().encode(), {1: (f"{UNKNOWN_COLUMN}: The column “{UNKNOWN_COLUMN}”",), **errors}


def mended_file(accounts: list[str], absent: Collection[Pair] = ()) -> bytes:
    """The same file with every mistake mended: nothing of it is refused."""
    out = StringIO(newline="")
    out.write(f"\ufeff{HEADER.removesuffix(f';{UNKNOWN_COLUMN}')}\r\n")
    writer = csv.writer(out, delimiter=";")
    for entry in _entries(accounts, absent):
        if entry.mended:
            writer.writerow(_row(entry.mended)[:COST])
    return out.getvalue().encode()


def mended_values(
    accounts: list[str], absent: Collection[Pair], before: Mapping[Pair, Values | None]
) -> dict[Pair, Values | None]:
    """What the mended file asks for, told without the product: each of its contacts; None is deleted."""
    entries = [entry.mended for entry in _entries(accounts, absent) if entry.mended]
    return {_pair_of(cells): _asked_of(cells, before[_pair_of(cells)]) for cells in entries}


def _pair_of(cells: Cells) -> Pair:
    return cells[ID].replace("-", "").strip(), cells[TYPE].strip().upper()


def _asked_of(cells: Cells, before: Values | None) -> Values | None:
    """Blanks at the ends go, so does our own mark before a formula, and an empty cell keeps what is there."""
    if cells[ACTION].strip().lower() == "delete":
        return None
    asked = dict(before or {})
    for place, name in {NAME: "name", TITLE: "title", EMAIL: "email", PHONE: "phone"}.items():
        text = cells[place].removeprefix("'") if cells[place][:2] in ("'=", "'+") else cells[place]
        if text.strip() and text != asked.get(name):
            asked[name] = text.strip()
    return asked


def _entries(accounts: list[str], absent: Collection[Pair]) -> list[Entry]:
    """Two hundred, the mistakes spread over all of them, each among some that are plainly right."""
    pairs = ((account, contact_type) for account in accounts for contact_type in TYPES)
    free = _Free(pairs, absent)
    special = [*_wrong(free), *_odd(free)]
    plain = [_right(free.any()) for _ in range(ROWS - len(special))]
    each = len(plain) // len(special)
    spread = [[entry, *plain[n * each : (n + 1) * each]] for n, entry in enumerate(special)]
    return [*chain.from_iterable(spread), *plain[len(special) * each :]]


class _Free:
    """Contacts that no row is about yet."""

    def __init__(self, pairs: Iterator[Pair], absent: Collection[Pair]) -> None:
        self._pairs = list(pairs)
        self._absent = set(absent)

    def any(self) -> Cells:
        account, contact_type = self._pairs.pop(0)
        return _cells(account, contact_type)

    def set(self) -> Cells:
        """One that is set, so that empty cells can keep its values."""
        pair = next(pair for pair in self._pairs if pair not in self._absent)
        self._pairs.remove(pair)
        return _cells(*pair)


def _cells(account: str, contact_type: str) -> Cells:
    number = int(account) % 1000
    values = [
        f"Duty Rota {number}",
        "Duty officer",
        f"rota{number}@northwind.example",
        f"+44 20 7946 0{number:03}",
    ]
    return dict(enumerate([account, f"account-{number}", contact_type, "", *values, ""]))


def _right(cells: Cells) -> Entry:
    return Entry(cells, cells)


def _wrong(free: _Free) -> Iterator[Entry]:
    for changes, errors in MISTAKES:
        cells = free.any()
        yield Entry(cells | changes, cells, errors)
    for lost in (1, 2):
        cells = free.any()
        short = f"AccountId: Account id has {12 - lost} digits. It needs 12: the spreadsheet may have dropped"
        yield Entry(cells | {ID: cells[ID][lost:]}, cells, (short,))
    yield from _doubles(free)


def _doubles(free: _Free) -> Iterator[Entry]:
    """The same row twice; the same contact with three different values, of which the first is right."""
    first = _right(free.any())
    yield first
    yield Entry(dict(first.cells), None, ("This line repeats line {0}.",), [first])
    cells = free.any()
    right = Entry(cells, cells, ("Lines {0}, {1} ask for something else",))
    others = [
        Entry(cells | {PHONE: phone}, None, ("Line {0} asks for something else",), [right])
        for phone in ("+44 20 7946 0998", "+44 20 7946 0999")
    ]
    right.about = others
    yield from [right, *others]


def _odd(free: _Free) -> Iterator[Entry]:
    """Right as they are. A type that is written oddly is that of its own contact."""
    for changes in ODDITIES:
        cells = free.any()
        if TYPE in changes:
            changes = changes | {TYPE: f" {cells[TYPE].title()} "}
        yield _right(cells | changes)
    for changes in KEEPING:
        yield _right(free.set() | changes)
    cells = free.any()
    account = cells[ID]
    yield _right(cells | {ID: f"{account[:4]}-{account[4:8]}-{account[8:]}"})
    cells = free.any()
    yield _right(cells | {ID: f" {cells[ID]} "})


def _row(cells: Cells) -> list[str]:
    return [cells.get(place, "") for place in range(max(cells) + 1)]


def _named(entry: Entry, lines: dict[int, int]) -> tuple[str, ...]:
    others = sorted(lines[id(other)] for other in entry.about)
    return tuple(error.format(*others) if others else error for error in entry.errors)


def trap_workbook(account: str) -> tuple[bytes, dict[int, tuple[str, ...]]]:
    """A workbook whose cells are no text, about this account, whose id does not begin with a zero."""
    book = Workbook()
    hidden, sheet = book.active, book.create_sheet("Contacts")
    hidden.sheet_state = "hidden"
    sheet.append(["AccountId", "AlternateContactType", "Name", "Phone Number", "Title"])
    rows: list[tuple[list[object], tuple[str, ...]]] = [
        ([int(account), "SECURITY", "=not run", "+44 20 7946 0150", "Desk"], ()),
        ([int(account) // 10, "SECURITY"], ("AccountId: Account id has 11 digits.",)),
        (
            [account, "BILLING", "Desk", 442079460150],
            ("PhoneNumber: The spreadsheet turned this into the num",),
        ),
        (
            [account, "OPERATIONS", date(2026, 11, 24), "=44-20"],
            ("Name: The spreadsheet turned this into the", "PhoneNumber: The cell holds the formula =44-20."),
        ),
        (
            [date(2026, 11, 24), "#N/A", 1.5],
            (
                "AccountId: The spreadsheet turned this into the date",
                "AlternateContactType: “#N/A” is no",
                "Name: The spreadsheet turned this into the number 1.5",
            ),
        ),
        (
            ["=A2", "SECURITY", "Desk", None, None, None, "far"],
            ("Cell 7 of", "AccountId: The cell holds the formula =A2."),
        ),
        ([7, "SECURITY"], ()),
    ]
    for cells, _ in rows:
        sheet.append(cells)
    sheet["C2"].data_type = "s"
    sheet["A8"].number_format = "0" * 12
    sheet.insert_rows(3)
    errors = {number + (number > 2): told for number, (_, told) in enumerate(rows, start=2) if told}
    out = BytesIO()
    book.save(out)
    return out.getvalue(), errors
