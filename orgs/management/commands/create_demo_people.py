"""`manage.py create_demo_people`: one person per role, for trying the portal on the sandbox."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings

from audit.context import command_context
from orgs.models import Role
from orgs.people import create_user, set_password
from portal.commands import PortalCommand, wrong_usage
from portal.installation import DEMO_SIGN_INS
from portal.models import User

PEOPLE = {
    "editor": ("Security Engineering", Role.EDITOR),
    "helpdesk": ("Service Desk", Role.HELPDESK),
    "viewer": ("Platform On-Call", Role.VIEWER),
    "approver": ("Cloud Security", Role.APPROVER),
    "auditor": ("Risk and Controls", Role.AUDITOR),
    "admin": ("Cloud Platform", Role.ADMINISTRATOR),
}


class Command(PortalCommand):
    """Makes the people or gives them a new password, and notes it in a file that only its owner reads."""

    help = "Make one person per role for trying the portal on the sandbox; again: a new password for them."

    def work(self, options: dict[str, Any]) -> None:
        if not settings.AWS_SANDBOX:
            raise wrong_usage("Demo people are for the sandbox only. createsuperuser makes a first person.")
        # One password for all, new on each machine: other users of the machine reach the port as well.
        password = "-".join(secrets.token_hex(2) for _ in range(4))
        for username in PEOPLE:
            _make_or_renew(username, password)
        text = _sign_ins(password)
        _write_private(settings.VAR_DIR / DEMO_SIGN_INS, text)
        self.stdout.write(text)


def _make_or_renew(username: str, password: str) -> None:
    name, role = PEOPLE[username]
    user = User.objects.filter(username=username).first()
    if user:
        set_password(user, password, context=command_context())
    else:
        email = f"{username}@northwind.example"
        context = command_context()
        create_user(username, password=password, roles=[role], first_name=name, email=email, context=context)


def _sign_ins(password: str) -> str:
    names = [f"  {username:<9} {role.label:<14} {name}" for username, (name, role) in PEOPLE.items()]
    return "\n".join([f"Sign in with one of these names and the password {password}", *names])


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
