"""The list of changes, one change, and taking one back."""

import pytest
from django.urls import reverse

from audit.context import Context, Source
from audit.models import Action, AuditEvent
from contacts.events import record_change
from contacts.models import ChangeStatus
from portal.causes import Cause
from tests.contacts.scene import DESK, FINANCE, LEDGER, ROTA, as_person, unmarked

LIST = reverse("contacts:change_list")


def detail(change) -> str:
    return reverse("contacts:change_detail", args=[change.pk])


def cancel(change) -> str:
    return reverse("contacts:change_cancel", args=[change.pk])


@pytest.fixture
def changes(scene, alice, hank):
    return {
        "queued": scene.change(alice, scene.ledger),
        "failed": scene.change(
            hank,
            scene.ledger,
            "BILLING",
            status=ChangeStatus.FAILED,
            problem=Cause.SCP_DENIES,
            ticket="CHG-9",
        ),
        "applied": scene.change(hank, scene.gateway, "BILLING", status=ChangeStatus.APPLIED, reason="Freeze"),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["applied", "failed", "queued"]),
        ({"sort": "asked"}, ["queued", "failed", "applied"]),
        ({"sort": "problems"}, ["failed", "queued", "applied"]),
        ({"sort": "account"}, ["applied", "failed", "queued"]),
        ({"show": "open"}, ["queued"]),
        ({"show": "attention"}, ["failed"]),
        ({"show": "done"}, ["applied"]),
        ({"status": ["failed", "queued"]}, ["failed", "queued"]),
        ({"type": "BILLING"}, ["applied", "failed"]),
        ({"person": "alice"}, ["queued"]),
        ({"account": LEDGER}, ["failed", "queued"]),
        ({"q": "gateway"}, ["applied"]),
        ({"q": "chg-9"}, ["failed"]),
        ({"q": "freeze"}, ["applied"]),
        ({"q": "4421 0915"}, ["failed", "queued"]),
    ],
)
def test_filters_of_the_list(changes, bob, query, expected):
    page = as_person(bob).get(LIST, query)
    shown = [wish.change for wish in page.context["wishes"]]
    assert shown == [changes[name] for name in expected]


def test_the_list_costs_the_same_for_many(scene, alice, bob, django_assert_max_num_queries):
    for number in range(20):
        account = scene.account(f"5{number:011}", f"extra-{number:02}")
        scene.change(alice, account)
    client = as_person(bob)
    with django_assert_max_num_queries(12):
        client.get(LIST)


def test_one_change_says_old_new_who_why_and_how_it_went(changes, bob, hank):
    change = changes["failed"]
    record_change(Action.CHANGE_REQUESTED, change, Context(actor=hank, source=Source.PAGE))
    text = unmarked(as_person(bob).get(detail(change)).text)
    for words in (FINANCE.email, ROTA.email, "Hank", "Duty rota moves.", "CHG-9", "Change asked for by Hank"):
        assert words in text
    assert Cause.SCP_DENIES.label in text
    assert Cause.SCP_DENIES.remedy in text


def test_a_conflict_shows_what_aws_has_and_the_way_on(scene, alice):
    found = {"status": "set", **FINANCE.__dict__}
    change = scene.change(alice, scene.ledger, status=ChangeStatus.CONFLICT, stranger=found)
    text = unmarked(as_person(alice).get(detail(change)).text)
    assert FINANCE.email in text
    assert f"{reverse('contacts:contact_edit', args=[LEDGER, 'SECURITY'])}?from_change={change.pk}" in text


def test_only_those_who_may_edit_are_offered_to(changes, alice, bob):
    for name in changes:
        assert "Ask again" not in as_person(bob).get(detail(changes[name])).text
        assert cancel(changes[name]) not in as_person(bob).get(detail(changes[name])).text
    assert cancel(changes["queued"]) in as_person(alice).get(detail(changes["queued"])).text
    assert "Ask again" in as_person(alice).get(detail(changes["failed"])).text
    assert "Ask again" not in as_person(alice).get(detail(changes["applied"])).text


def test_the_page_asks_again_only_while_the_change_moves(changes, bob):
    client = as_person(bob)
    assert "hx-get" in client.get(reverse("contacts:change_live", args=[changes["queued"].pk])).text
    assert "hx-get" not in client.get(reverse("contacts:change_live", args=[changes["applied"].pk])).text


def test_cancelling_ends_the_wish_and_is_written_down(changes, alice):
    change = changes["queued"]
    answer = as_person(alice).post(cancel(change), {"next": f"/accounts/{LEDGER}/"})
    assert answer.url == f"/accounts/{LEDGER}/"
    change.refresh_from_db()
    assert change.status == ChangeStatus.CANCELLED
    assert AuditEvent.objects.get(action=Action.CHANGE_CANCELLED).actor_id == alice.pk


def test_cancelling_too_late_says_so_and_changes_nothing(changes, alice):
    change = changes["queued"]
    change.status = ChangeStatus.SENDING
    change.save(update_fields=["status"])
    page = as_person(alice).post(cancel(change), follow=True)
    assert "It is too late to cancel" in page.text
    change.refresh_from_db()
    assert change.status == ChangeStatus.SENDING


def test_cancelling_leads_to_no_foreign_site(changes, alice):
    answer = as_person(alice).post(cancel(changes["queued"]), {"next": "https://evil.example/"})
    assert answer.url == detail(changes["queued"])


def test_a_deletion_is_told_as_one(scene, alice, bob):
    change = scene.change(alice, scene.ledger, wanted=None)
    text = as_person(bob).get(detail(change)).text
    assert "Delete the Security contact" in text
    assert DESK.email in text
