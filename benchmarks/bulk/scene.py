"""A company of 17,000 accounts in the database alone, its people, and the files that they upload.

`python -m benchmarks.bulk.scene DIRECTORY` runs in the environment of the measured portal; prints JSON.
"""

import csv
import json
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402 - needs the set-up
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.utils import timezone  # noqa: E402
from openpyxl import Workbook  # noqa: E402

from audit.context import command_context  # noqa: E402
from benchmarks.bulk.names import APPROVER, EDITOR, LARGE, ROUNDS, SMALL, file_name  # noqa: E402
from contacts.models import AlternateContact, ContactStatus, ContactType  # noqa: E402
from orgs.models import (  # noqa: E402
    Account,
    AccountState,
    Organization,
    OrganizationalUnit,
    Role,
    Standing,
)
from orgs.people import create_user  # noqa: E402
from portal.models import User  # noqa: E402

ACCOUNTS, UNITS = 17_000, 40
MANAGEMENT = "100000000000"
HEADER = ("AccountId", "AlternateContactType", "Name", "Title", "EmailAddress", "PhoneNumber")
PHONE = "+44 20 7946 0150"
AT_ONCE = 1000
MONTH = timedelta(days=30)

Cells = tuple[str, ...]
Named = TypeVar("Named", Account, str)


def main() -> None:
    """Make all of it; the answer is the session in which the editor is signed in."""
    directory = Path(sys.argv[1])
    _make_contacts(make_accounts())
    people = [_person(EDITOR, Role.EDITOR), _person(APPROVER, Role.APPROVER)]
    rows = list(islice(_rows(), LARGE))
    for number in range(ROUNDS):
        _write_csv(directory / file_name(SMALL, number), rows[number * SMALL : (number + 1) * SMALL])
    _write_csv(directory / file_name(LARGE), rows)
    _write_xlsx(directory / file_name(SMALL, kind="xlsx"), rows[:SMALL])
    _write_xlsx(directory / file_name(LARGE, kind="xlsx"), rows)
    print(json.dumps({"session": sign_in(people[0])}))


def make_accounts() -> list[Account]:
    """The organization, its units and accounts, none of which is due to be read from AWS."""
    organization = Organization.objects.create(
        aws_id="o-bench00000",
        name="Northwind Bank",
        management_account_id=MANAGEMENT,
        caller_account_id=MANAGEMENT,
        standing=Standing.MANAGEMENT,
        feature_set="ALL",
        trusted_access=True,
        observed_at=timezone.now(),
    )
    units = [
        OrganizationalUnit.objects.create(
            organization=organization, aws_id=f"ou-b1-{n:08d}", name=f"Unit {n}", path=f"r-b1/ou-b1-{n:08d}/"
        )
        for n in range(UNITS)
    ]
    accounts = [
        Account(
            aws_id=_account_id(n),
            name=f"workload-{n:05d}",
            email=f"aws+{n}@northwind.example",
            state=AccountState.ACTIVE,
            organization=organization,
            unit=units[n % UNITS],
            joined_at=timezone.now(),
            contacts_read_at=timezone.now(),
            contacts_due_at=timezone.now() + MONTH,
        )
        for n in range(ACCOUNTS)
    ]
    return Account.objects.bulk_create(accounts, batch_size=AT_ONCE)


def _make_contacts(accounts: Sequence[Account]) -> None:
    """Two of twenty are not set, so that the plan finds new ones."""
    now = timezone.now()
    contacts = []
    for number, (account, contact_type) in enumerate(_places(accounts)):
        is_absent = number % 20 in (3, 13)
        values = dict.fromkeys(("name", "title", "email", "phone"), "") if is_absent else _values(number)
        contacts.append(
            AlternateContact(
                account=account,
                contact_type=contact_type,
                status=ContactStatus.ABSENT if is_absent else ContactStatus.SET,
                problem="",
                first_seen_at=now,
                observed_at=now,
                tried_at=now,
                version=1,
                **values,
            )
        )
    AlternateContact.objects.bulk_create(contacts, batch_size=AT_ONCE)


def _rows() -> Iterator[Cells]:
    """One for each contact, no two alike: 17 of 20 change, 2 are new, one is unchanged."""
    for number, (account_id, contact_type) in enumerate(_places(map(_account_id, range(ACCOUNTS)))):
        values = _values(number)
        if number % 20:
            values |= {"name": f"Duty Rota {number}", "email": f"rota-{number}@northwind.example"}
        yield account_id, contact_type, *values.values()


def _values(number: int) -> dict[str, str]:
    return {
        "name": f"Security Desk {number}",
        "title": "Duty officer",
        "email": f"desk-{number}@northwind.example",
        "phone": PHONE,
    }


def _places(accounts: Iterable[Named]) -> Iterator[tuple[Named, str]]:
    return ((account, contact_type) for account in accounts for contact_type in ContactType.values)


def _account_id(number: int) -> str:
    return f"{200_000_000_000 + 7 * number}"


def _person(username: str, role: Role) -> User:
    password = secrets.token_urlsafe(20)
    return create_user(username, password=password, roles=[role], context=command_context())


def sign_in(person: User) -> str:
    """A session of this person."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return session.session_key


def _write_csv(path: Path, rows: Sequence[Cells]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *rows])


def _write_xlsx(path: Path, rows: Sequence[Cells]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Contacts")
    for row in [HEADER, *rows]:
        sheet.append(row)
    book.save(path)


if __name__ == "__main__":
    main()
