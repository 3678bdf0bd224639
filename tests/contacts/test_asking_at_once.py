"""Many press Save in the same moment: a double click is one wish, and of two people one sees the other's."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from audit.context import Context, Source
from audit.models import AuditEvent
from contacts.changes import Stale, request_change, seen_of
from contacts.models import AlternateContact, ContactChange
from portal.aws import ContactDetails
from tests.contacts.conftest import deliver_until_ended

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

CLICKS = 8


def wanted(name: str) -> ContactDetails:
    return ContactDetails(name, "SOC", "soc@northwind.example", "+44 20 7946 0177")


def all_at_once(account, asks: list[tuple]) -> list[ContactChange | Stale]:
    """Each (person, value) asks from a form that was opened before, all in the same moment."""
    seen = seen_of(AlternateContact.objects.get(account=account, contact_type="SECURITY"))
    start = Barrier(len(asks))

    def ask(person, value: ContactDetails) -> ContactChange | Stale:
        context = Context(actor=person, source=Source.PAGE, reason="Rotation")
        start.wait()
        try:
            return request_change(account, "SECURITY", value, context=context, seen=seen)
        except Stale as stale:
            return stale
        finally:
            connection.close()

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(lambda one: ask(*one), asks))


def test_a_double_click_in_the_same_moment_is_one_wish(account, alice, sandbox):
    answers = all_at_once(account, [(alice, wanted("Alice's"))] * CLICKS)
    assert len({answer.pk for answer in answers}) == ContactChange.objects.count() == 1
    deliver_until_ended(answers[0])
    assert len(sandbox.log(operation="PutAlternateContact")) == 1
    assert AuditEvent.objects.filter(action="contact.change_requested").count() == 1


def test_of_two_people_one_sees_what_the_other_asked_for(account, alice, hank, sandbox):
    answers = all_at_once(account, [(alice, wanted("Alice's")), (hank, wanted("Hank's"))])
    (first,) = [answer for answer in answers if isinstance(answer, ContactChange)]
    (stale,) = [answer for answer in answers if isinstance(answer, Stale)]
    assert stale.open_change == first
    deliver_until_ended(first)
    assert sandbox.contact(account.aws_id, "SECURITY")["name"] == first.wanted["name"]


def test_two_tabs_with_two_values(account, alice):
    answers = all_at_once(account, [(alice, wanted("One")), (alice, wanted("Two"))])
    assert sorted(type(answer).__name__ for answer in answers) == ["ContactChange", "Stale"]
