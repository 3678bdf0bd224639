"""Asking for a contact to be deleted, through the page."""

from django.urls import reverse

from audit.models import Action, AuditEvent
from contacts.changes import seen_of
from contacts.models import ContactChange
from tests.contacts.scene import ARCHIVE, DESK, FINANCE, GATEWAY, LEDGER, as_person


def delete(account_id: str = LEDGER, contact_type: str = "SECURITY") -> str:
    return reverse("contacts:contact_delete", args=[account_id, contact_type])


def typed(scene, account=None, contact_type: str = "SECURITY", **values: str) -> dict[str, str]:
    seen = seen_of(scene.contact(account or scene.ledger, contact_type)).token
    return {"reason": "The desk closes.", "ticket": "", "seen": seen} | values


def test_it_names_what_will_be_lost(scene, alice):
    text = as_person(alice).get(delete()).text
    for value in (DESK.name, DESK.title, DESK.email, DESK.phone):
        assert value in text
    assert "abuse and vulnerabilities" in text


def test_it_asks_for_the_deletion_and_writes_it_down(scene, alice):
    answer = as_person(alice).post(delete(), typed(scene))
    assert answer.url == reverse("contacts:account_detail", args=[LEDGER])
    change = ContactChange.objects.get()
    assert change.is_deletion
    event = AuditEvent.objects.get(action=Action.CHANGE_REQUESTED)
    assert (event.before["email"], event.after) == (DESK.email, {"status": "absent"})


def test_it_needs_a_reason(scene, alice):
    page = as_person(alice).post(delete(), typed(scene, reason=" "))
    assert "reason" in page.context["form"].errors
    assert not ContactChange.objects.exists()


def test_a_stale_form_shows_what_stands_there_now(scene, alice):
    form = typed(scene)
    scene.put(scene.ledger, "SECURITY", FINANCE)
    page = as_person(alice).post(delete(), form)
    assert page.status_code == 409
    assert FINANCE.email in page.text
    assert page.context["form"]["reason"].value() == "The desk closes."
    assert not ContactChange.objects.exists()


def test_twice_is_one_wish(scene, alice):
    client, form = as_person(alice), typed(scene)
    assert [client.post(delete(), form).status_code for _ in range(2)] == [302, 302]
    assert ContactChange.objects.count() == 1


def test_an_absent_contact_may_be_made_sure_of(scene, alice):
    client = as_person(alice)
    assert "AWS had no such contact" in client.get(delete(GATEWAY)).text
    assert client.post(delete(GATEWAY), typed(scene, scene.gateway)).status_code == 302


def test_an_account_that_cannot_be_written_has_no_form(scene, alice):
    text = as_person(alice).get(delete(ARCHIVE)).text
    assert "Nothing can be changed here now." in text
    assert "Delete from AWS" not in text
