"""Where two values differ: what they share at both ends, and the part between that changed."""

import unicodedata
from typing import NamedTuple


class Parts(NamedTuple):
    """A value in three; the middle is what the other value has not, and empty where nothing is marked."""

    start: str
    middle: str
    end: str


def parts_of(value: str, other: str) -> Parts:
    """The value with the part marked that is not the same in the other, unless nearly all of it is."""
    start = _same(value, other)
    while start and any(_is_accent(text, start) for text in (value, other)):
        start -= 1
    shortest = min(len(value), len(other))
    end = min(_same(value[::-1], other[::-1]), shortest - start)
    while end and _is_accent(value, len(value) - end):
        end -= 1
    if (start + end) * 3 < shortest or not start + end:
        return Parts(value, "", "")
    stop = len(value) - end
    return Parts(value[:start], value[start:stop], value[stop:])


def _same(value: str, other: str) -> int:
    """How many characters they begin with in common."""
    pairs = enumerate(zip(value, other, strict=False))
    return next((place for place, (one, two) in pairs if one != two), min(len(value), len(other)))


def _is_accent(text: str, place: int) -> bool:
    """Whether what stands there belongs to the letter before it."""
    return place < len(text) and unicodedata.combining(text[place]) > 0
