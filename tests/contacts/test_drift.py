"""Changed outside the portal: a row to decide on, a mail at once, and three ways on."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit.context import worker_context
from audit.models import AuditEvent
from contacts.alerts import PAUSE, tell_of_drifts
from contacts.approval import get_rules
from contacts.changes import seen_of
from contacts.mirror import (
    CHANGED_AGAIN,
    WENT_BACK,
    WRITTEN_OVER,
    Answer,
    lock_contact,
    note_answers,
    note_reading,
    note_written,
)
from contacts.models import ChangeStatus, ContactChange, Drift, DriftState
from orgs.models import AccessGrant, Role
from portal.aws import ContactDetails
from portal.models import OutgoingMail
from tests.conftest import queries_of
from tests.contacts.scene import DESK, FINANCE, LEDGER, ROTA, as_person

pytestmark = pytest.mark.django_db

OUTSIDER = ContactDetails(" Outsider ", "CTO", "cto@elsewhere.example", "+1 206 555 0100")
WHY = {"reason": "Seen with the partner.", "ticket": "SEC-7"}


def find(scene, details: ContactDetails | None, contact_type: str = "SECURITY", account: Any = None) -> None:
    """A read shows this value."""
    with transaction.atomic():
        contact = lock_contact(scene.contact(account or scene.ledger, contact_type).pk)
        note_reading(contact, details, asked_at=timezone.now(), context=worker_context())


def write(scene, details: ContactDetails) -> None:
    """AWS took a change of ours."""
    with transaction.atomic():
        note_written(lock_contact(scene.contact(scene.ledger, "SECURITY").pk), details, at=timezone.now())


def page_of(person, drift: Drift):
    return as_person(person).get(reverse("contacts:drift_detail", args=[drift.pk]))


def decide(person, drift: Drift, way: str, seen: str = "", **data: str):
    """Press a button of the page as it stands now, or as it stood when seen was taken from it."""
    seen = seen or seen_on(page_of(person, drift))
    address = reverse(f"contacts:drift_{way}", args=[drift.pk])
    return as_person(person).post(address, WHY | {"seen": seen} | data)


def seen_on(page) -> str:
    form = page.context["form"]
    return form["seen"].value() if form else ""


def states() -> list[tuple[str, str]]:
    return list(Drift.objects.order_by("pk").values_list("state", "reason"))


def test_what_a_read_finds_is_a_row_with_both_values_and_both_times(scene):
    read_at = scene.contact(scene.ledger, "SECURITY").observed_at
    find(scene, OUTSIDER)
    drift = Drift.objects.get()
    event = AuditEvent.objects.get(action="contact.drift")
    assert (drift.event_id, drift.before, drift.after) == (event.pk, event.before, event.after)
    assert drift.after["name"] == " Outsider "
    assert (drift.last_read_at, drift.state) == (read_at, DriftState.OPEN)
    assert drift.found_at == scene.contact(scene.ledger, "SECURITY").observed_at


def test_what_moved_on_needs_no_decision_and_says_why(scene):
    find(scene, OUTSIDER)
    find(scene, None)
    assert states() == [("superseded", CHANGED_AGAIN), ("open", "")]
    find(scene, OUTSIDER)
    assert states()[1:] == [("superseded", WENT_BACK)] * 2
    find(scene, FINANCE)
    write(scene, DESK)
    assert states()[3:] == [("superseded", WRITTEN_OVER)]


def test_what_was_decided_stays_decided(scene, alice):
    find(scene, OUTSIDER)
    decide(alice, Drift.objects.get(), "adopt")
    find(scene, DESK)  # not “back”: the other value had been adopted
    assert [state for state, _ in states()] == ["adopted", "open"]


@pytest.mark.parametrize(("way", "action"), [("adopt", "drift.adopted"), ("ignore", "drift.ignored")])
def test_to_let_it_stand_takes_a_reason_and_sends_nothing(scene, alice, bob, way, action):
    drift = scene.drift(scene.ledger)
    refused = decide(alice, drift, way, reason="  ")
    assert (refused.status_code, Drift.objects.get().state) == (422, "open")
    assert decide(alice, drift, way).status_code == 302
    drift.refresh_from_db()
    assert (drift.state, drift.decided_by, drift.reason) == (action.partition(".")[2], alice, WHY["reason"])
    event = AuditEvent.objects.get(action=action)
    assert (event.actor_id, event.reason, event.ticket) == (alice.pk, *WHY.values())
    assert (event.detail, event.before) == ({"drift_event": drift.event_id}, drift.before)
    assert (event.account_id, event.contact_type) == (LEDGER, "SECURITY")
    assert not ContactChange.objects.exists()
    again = decide(alice, drift, "revert", seen="1:0")
    assert again.status_code == 422
    assert "alice" in again.text.lower() and "has decided already" in again.text
    assert "What shall become of it?" not in page_of(bob, drift).text


def test_a_revert_is_a_change_like_any_other(scene, alice):
    find(scene, OUTSIDER)
    find(scene, DESK)
    Drift.objects.update(state=DriftState.OPEN)
    drift = Drift.objects.latest("pk")
    assert decide(alice, drift, "revert").status_code == 302
    change = ContactChange.objects.get()
    assert change.wanted_details == OUTSIDER, "raw: AWS keeps spaces"
    assert (change.status, change.reason, change.requested_by) == ("queued", WHY["reason"], alice)
    drift.refresh_from_db()
    assert (drift.state, drift.change) == ("reverted", change)
    event = AuditEvent.objects.get(action="drift.reverted")
    assert (event.change_id, event.before, event.after) == (change.pk, drift.after, drift.before)
    text = page_of(alice, drift).text
    assert "Being reverted" in text and "Reverted" not in text.partition("<main")[2]
    ContactChange.objects.update(status=ChangeStatus.APPLIED, finished_at=timezone.now())
    assert "Reverted; AWS confirmed it" in page_of(alice, drift).text


def test_a_revert_that_came_to_nothing_is_decided_again(scene, alice):
    drift = scene.drift(scene.ledger)
    decide(alice, drift, "revert")
    ContactChange.objects.update(status=ChangeStatus.FAILED, finished_at=timezone.now())
    assert "decide again" in page_of(alice, drift).text
    assert decide(alice, drift, "adopt").status_code == 302
    assert states() == [("adopted", WHY["reason"])]


def test_a_revert_to_nothing_is_a_deletion_and_waits_where_the_rules_say_so(scene, alice, erin):
    rules = get_rules()
    rules.any_delete = True
    rules.save()
    drift = scene.drift(scene.ledger, before={"status": "absent"})
    assert "Needs 1 approval because it deletes a contact" in page_of(alice, drift).text
    assert 'name="break_glass"' not in page_of(alice, drift).text
    assert 'name="break_glass"' in page_of(erin, drift).text
    decide(alice, drift, "revert")
    change = ContactChange.objects.get()
    assert (change.is_deletion, change.status) == (True, ChangeStatus.WAITING)
    assert "Revert waits for approval" in page_of(alice, drift).text


def test_a_contact_that_moved_is_shown_again_before_anybody_decides(scene, alice):
    drift = scene.drift(scene.ledger)
    seen = seen_on(page_of(alice, drift))
    scene.change(alice, scene.ledger)
    for way in ("adopt", "ignore", "revert"):
        answer = decide(alice, drift, way, seen=seen)
        assert (answer.status_code, "moved since this page was shown" in answer.text) == (409, True)
        assert WHY["reason"] in answer.text
    assert states() == [("open", "")]
    assert decide(alice, drift, "ignore", seen=seen_on(answer)).status_code == 302


def test_an_account_that_cannot_be_changed_can_still_be_judged(scene, alice):
    scene.put(scene.archive, "SECURITY", DESK)
    drift = scene.drift(scene.archive)
    text = page_of(alice, drift).text
    assert "Not possible now." in text and reverse("contacts:drift_revert", args=[drift.pk]) not in text
    assert decide(alice, drift, "revert").status_code == 422
    assert decide(alice, drift, "ignore").status_code == 302


def test_the_list_has_what_is_to_be_decided_first_and_filters(scene, alice, bob):
    waiting = scene.drift(scene.ledger, "BILLING")
    adopted = scene.drift(scene.ledger, state=DriftState.ADOPTED, decided_by=alice, decided_at=timezone.now())
    client = as_person(bob)

    def listed(**query: str) -> list[int]:
        page = client.get(reverse("contacts:drift_list"), query)
        return [item.drift.pk for item in page.context["shown"]]

    assert listed() == [waiting.pk, adopted.pk]
    assert listed(sort="-found") == [adopted.pk, waiting.pk]
    assert listed(state="open") == listed(type="BILLING") == [waiting.pk]
    assert listed(state="adopted") == listed(person="alice") == [adopted.pk]
    assert listed(q="rota@northwind", account=LEDGER) == [waiting.pk, adopted.pk]
    assert listed(q="nobody@") == []
    few = queries_of(listed)
    for _ in range(5):
        scene.drift(scene.gateway, "BILLING")
    assert queries_of(listed) <= few


def test_many_are_adopted_at_once_but_none_that_moved(scene, alice, bob):
    for account in (scene.ledger, scene.gateway):
        scene.drift(account, "BILLING")
    moved = scene.drift(scene.ledger)
    client, address = as_person(alice), reverse("contacts:drift_decide")
    ticks = [item.tick for item in client.get(reverse("contacts:drift_list")).context["shown"]]
    assert len([tick for tick in ticks if tick]) == 3
    scene.change(alice, scene.ledger)
    client.post(address, {"drift": ticks, "way": "adopt", "reason": " "})
    assert {state for state, _ in states()} == {"open"}
    data = {"drift": [*ticks, "x", "1@y"], "way": "adopt", "reason": "The new rota.", "back": "/drifts/?q=a"}
    answer = client.post(address, data)
    assert answer.url == "/drifts/?q=a"
    text = client.get(answer.url).text
    assert "2 adopted." in text and "1 moved meanwhile" in text
    assert [drift.pk for drift in Drift.objects.filter(state="open")] == [moved.pk]
    events = AuditEvent.objects.filter(action="drift.adopted")
    assert [event.reason for event in events] == ["The new rota."] * 2
    assert client.post(address, data | {"back": "//elsewhere.example/"}).url == reverse("contacts:drift_list")
    assert "row-check" not in as_person(bob).get(reverse("contacts:drift_list")).text


def test_what_says_the_same_again_moves_its_times_alone(scene):
    contacts = [scene.contact(scene.ledger, name) for name in ("BILLING", "SECURITY")]
    versions, now = [contact.version for contact in contacts], timezone.now()
    early, late = now + timedelta(seconds=10), now + timedelta(seconds=12)

    def answer_again(*times) -> list:
        with transaction.atomic():
            locked = [lock_contact(contact.pk) for contact in contacts]
            answers = [
                Answer(contact.contact_type, at, details=contact.details)
                for contact, at in zip(locked, times, strict=True)
            ]
            assert note_answers(zip(locked, answers, strict=True), worker_context()) == []
        for contact in contacts:
            contact.refresh_from_db()
        return [contact.observed_at for contact in contacts]

    assert answer_again(early, late) == [early, early]  # true of both
    assert [contact.version for contact in contacts] == versions and not Drift.objects.exists()
    type(contacts[1]).objects.filter(pk=contacts[1].pk).update(observed_at=late)  # somebody else's later read
    between = early + timedelta(seconds=1)
    assert answer_again(between, late) == [between, late]


def test_of_many_none_is_decided_where_one_may_not_be(scene, carol):
    AccessGrant.objects.create(person=carol, role=Role.VIEWER)
    AccessGrant.objects.create(person=carol, role=Role.EDITOR, contact_types=["BILLING"])
    found = [scene.drift(scene.ledger, contact_type) for contact_type in ("SECURITY", "BILLING")]
    ticks = [f"{drift.pk}@{seen_of(drift.contact).token}" for drift in found]
    data = {"drift": ticks, "way": "adopt", "reason": "The new rota."}
    assert as_person(carol).post(reverse("contacts:drift_decide"), data).status_code == 403
    assert {state for state, _ in states()} == {"open"}


def test_the_overview_and_the_card_lead_to_it(scene, alice, bob):
    drift = scene.drift(scene.ledger)
    text = as_person(alice).get("/").text
    assert "1 contact changed outside the portal" in text
    assert f'href="{reverse("contacts:drift_list")}?state=open" aria-label="Decide: 1 contact' in text
    assert "SECURITY contacts among them: 1." in text
    card = as_person(bob).get(reverse("contacts:account_detail", args=[LEDGER])).text
    assert reverse("contacts:drift_detail", args=[drift.pk]) in card
    event = reverse("contacts:audit_detail", args=[drift.event_id])
    assert reverse("contacts:drift_detail", args=[drift.pk]) in as_person(alice).get(event).text
    decide(alice, drift, "ignore")
    assert "changed outside the portal" not in as_person(bob).get("/").text


# Mail


def mails() -> list[OutgoingMail]:
    return list(OutgoingMail.objects.order_by("pk"))


@pytest.fixture
def reviewers(dana, erin, alice):
    """Those who review have an address, and one who does not review has one too."""
    for person in (dana, erin, alice):
        person.email = f"{person.username}@northwind.example"
        person.save(update_fields=["email"])


def test_a_security_contact_is_told_of_at_once_without_its_values(
    scene, reviewers, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        find(scene, OUTSIDER)
        find(scene, ROTA, "BILLING")
    assert [mail.to for mail in mails()] == ["dana@northwind.example", "erin@northwind.example"]
    mail = mails()[0]
    assert mail.subject == "SECURITY contact changed outside the portal: payments-ledger-prod"
    drift = Drift.objects.get(is_alarming=True)
    assert LEDGER in mail.body and reverse("contacts:drift_detail", args=[drift.pk]) in mail.body
    for value in (*vars(OUTSIDER).values(), *vars(DESK).values()):
        assert value not in mail.body


def test_hundreds_at_once_are_one_mail_in_ten_minutes_for_an_organization(scene, reviewers):
    find(scene, OUTSIDER)
    tell_of_drifts()
    find(scene, DESK)
    find(scene, OUTSIDER, account=scene.gateway)
    tell_of_drifts()
    assert len(mails()) == 2
    scene.put(scene.lab, "SECURITY", DESK)
    find(scene, OUTSIDER, account=scene.lab)  # of no organization
    tell_of_drifts()
    assert len(mails()) == 4
    Drift.objects.exclude(told_at=None).update(told_at=timezone.now() - PAUSE - timedelta(seconds=1))
    tell_of_drifts()
    tell_of_drifts()
    assert len(mails()) == 6
    assert mails()[-1].subject == "2 SECURITY contacts changed outside the portal"
