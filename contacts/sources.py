"""Contacts that a new one can be copied from, and where else a contact stands."""

from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.http import Http404

from contacts.details import FIELDS
from contacts.finding import NOT_FOUND, contacts_visible_to, get_contact_for
from contacts.models import AlternateContact, ContactStatus
from orgs.account_ids import plain_id

SHOWN = 25


def source_of(user: Any, text: str) -> AlternateContact:
    """The contact that "123456789012:SECURITY" names; 404 where it is not to be seen or holds nothing."""
    account_id, _, contact_type = text.partition(":")
    contact = get_contact_for(user, account_id, contact_type)
    if contact.details is None:
        raise Http404(NOT_FOUND)
    return contact


def copies_for(user: Any, contact: AlternateContact, text: str) -> dict[str, Any]:
    """What can be copied into this contact: the account's own others, and what stands in other accounts.

    The same contact of many accounts is told once; its source is any of them.
    """
    contacts = _set_contacts(user)
    found = contacts.exclude(account=contact.account)
    found = found.filter(_holding(text)) if text else found.filter(contact_type=contact.contact_type)
    values = found.order_by().values("contact_type", *FIELDS)
    grouped = values.annotate(accounts=Count("pk"), example_id=Min("account__aws_id"))
    return {
        "own": contacts.filter(account=contact.account).exclude(pk=contact.pk),
        "found": grouped.order_by("-accounts", "name", "example_id")[:SHOWN],
        "total": grouped.count(),
    }


def _holding(text: str) -> Q:
    condition = Q(account__name__icontains=text) | Q(name__icontains=text) | Q(email__icontains=text)
    digits = plain_id(text)
    return condition | Q(account__aws_id__contains=digits) if digits.isdecimal() else condition


def same_elsewhere(user: Any, contact: AlternateContact) -> int:
    """How many other accounts have the same address for the same type."""
    if not contact.email:
        return 0
    same = _set_contacts(user).filter(contact_type=contact.contact_type, email__iexact=contact.email)
    return same.exclude(account=contact.account).count()


def _set_contacts(user: Any) -> QuerySet[AlternateContact]:
    contacts = contacts_visible_to(user).filter(status=ContactStatus.SET, account__left_at=None)
    return contacts.select_related("account__unit").order_by("account__name", "contact_type")
