"""Events in words that a manager reads without asking."""

import pytest

from audit.context import Context, Source
from audit.log import event
from audit.models import Action
from audit.parts import parts_of
from audit.words import SENTENCES, Difference, differences, sentence

OPS = {"status": "set", "name": "Ops", "title": "Team", "email": "ops@example.com", "phone": "+442079460155"}


class Alice:
    pk, label = 7, "Alice Doe"


def test_every_action_has_its_sentence():
    assert set(SENTENCES) == set(Action)


@pytest.mark.parametrize(
    ("action", "context", "words"),
    [
        (Action.CHANGE_REQUESTED, Context(actor=Alice, source=Source.PAGE), "Change asked for by Alice Doe"),
        (Action.SIGNED_IN, Context(actor=Alice, source=Source.PAGE), "Alice Doe signed in"),
        (
            Action.CHANGE_REQUESTED,
            Context(actor=Alice, source=Source.COMMAND, os_user="root"),
            "Change asked for by Alice Doe (root at a terminal)",
        ),
        (
            Action.ORGANIZATION_CONNECTED,
            Context(source=Source.COMMAND, os_user="root"),
            "Organization connected by root at a terminal",
        ),
        (Action.CHANGE_FAILED, Context(source=Source.WORKER), "Change of the portal failed"),
        (
            Action.ACCESS_REFUSED,
            Context(source=Source.PAGE),
            "Attempt of somebody who was not signed in refused",
        ),
    ],
)
@pytest.mark.django_db
def test_says_who_did_what(action, context, words):
    assert sentence(event(action, context)) == words


def rows(before, after) -> list[tuple[str, str, str]]:
    return [(row.label, row.old, row.new) for row in differences(before, after)]


def test_shows_only_what_differs():
    assert differences(OPS, OPS | {"phone": "+441"}) == [
        Difference("phone", "Phone", "+442079460155", "+441")
    ]
    assert differences(OPS, OPS) == differences(None, None) == []


def test_a_contact_that_comes_or_goes_is_shown_field_by_field_in_the_order_of_its_form():
    shuffled = dict(reversed(OPS.items()))
    assert rows({"status": "absent"}, shuffled) == [
        ("Status", "Not set", "Set"),
        ("Name", "", "Ops"),
        ("Title", "", "Team"),
        ("E-mail", "", "ops@example.com"),
        ("Phone", "", "+442079460155"),
    ]
    assert rows(OPS, {"status": "absent"})[1] == ("Name", "Ops", "")


def test_what_is_not_known_is_never_shown_as_empty():
    assert rows({"status": "unknown"}, OPS)[:2] == [("Status", "Unknown", "Set"), ("Name", "Unknown", "Ops")]
    assert rows({"status": "unknown"}, {"status": "absent"})[1:] == []


def test_small_records_of_accounts_and_people():
    assert rows({"state": "ACTIVE"}, {"state": "SUSPENDED"}) == [("State", "ACTIVE", "SUSPENDED")]
    assert rows({"roles": ["Viewer"]}, {"roles": ["Viewer", "Editor"]}) == [
        ("Roles", "Viewer", "Viewer, Editor")
    ]
    assert rows(None, {"is_active": False, "unit_path": "r-1/"}) == [
        ("Active", "", "No"),
        ("Unit path", "", "r-1/"),
    ]
    assert rows({"trusted_access": None}, {"trusted_access": True}) == [("Trusted access", "", "Yes")]


def test_a_baseline_says_each_contact_in_a_line():
    baseline = {"BILLING": OPS, "OPERATIONS": {"status": "absent"}, "SECURITY": {"status": "unknown"}}
    assert rows(None, baseline) == [
        ("Billing", "", "Ops, Team, ops@example.com, +442079460155"),
        ("Operations", "", "Not set"),
        ("Security", "", "Unknown"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "middles"),
    [
        ("ana@northwind.example", "soc@northwind.example", ("ana", "soc")),
        ("+44 20 7946 0150", "+44 20 7946 0199", ("50", "99")),
        ("Desk", "Desk ", ("", " ")),
        ("aa", "aaa", ("", "a")),
        ("cafe\u0301 east", "cafe east", ("e\u0301", "e")),  # an accent goes with its letter
        ("Mallory", "Ana Ruiz", ("", "")),  # nothing in common: the whole is new
        ("", "Ana", ("", "")),
    ],
)
def test_what_differs_within_a_value_is_told_apart_from_what_both_share(old, new, middles):
    sides = parts_of(old, new), parts_of(new, old)
    assert (sides[0].middle, sides[1].middle) == middles
    assert ("".join(sides[0]), "".join(sides[1])) == (old, new)


def test_a_state_is_a_word_and_is_not_cut_up():
    (row,) = differences({"status": "set"}, {"status": "absent"})
    assert (row.old_parts.middle, row.new_parts.middle) == ("", "")
