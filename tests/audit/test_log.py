"""Writing an event: who, by which door, why."""

import pytest
from django.db import connection

from audit.context import Context, Source, command_context, page_context
from audit.log import MANY, event, record, record_all
from audit.models import Action, AuditEvent, AuditPending

pytestmark = pytest.mark.django_db


def test_keeps_who_and_why(alice):
    context = Context(actor=alice, source=Source.PAGE, ip="192.0.2.7").because("Moved", "CHG-1")
    record(Action.CHANGE_REQUESTED, context, account_id="111122223333")
    stored = AuditEvent.objects.get()
    assert (stored.actor_id, stored.actor_label, stored.os_user) == (alice.pk, "Alice", "")
    assert (stored.source, stored.ip, stored.request_id) == ("page", "192.0.2.7", context.request_id)
    assert (stored.reason, stored.ticket) == ("Moved", "CHG-1")
    assert stored.pending == AuditPending.objects.get()


def test_a_fact_goes_before_the_context(alice):
    context = Context(actor=alice, source=Source.WORKER, reason="of the click")
    assert record(Action.CHANGE_APPLIED, context, reason="of the change").reason == "of the change"


def test_a_name_that_is_too_long_does_not_lose_the_event(alice):
    alice.first_name, alice.last_name = "A" * 150, "B" * 150
    written = record(Action.SIGNED_IN, Context(actor=alice, source=Source.PAGE, os_user="u" * 99))
    written.refresh_from_db()
    assert (len(written.actor_label), len(written.os_user)) == (200, 64)


def test_an_action_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="contact.bent"):
        record("contact.bent", command_context())


def test_a_command_keeps_the_user_of_the_operating_system(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    assert command_context().os_user == "root"
    monkeypatch.setattr("getpass.getuser", lambda: (_ for _ in ()).throw(KeyError("uid 12345")))
    assert command_context().os_user == ""


def test_a_page_gives_its_request(rf, alice):
    request = rf.get("/")
    request.user, request.request_id, request.client_ip = alice, "click-1", "192.0.2.7"
    context = page_context(request, reason="Moved")
    assert (context.actor, context.request_id, context.ip) == (alice, "click-1", "192.0.2.7")


@pytest.mark.parametrize("number", [1, 20, MANY])
def test_many_events_cost_what_three_statements_cost(django_assert_max_num_queries, number):
    """Their keys, the events, and that they wait; fewer are written with their keys in one on PostgreSQL."""
    events = [event(Action.SIGNED_IN, command_context(), detail={"place": place}) for place in range(number)]
    with django_assert_max_num_queries(3) as queries:
        written = record_all(events)
    assert len(queries) == (1 if connection.vendor == "postgresql" and number < MANY else 3)
    assert set(AuditPending.objects.values_list("pk", flat=True)) == {event.pk for event in written}
    stored = AuditEvent.objects.in_bulk()
    assert all(stored[event.pk].detail == event.detail for event in written)


def test_no_events_cost_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert record_all([]) == []
