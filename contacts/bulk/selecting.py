"""The lines of a bulk change for accounts that were selected: set, replace, copy, delete.

The contacts that are handed in are those that the person may see: of others no line says what stands there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from contacts.bulk.line import Line, Problem
from contacts.details import FIELDS
from contacts.models import AlternateContact, ContactStatus, ContactType
from orgs.models import Account
from portal.aws import ContactDetails

CHUNK = 500  # accounts that are looked up at once: no cursor stays open while a plan is written


@dataclass(frozen=True)
class _Selected:
    """An account of the selection, and what we know of its contacts, by type."""

    account_id: str
    contacts: Mapping[str, AlternateContact]

    def of(self, contact_type: str) -> AlternateContact:
        """The contact; an account that was never read has unknown ones."""
        return self.contacts.get(contact_type) or AlternateContact(contact_type=contact_type)


def lines_to_set(
    accounts: QuerySet[Account],
    contacts: QuerySet[AlternateContact],
    types: Iterable[str],
    values: Mapping[str, str],
    only_missing: bool = False,
) -> Iterator[Line]:
    """Give the contacts of these types these values; an empty one keeps what is there.

    only_missing leaves out the contacts that are set. Unknown ones have their line: the plan refuses it, so
    that everybody sees it.
    """
    numbers, kinds = count(1), _in_order(types)
    looked_at = contacts.filter(contact_type__in=kinds if only_missing else ())
    for selected in _selected(accounts, looked_at):
        for kind in kinds:
            if not (only_missing and selected.of(kind).status == ContactStatus.SET):
                yield Line(next(numbers), selected.account_id, kind, _given(values))


def lines_to_replace(
    accounts: QuerySet[Account],
    contacts: QuerySet[AlternateContact],
    find_email: str,
    find_phone: str,
    values: Mapping[str, str],
) -> Iterator[Line]:
    """Give these values to every contact, of any type, with this e-mail and this phone; one may be empty.

    E-mails are compared without case, phones by their digits. Of an unknown contact the value that was seen
    last counts. Raises ValidationError when there is nothing to look for.
    """
    wanted = _email(find_email), _digits(find_phone)
    if not any(wanted) or find_phone.strip() and not wanted[1]:
        raise ValidationError("Give the e-mail address or the digits of the phone number to look for.")
    numbers = count(1)
    candidates = _candidates(contacts, find_email.strip(), wanted[1])
    holders = accounts.filter(pk__in=candidates.order_by().values("account_id"))
    for selected in _selected(holders, candidates):
        for kind in ContactType.values:
            if _matches(selected.of(kind).details, *wanted):
                yield Line(next(numbers), selected.account_id, kind, _given(values))


def lines_to_copy(
    accounts: QuerySet[Account],
    contacts: QuerySet[AlternateContact],
    source: str,
    targets: Iterable[str],
) -> Iterator[Line]:
    """Give the contacts of these types the value of another type of the same account, as AWS has it."""
    numbers, kinds = count(1), [kind for kind in _in_order(targets) if kind != source]
    for selected in _selected(accounts, contacts.filter(contact_type=source)):
        contact = selected.of(source)
        problems = tuple(_no_source(contact))
        values = {} if problems or contact.details is None else dict(vars(contact.details))
        for kind in kinds:
            yield Line(
                next(numbers), selected.account_id, kind, values, problems=problems, is_raw=not problems
            )


def lines_to_delete(accounts: QuerySet[Account], types: Iterable[str]) -> Iterator[Line]:
    """Delete the contacts of these types."""
    numbers, kinds = count(1), _in_order(types)
    for selected in _selected(accounts, AlternateContact.objects.none()):
        for kind in kinds:
            yield Line(next(numbers), selected.account_id, kind, None)


def _selected(accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> Iterator[_Selected]:
    """The accounts in their order, each once, with those of their contacts that are among these."""
    pks = list(dict.fromkeys(accounts.values_list("pk", flat=True)))
    for start in range(0, len(pks), CHUNK):
        piece = pks[start : start + CHUNK]
        ids = dict(Account.objects.filter(pk__in=piece).values_list("pk", "aws_id"))
        found: dict[int, dict[str, AlternateContact]] = {}
        for contact in contacts.filter(account__in=piece):
            found.setdefault(contact.account_id, {})[contact.contact_type] = contact
        for pk in piece:
            yield _Selected(ids[pk], found.get(pk, {}))


def _candidates(contacts: QuerySet[AlternateContact], email: str, digits: str) -> QuerySet[AlternateContact]:
    """Those of the contacts that may match, as far as a database can tell."""
    contacts = contacts.exclude(email="")
    if email:
        contacts = contacts.filter(email__icontains=email)
    if digits:
        contacts = contacts.filter(phone__regex=f"^[^0-9]*{'[^0-9]*'.join(digits)}[^0-9]*$")
    return contacts


def _in_order(types: Iterable[str]) -> list[str]:
    chosen = set(types)
    return [kind for kind in ContactType.values if kind in chosen]


def _given(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in FIELDS if values.get(name)}


def _matches(details: ContactDetails | None, email: str, digits: str) -> bool:
    if details is None:
        return False
    same_email = not email or _email(details.email) == email
    return same_email and (not digits or _digits(details.phone) == digits)


def _email(text: str) -> str:
    return text.strip().casefold()


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _no_source(contact: AlternateContact) -> Iterator[Problem]:
    label = ContactType(contact.contact_type).label
    if contact.is_unknown:
        yield Problem("", f"What AWS has for {label} is not known, so it cannot be copied.")
    elif contact.details is None:
        yield Problem("", f"{label} is not set, so there is nothing to copy.")
