"""What may be concluded from a fresh read: a table, and properties over every read a lagging AWS can show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.compare import Finding, compare
from portal.aws import ContactDetails


def person(name: str) -> ContactDetails:
    return ContactDetails(name, "title", f"{name}@example.com", "+1 206 555 0100")


X, Y, Z = person("x"), person("y"), person("z")

TABLE = [
    # found, before, wanted, ours, lagging, finding
    (X, X, Y, [], False, Finding.AS_BEFORE),
    (None, None, Y, [], False, Finding.AS_BEFORE),
    (X, X, None, [], False, Finding.AS_BEFORE),
    (Y, X, Y, [], False, Finding.AS_WANTED),
    (None, X, None, [], False, Finding.AS_WANTED),
    (X, X, X, [], False, Finding.AS_WANTED),
    (Z, X, Y, [], False, Finding.STRANGER),
    (None, X, Y, [], False, Finding.STRANGER),
    # Our write of Y got no answer: X may be a stale read.
    (X, X, Y, [], True, Finding.PERHAPS_STALE),
    (Y, X, Y, [], True, Finding.AS_WANTED),
    # We wrote X -> Y a moment ago; now Y -> X is wanted, and a stale read shows X.
    (X, Y, X, [X], False, Finding.PERHAPS_STALE),
    (Y, Y, X, [X], False, Finding.AS_BEFORE),
    (X, Y, Z, [X], False, Finding.PERHAPS_STALE),
    # The e-mail's spaces are AWS's to drop.
    (ContactDetails("x", "title", " x@example.com", "+1 206 555 0100"), X, Y, [], False, Finding.AS_BEFORE),
]


@pytest.mark.parametrize(("found", "before", "wanted", "ours", "lagging", "finding"), TABLE)
def test_table(found, before, wanted, ours, lagging, finding):
    assert compare(found, before=before, wanted=wanted, ours=ours, is_lagging=lagging) is finding


values = st.sampled_from([None, X, Y, Z])


@given(values, values, values, st.lists(values, max_size=3), st.booleans())
def test_nothing_is_sent_over_what_was_not_shown(found, before, wanted, ours, lagging):
    finding = compare(found, before=before, wanted=wanted, ours=ours, is_lagging=lagging)
    if finding is Finding.AS_BEFORE:
        assert found == before != wanted
    if finding is Finding.STRANGER:
        assert found not in (before, wanted, *ours)


@given(st.lists(values, min_size=2, max_size=6), st.data())
def test_a_stale_read_after_our_own_writes_never_settles_or_conflicts(history, data):
    """Our writes made AWS go through history; the next wish starts from its end; a read shows any of it."""
    before = history[-1]
    wanted = data.draw(values)
    found = data.draw(st.sampled_from(history))
    finding = compare(found, before=before, wanted=wanted, ours=history[:-1], is_lagging=False)
    assert finding is not Finding.STRANGER
    if found != before:
        assert finding is Finding.PERHAPS_STALE
