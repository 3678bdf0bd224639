"""Comparing a fresh read with a wish: what may be concluded, and what not. Pure."""

import enum
from collections.abc import Iterable

from portal.aws import ContactDetails, same_contact


class Finding(enum.Enum):
    """What a fresh read means for a wish."""

    AS_WANTED = "AWS holds what is wanted: nothing is to be sent"
    AS_BEFORE = "AWS holds what was shown to the person: send"
    PERHAPS_STALE = "AWS shows a value of our own that a stale read would show too: look again later"
    STRANGER = "AWS holds a value that is neither: somebody else wrote it"


def compare(
    found: ContactDetails | None,
    *,
    before: ContactDetails | None,
    wanted: ContactDetails | None,
    ours: Iterable[ContactDetails | None],
    is_lagging: bool,
) -> Finding:
    """Sort a fresh read. ours: values that we replaced or may have written lately, which a stale read shows.

    is_lagging: we wrote over the value from before a moment ago, so that it may be a stale read as well:
    the wanted value without an answer, or another one after this wish was planned.
    """
    if same_contact(found, before):
        if is_lagging:
            return Finding.PERHAPS_STALE
        return Finding.AS_WANTED if same_contact(wanted, before) else Finding.AS_BEFORE
    if any(same_contact(found, value) for value in ours):
        return Finding.PERHAPS_STALE
    if same_contact(found, wanted):
        return Finding.AS_WANTED
    return Finding.STRANGER
