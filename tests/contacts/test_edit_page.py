"""Asking for another value of a contact, through the page."""

import pytest
from django.urls import reverse

from audit.models import Action, AuditEvent
from contacts.changes import seen_of
from contacts.models import ChangeStatus, ContactChange
from portal.causes import Cause
from tests.contacts.scene import ARCHIVE, DESK, FINANCE, GATEWAY, LEDGER, ROTA, as_person

WISH = {
    "name": "Duty Rota",
    "title": "Duty officer",
    "email": "rota@northwind.example",
    "phone": "+44 20 7946 0199",
}


def edit(account_id: str = LEDGER, contact_type: str = "SECURITY") -> str:
    return reverse("contacts:contact_edit", args=[account_id, contact_type])


def typed(scene, account=None, contact_type: str = "SECURITY", **values: str) -> dict[str, str]:
    """The form as a browser sends it after it was opened now."""
    seen = seen_of(scene.contact(account or scene.ledger, contact_type)).token
    return WISH | {"reason": "Duty rota moves.", "ticket": "CHG-7", "seen": seen} | values


def test_the_form_opens_with_what_aws_has(scene, alice):
    form = as_person(alice).get(edit()).context["form"]
    assert form.typed == DESK


def test_saving_writes_one_wish_with_its_event_and_returns_to_the_account(scene, alice):
    answer = as_person(alice).post(edit(), typed(scene))
    assert answer.status_code == 302
    assert answer.url == reverse("contacts:account_detail", args=[LEDGER])
    change = ContactChange.objects.get()
    assert (change.wanted_details, change.status, change.requested_by) == (ROTA, ChangeStatus.QUEUED, alice)
    assert (change.reason, change.ticket, change.source) == ("Duty rota moves.", "CHG-7", "page")
    event = AuditEvent.objects.get(action=Action.CHANGE_REQUESTED)
    assert (event.actor_id, event.account_id, event.contact_type) == (alice.pk, LEDGER, "SECURITY")
    assert (event.before["name"], event.after["name"]) == (DESK.name, ROTA.name)
    assert event.request_id == change.request_id == answer["X-Request-Id"]


def test_nothing_is_called_done_before_aws_has_said_so(scene, alice):
    page = as_person(alice).post(edit(), typed(scene), follow=True)
    assert "It counts as applied when AWS has confirmed it." in page.text
    assert "Queued, not sent yet" in page.text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "AWS needs a value here."),
        ("name", "   ", "AWS needs a value here."),
        ("name", "n" * 65, "AWS takes at most 64 characters"),
        ("title", "t" * 51, "AWS takes at most 50 characters"),
        ("email", "no-at-sign", "AWS takes one address"),
        ("email", "josé@northwind.example", "AWS takes one address"),
        ("phone", "+44 20 7946 0142 ext. 4", "AWS takes digits, spaces"),
        ("phone", "1" * 26, "AWS takes at most 25 characters"),
        ("reason", "", "Say why"),
        ("ticket", "x" * 65, "64 characters"),
        ("seen", "nonsense", "lost its place"),
    ],
)
def test_bad_input_names_the_field_and_keeps_the_typing(scene, alice, field, value, words):
    page = as_person(alice).post(edit(), typed(scene, **{field: value}))
    assert page.status_code == 200
    assert field in page.context["form"].errors
    assert words in page.text
    assert "Nothing was sent." in page.text
    assert page.context["form"]["title" if field != "title" else "name"].value() in WISH.values()
    assert not ContactChange.objects.exists()
    assert not AuditEvent.objects.filter(action=Action.CHANGE_REQUESTED).exists()


def test_surrounding_spaces_go_and_the_person_is_told(scene, alice):
    page = as_person(alice).post(
        edit(), typed(scene, name="  Duty Rota ", email=" rota@northwind.example"), follow=True
    )
    assert ContactChange.objects.get().wanted_details == ROTA
    assert "Spaces around these values were removed: Name, E-mail." in page.text


def test_advice_is_given_and_blocks_nothing(scene, alice):
    page = as_person(alice).post(edit(), typed(scene, email="rota@gmail.com"), follow=True)
    assert ContactChange.objects.get().wanted["email"] == "rota@gmail.com"
    assert "gmail.com is a free-mail provider" in page.text


def test_a_double_click_is_one_wish(scene, alice):
    client, form = as_person(alice), typed(scene)
    assert [client.post(edit(), form).status_code for _ in range(2)] == [302, 302]
    assert ContactChange.objects.count() == 1


def test_a_stale_form_shows_both_values_and_sending_again_is_a_decision(scene, alice):
    client, form = as_person(alice), typed(scene)
    scene.put(scene.ledger, "SECURITY", FINANCE)
    page = client.post(edit(), form)
    assert page.status_code == 409
    assert not ContactChange.objects.exists()
    assert FINANCE.email in page.text
    assert page.context["form"].typed == ROTA
    assert page.context["form"]["reason"].value() == "Duty rota moves."
    seen = page.context["form"]["seen"].value()
    assert client.post(edit(), form | {"seen": seen}).status_code == 302
    assert ContactChange.objects.get().before["email"] == FINANCE.email


def test_somebody_elses_open_wish_is_shown_before_it_is_replaced(scene, alice, hank):
    form = typed(scene)
    other = scene.change(hank, scene.ledger, wanted=FINANCE)
    client = as_person(alice)
    page = client.post(edit(), form)
    assert page.status_code == 409
    assert "Hank" in page.text
    assert FINANCE.email in page.text
    client.post(edit(), form | {"seen": page.context["form"]["seen"].value()})
    other.refresh_from_db()
    assert other.status == ChangeStatus.SUPERSEDED


def test_an_open_wish_is_told_and_opened_with(scene, alice, hank):
    scene.change(hank, scene.ledger, wanted=FINANCE)
    page = as_person(alice).get(edit())
    assert page.context["form"].typed == FINANCE
    assert "A change is under way." in page.text


def test_an_unknown_contact_says_under_which_condition_the_change_goes_out(scene, alice):
    page = as_person(alice).get(edit(GATEWAY, "OPERATIONS"))
    assert "We do not know what stands in AWS." in page.text
    assert Cause.POLICY_DENIES.label in page.text
    form = typed(scene, scene.gateway, "OPERATIONS")
    assert as_person(alice).post(edit(GATEWAY, "OPERATIONS"), form).status_code == 302


def test_a_change_is_asked_again_with_its_values(scene, alice):
    change = scene.change(alice, scene.ledger, status=ChangeStatus.CONFLICT, stranger={"status": "absent"})
    client = as_person(alice)
    assert client.get(edit(), {"from_change": change.pk}).context["form"].typed == ROTA
    assert client.get(edit(contact_type="BILLING"), {"from_change": change.pk}).status_code == 404
    assert client.get(edit(), {"from_change": "x"}).status_code == 404


def test_copying_from_another_contact(scene, alice):
    client = as_person(alice)
    page = client.get(edit(GATEWAY), {"copy_from": f"{LEDGER}:SECURITY"})
    assert page.context["form"].typed == DESK
    for nothing in (f"{GATEWAY}:SECURITY", "999999999999:SECURITY", f"{LEDGER}:OTHER", "x"):
        assert client.get(edit(GATEWAY), {"copy_from": nothing}).status_code == 404


def test_the_chooser_offers_own_contacts_and_finds_others_once(scene, alice):
    copy = reverse("contacts:contact_copy", args=[GATEWAY, "SECURITY"])
    scene.put(scene.archive, "SECURITY", DESK)
    page = as_person(alice).get(copy)
    assert [contact.contact_type for contact in page.context["own"]] == ["BILLING"]
    assert [(row["name"], row["accounts"]) for row in page.context["found"]] == [(DESK.name, 2)]
    page = as_person(alice).get(copy, {"q": "ledger"})
    assert {row["name"] for row in page.context["found"]} == {DESK.name, FINANCE.name, ROTA.name}


def test_the_preview_compares_marks_mistakes_and_gives_advice(scene, alice):
    preview = reverse("contacts:contact_preview", args=[LEDGER, "SECURITY"])
    page = as_person(alice).post(preview, WISH | {"name": DESK.name, "phone": "none", "email": "a@gmail.com"})
    assert page.context["preview"].changed == 3
    assert "Not valid yet" in page.text
    assert "free-mail provider" in page.text
    assert f"<del>{DESK.email}</del>" in page.text
    assert not ContactChange.objects.exists()


def test_an_account_that_cannot_be_written_has_no_form_and_takes_none(scene, alice):
    client = as_person(alice)
    page = client.get(edit(ARCHIVE))
    assert "Nothing can be changed here now." in page.text
    assert 'id="contact-form"' not in page.text
    assert client.post(edit(ARCHIVE), typed(scene, scene.archive)).status_code == 200
    assert not ContactChange.objects.exists()


def test_the_form_says_where_else_the_same_address_stands(scene, alice):
    page = as_person(alice).get(edit(contact_type="BILLING"))
    assert "1 other account uses billing@northwind.example" in page.text


def test_values_of_a_form_are_in_no_log(scene, alice, caplog):
    with caplog.at_level("DEBUG"):
        as_person(alice).post(edit(), typed(scene))
        as_person(alice).post(edit(), typed(scene, phone="call me"))
    said = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("django.db")
    )
    assert "rota@northwind.example" not in said
    assert "call me" not in said
