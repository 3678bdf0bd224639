"""Tables out and in: what is written is read again, and what is no table says so."""

import zipfile
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from portal import tables
from portal.spreadsheets import csv_lines, plain_cell, safe_cell, write_xlsx
from portal.tables import NotATable, read_table

SPREADSHEET_MARKS = st.sampled_from(list("'=+-@\uff1d\uff0b\t\r\n,;\"#_x0D\x01\ufeff "))
TEXT = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), SPREADSHEET_MARKS)
)
FILLED = TEXT.filter(str.strip)
TABLES = st.lists(st.tuples(FILLED, TEXT, TEXT), max_size=4)
QUICK = settings(max_examples=60, deadline=None)


def cells_of(data: bytes, name: str = "a file") -> list[list[str]]:
    table = read_table(BytesIO(data), name)
    return [row.cells for row in (table.header, *table.rows)]


def as_csv(rows: list) -> bytes:
    return "".join(csv_lines(rows)).encode()


def as_xlsx(rows: list) -> bytes:
    out = BytesIO()
    write_xlsx(rows, out)
    return out.getvalue()


@given(TEXT)
@example("\n=1")
@example("\uff1d1")
def test_an_apostrophe_comes_off_where_one_was_put(text):
    assert plain_cell(safe_cell(text)) == text
    assert not safe_cell(text).startswith(tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))


@QUICK
@given(TABLES)
def test_csv_comes_back_as_it_went(rows):
    header = ("a", "b", "c")
    assert cells_of(as_csv([header, *rows])) == [list(row) for row in (header, *rows)]


@QUICK
@given(TABLES)
def test_xlsx_comes_back_as_it_went(rows):
    found = cells_of(as_xlsx([("a", "b", "c"), *rows]))
    assert [cells + [""] * (3 - len(cells)) for cells in found[1:]] == [list(row) for row in rows]


def test_a_workbook_holds_text_alone_and_its_header_stays_in_sight():
    sheet = load_workbook(BytesIO(as_xlsx([["AccountId", "Name"], ["000000000012", "=1+1"]]))).active
    assert [[cell.data_type for cell in row] for row in sheet.rows] == [["s", "s"], ["s", "s"]]
    assert {cell.number_format for row in sheet.rows for cell in row} == {"@"}
    assert (sheet.freeze_panes, sheet.column_dimensions["A"].width) == ("A2", 14)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_of_any_make(mark, delimiter, end):
    lines = ["", f'"a,b;c"{delimiter}d', delimiter, f'"1{end}2"{delimiter}"3 ""4"""', "  ", "5"]
    table = read_table(BytesIO((mark + end.join(lines)).encode()), "a file")
    found = [(row.number, row.cells) for row in (table.header, *table.rows)]
    assert found == [(2, ["a,b;c", "d"]), (4, [f"1{end}2", '3 "4"']), (7, ["5"])]


@pytest.mark.parametrize("make", [SimpleUploadedFile, "temporary"])
def test_an_upload_stays_open(make):
    upload = (
        TemporaryUploadedFile("a.csv", "text/csv", 4, None) if make == "temporary" else make("a.csv", b"")
    )
    upload.write(b"a\n1\n")
    assert [row.cells for row in read_table(upload, "a.csv").rows] == [["1"]]
    upload.seek(0)
    assert upload.read() == b"a\n1\n"


def zip_of(**parts: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("_", "/") + ".xml", content)
    return out.getvalue()


def changed_workbook(part: str, old: bytes, new: bytes) -> bytes:
    out, source = BytesIO(), zipfile.ZipFile(BytesIO(as_xlsx([["a"], ["1"]])))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            content = source.read(name)
            archive.writestr(name, content.replace(old, new) if name == part else content)
    return out.getvalue()


def renamed(data: bytes, old: str, new: str) -> bytes:
    """The workbook with a part under another name, as every other part calls it too."""
    out, source = BytesIO(), zipfile.ZipFile(BytesIO(data))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            content = source.read(name).replace(old.encode(), new.encode())
            archive.writestr(name.replace(old, new), content)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
TOO_MUCH = "There is more in it.x than a table needs. Copy its rows into a new workbook"
LONG_ROW = changed_workbook(SHEET, b"</row></sheetData>", b"<c/>" * 5000 + b"</row></sheetData>")
ENTITY = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet '


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "There is nothing in it.x. Its first line must name the columns."),
        (b"\n ;;\r\n\t\n", "There is nothing in"),
        (as_xlsx([]), "There is nothing in"),
        ("a,b\nMüller,1".encode("latin-1"), "Line 2 of it.x is not text in UTF-8. In Excel choose Save As"),
        ("a,b\n1,2".encode("utf-16"), "Line 1 of it.x is not text in UTF-8."),
        (b"\x89PNG\r\n\x1a\n\0\0", "Line 1 of it.x is not text in UTF-8."),
        (b'a,b\n1,2\n3,"4\n5,6\n', "Line 3 of it.x cannot be read: a quotation mark is missing"),
        (b'a,b\n1,"2"3\n', "Line 2 of it.x cannot be read: a quotation mark is missing"),
        (b"a\n" + b"," * 2000, "Line 2 of it.x has more than 1,000 cells."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it has a password, or it is an old Excel file."),
        (b"PK\x03\x04 and no more", "it is no Excel workbook, or damaged."),
        (as_xlsx([["a"], ["1"]])[:-40], "it is no Excel workbook, or damaged."),
        (zip_of(word_document=b"<a/>"), "it is no Excel workbook, or damaged."),
        (changed_workbook(SHEET, b"<worksheet ", ENTITY), TOO_MUCH),
        (LONG_ROW, TOO_MUCH),
        (renamed(LONG_ROW, "sheet1.xml", "sheet1.XML"), TOO_MUCH),
        (renamed(LONG_ROW, "sheet1.xml", "sheet1.png"), TOO_MUCH),
        (zip_of(**{f"part{number}": b"" for number in range(1001)}), TOO_MUCH),
        (zip_of(xl_styles=b"<a>" + b" " * 5 * 1024**2 + b"</a>"), TOO_MUCH),
        (zip_of(xl_worksheets_sheet1=b" " * 65 * 1024**2), TOO_MUCH),
    ],
)
def test_what_is_no_table_says_what_to_do(data, words):
    with pytest.raises(NotATable) as caught:
        cells_of(data, "it.x")
    assert words in str(caught.value)


def test_a_workbook_may_hold_pictures():
    out = BytesIO(as_xlsx([["a"], ["1"]]))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/media/image1.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
        archive.writestr("xl/media/image2.svg", b"<svg/>")
        archive.writestr("xl/printerSettings/printerSettings1.bin", b"")
    assert cells_of(out.getvalue()) == [["a"], ["1"]]


def test_a_file_has_its_limits(monkeypatch):
    monkeypatch.setattr(tables, "ROW_LIMIT", 2)
    assert len(cells_of(b"a\n1\n2\n")) == 3
    for data in (b"a\n1\n2\n3\n", as_xlsx([["a"], ["1"], ["2"], ["3"]])):
        with pytest.raises(NotATable, match="more than 2 rows in a file. Split it"):
            cells_of(data)
    monkeypatch.setattr(tables, "SIZE_LIMIT", 1024)
    with pytest.raises(NotATable, match="more than 0 MB in a file"):
        cells_of(b"a" * 1025)


def test_the_first_sheet_that_can_be_seen_is_read():
    book, out = Workbook(), BytesIO()
    book.active.append(["hidden"])
    book.active.sheet_state = "hidden"
    book.create_sheet("Seen").append(["seen"])
    book.create_sheet("Later").append(["later"])
    book.save(out)
    assert cells_of(out.getvalue()) == [["seen"]]


def test_a_stray_cell_far_below_is_found_where_it_stands():
    book, out = Workbook(), BytesIO()
    book.active["B2"], book.active["A300000"] = "head", "stray"
    book.save(out)
    table = read_table(BytesIO(out.getvalue()), "a file")
    found = [(row.number, row.cells) for row in (table.header, *table.rows)]
    assert found == [(2, ["", "head"]), (300_000, ["stray"])]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=60).map(b"PK\x03\x04".__add__))
def test_junk_is_told_from_a_table(data):
    try:
        cells_of(data)
    except NotATable as error:
        assert str(error).endswith(".")


WORKBOOK = as_xlsx([["a", "b"], ["1", "2"], ["3", "4"]])
PARTS = zipfile.ZipFile(BytesIO(WORKBOOK)).namelist()


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
@settings(max_examples=50, deadline=None)
@given(st.sampled_from(PARTS), st.integers(0, 3000), st.binary(max_size=12), st.integers(0, 12))
def test_a_damaged_workbook_is_told_from_a_table(part, at, new, length):
    content = zipfile.ZipFile(BytesIO(WORKBOOK)).read(part)
    at %= len(content)
    try:
        cells_of(changed_workbook(part, content, content[:at] + new + content[at + length :]))
    except NotATable as error:
        assert str(error).endswith(".")
