"""What a small workbook may unpack to: bounds, held before a parser keeps all of it in memory."""

import re
import zipfile
from typing import IO, BinaryIO
from xml.parsers import expat

UNPACKED_LIMIT = 64 * 1024 * 1024  # 50,000 rows of eight full columns unpack to 32 MB
BESIDE_LIMIT = 4 * 1024 * 1024  # any part but these, which hold the cells and their texts
LARGE = re.compile(r"xl/(worksheets/[^/]+|sharedStrings)\.xml")
ELEMENTS_LIMIT = 2_500_000  # of one part; those rows are 1.3 million
INNER_LIMIT = 5_000  # of one row, or of one text
PARTS_LIMIT = 1_000
ROW_DEPTH = 3  # worksheet, sheetData, row
PIECE = 64 * 1024


class TooMuch(Exception):
    """The workbook holds more than any table needs."""


def require_bounded(stream: BinaryIO) -> None:
    """Raise TooMuch unless the workbook can be read in bearable time and memory."""
    with zipfile.ZipFile(stream) as archive:
        parts = archive.infolist()
        if len(parts) > PARTS_LIMIT or sum(part.file_size for part in parts) > UNPACKED_LIMIT:
            raise TooMuch
        for part in parts:
            if part.file_size > BESIDE_LIMIT and not LARGE.fullmatch(part.filename):
                raise TooMuch
            with archive.open(part) as content:
                _count(part, content)


def _count(part: zipfile.ZipInfo, content: IO[bytes]) -> None:
    """Names prove nothing: a workbook may call its sheet a picture. What is no XML is none of its tables."""
    try:
        _Elements().count(content)
    except expat.ExpatError:
        if part.filename.endswith((".xml", ".rels")):
            raise


class _Elements:
    """Counts the elements of a part: how many there are, and how many within one row."""

    def __init__(self) -> None:
        self.depth = self.total = self.inner = 0

    def count(self, content: IO[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        while piece := content.read(PIECE):
            parser.Parse(piece)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.total += 1
        self.inner = 0 if self.depth <= ROW_DEPTH else self.inner + 1
        if self.inner > INNER_LIMIT or self.total > ELEMENTS_LIMIT:
            raise TooMuch

    def _end(self, name: str) -> None:
        self.depth -= 1

    def _refuse(self, *_: object) -> None:
        """No spreadsheet writes a document type, whose entities could unpack once more."""
        raise TooMuch
