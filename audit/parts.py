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
    start = _same_start(value, other)
    shortest = min(len(value), len(other))
    end = min(_same_start(value[::-1], other[::-1]), shortest - start)
    while end and unicodedata.combining(value[len(value) - end]):
        end -= 1  # an accent belongs to the letter before it
    if (start + end) * 3 < shortest or not start + end:
        return Parts(value, "", "")
    stop = len(value) - end
    return Parts(value[:start], value[start:stop], value[stop:])


def _same_start(value: str, other: str) -> int:
    """How many letters they begin with in common, accents with their letters."""
    count = 0
    while count < min(len(value), len(other)) and value[count] == other[count]:
        count += 1
    while count and any(
        text[count : count + 1] and unicodedata.combining(text[count]) for text in (value, other)
    ):
        count -= 1
    return count
