"""From the form to AWS and back: the page, the change, the audit and AWS itself say the same."""

from django.urls import reverse

from audit.models import Action, AuditEvent
from contacts.changes import seen_of
from contacts.models import ChangeStatus, ContactChange
from portal import aws
from tests.contacts.conftest import deliver_until_ended
from tests.contacts.scene import ROTA, as_person, unmarked


def ask(client, account, address: str, **values: str) -> ContactChange:
    """Send the form as a browser does that opened it just now."""
    seen = seen_of(account.contacts.get(contact_type="SECURITY")).token
    answer = client.post(
        reverse(address, args=[account.aws_id, "SECURITY"]), values | {"reason": "Rota moves.", "seen": seen}
    )
    assert answer.status_code == 302
    return deliver_until_ended(ContactChange.objects.latest("pk"))


def in_aws(account):
    return aws.get_alternate_contact(account.organization.caller, "SECURITY", account.aws_id).details


def test_what_the_form_asks_for_is_in_aws_and_the_pages_say_so(account, alice, dana):
    client = as_person(alice)
    change = ask(client, account, "contacts:contact_edit", **ROTA.__dict__)
    assert change.status == ChangeStatus.APPLIED
    assert in_aws(account) == ROTA
    page = client.get(reverse("contacts:account_detail", args=[account.aws_id]))
    assert ROTA.email in page.text
    assert "Last changed by Alice" in page.text
    applied = AuditEvent.objects.get(action=Action.CHANGE_APPLIED)
    event = as_person(dana).get(reverse("contacts:audit_detail", args=[applied.pk]))
    for words in ("Alice", "Rota moves.", ROTA.email, change.aws_request_id):
        assert words in unmarked(event.text)


def test_a_deletion_is_made_and_told(account, alice):
    client = as_person(alice)
    ask(client, account, "contacts:contact_edit", **ROTA.__dict__)
    change = ask(client, account, "contacts:contact_delete")
    assert change.status == ChangeStatus.APPLIED
    assert in_aws(account) is None
    page = client.get(reverse("contacts:account_detail", args=[account.aws_id]))
    assert "AWS has no security contact" in page.text
    assert "Deleted by Alice" in page.text


def test_a_deletion_of_nothing_says_that_it_was_absent(account, alice, settings):
    settings.AWS_READ_LAG = 0
    client = as_person(alice)
    ask(client, account, "contacts:contact_edit", **ROTA.__dict__)
    aws.delete_alternate_contact(account.organization.caller, "SECURITY", account.aws_id)
    change = ask(client, account, "contacts:contact_delete")
    assert change.status == ChangeStatus.UNCHANGED
    page = client.get(reverse("contacts:change_detail", args=[change.pk]))
    assert "It was already absent." in page.text


def test_an_edit_in_aws_meanwhile_is_shown_and_left_to_the_person(account, alice, settings):
    settings.AWS_READ_LAG = 0
    client = as_person(alice)
    ask(client, account, "contacts:contact_edit", **ROTA.__dict__)
    theirs = aws.ContactDetails("Somebody Else", "SOC", "else@northwind.example", "+44 20 7946 0111")
    aws.put_alternate_contact(account.organization.caller, "SECURITY", theirs, account.aws_id)
    change = ask(client, account, "contacts:contact_edit", **(ROTA.__dict__ | {"title": "Other"}))
    assert change.status == ChangeStatus.CONFLICT
    assert in_aws(account) == theirs
    page = client.get(reverse("contacts:change_detail", args=[change.pk]))
    assert theirs.email in unmarked(page.text)
    assert "Ask again" in page.text
