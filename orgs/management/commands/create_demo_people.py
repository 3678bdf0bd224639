"""`manage.py create_demo_people`: people who try the portal on the sandbox, two of them a part of it."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from audit.context import command_context
from orgs.contact_types import ContactType
from orgs.grants import give_grant
from orgs.models import OrganizationalUnit, Role
from orgs.people import create_user, set_password
from portal.commands import PortalCommand, wrong_usage
from portal.installation import DEMO_SIGN_INS
from portal.models import User


@dataclass(frozen=True)
class DemoPerson:
    """A person to make: what they see of everything, and what they do in a part, where it is a part."""

    name: str
    role: Role
    unit: str = ""  # its name; there they see all and do the rest
    contact_types: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        types = " and ".join(ContactType(name).label for name in self.contact_types)
        limits = f"{f' for {types}' if types else ''}{f' in {self.unit}' if self.unit else ''}"
        return f"{self.role.label:<14} {self.name}{limits and ',' + limits}"


PEOPLE = {
    "editor": DemoPerson("Security Engineering", Role.EDITOR),
    "helpdesk": DemoPerson("Service Desk", Role.HELPDESK),
    "viewer": DemoPerson("Platform On-Call", Role.VIEWER),
    "approver": DemoPerson("Cloud Security", Role.APPROVER),
    "auditor": DemoPerson("Risk and Controls", Role.AUDITOR),
    "admin": DemoPerson("Cloud Platform", Role.ADMINISTRATOR),
    "security": DemoPerson("Security Operations", Role.EDITOR, contact_types=(ContactType.SECURITY,)),
    "payments": DemoPerson("Payments Team", Role.EDITOR, "Payments", (ContactType.OPERATIONS,)),
}


class Command(PortalCommand):
    """Makes the people, or gives them a new password, and notes it in a file that only its owner reads."""

    help = "Make people for trying the portal on the sandbox; again: a new password for them."

    def work(self, options: dict[str, Any]) -> None:
        if not settings.AWS_SANDBOX:
            raise wrong_usage("Demo people are for the sandbox only. createsuperuser makes a first person.")
        # One password for all, new on each machine: other users of the machine reach the port as well.
        password = "-".join(secrets.token_hex(2) for _ in range(4))
        people = {name: person for name, person in PEOPLE.items() if not person.unit or _unit_of(person)}
        for username, person in people.items():
            _make_or_renew(username, person, password)
        text = _sign_ins(people, password)
        _write_private(settings.VAR_DIR / DEMO_SIGN_INS, text)
        self.stdout.write(text)


def _unit_of(person: DemoPerson) -> OrganizationalUnit | None:
    """Known once the accounts were read; until then nobody is made for it."""
    return OrganizationalUnit.objects.filter(name=person.unit).first() if person.unit else None


def _make_or_renew(username: str, person: DemoPerson, password: str) -> None:
    user = User.objects.filter(username=username).first()
    if user:
        set_password(user, password, context=command_context())
        return
    email = f"{username}@northwind.example"
    user = create_user(
        username, password=password, first_name=person.name, email=email, context=command_context()
    )
    place = _unit_of(person)
    if person.contact_types:
        give_grant(user, Role.VIEWER, place=place, context=command_context())
    give_grant(user, person.role, place=place, contact_types=person.contact_types, context=command_context())


def _sign_ins(people: dict[str, DemoPerson], password: str) -> str:
    lines = [f"  {username:<9} {person.words}" for username, person in people.items()]
    return "\n".join([f"Sign in with one of these names and the password {password}", *lines])


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
