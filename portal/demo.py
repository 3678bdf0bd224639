"""Connects the sandbox's company and makes the people who try the portal on it."""

import io

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from portal.installation import DEMO_SIGN_INS
from sandbox.company import COMPANY, EXTERNAL_ID, ORGANIZATION_ID, PORTAL_ROLE, STANDALONE

SIGN_INS = settings.VAR_DIR / DEMO_SIGN_INS


def connect() -> list[str]:
    """Connect what is not connected yet, make the people, and return what went wrong."""
    problems = []
    for command in _commands():
        try:
            call_command(*command, stdout=io.StringIO())
        except CommandError as error:
            problems.append(f"{command[0]}: {error}")
    return problems


def sign_ins() -> str:
    """Who can sign in, and with which password."""
    return SIGN_INS.read_text() if SIGN_INS.exists() else ""


def _commands() -> list[list[str]]:
    commands = []
    if not _is_known("orgs.Organization", ORGANIZATION_ID):
        commands.append(["connect_organization", "--name", COMPANY])
    for account_id, name in STANDALONE.items():
        if not _is_known("orgs.Account", account_id):
            role = [
                "--role-arn",
                f"arn:aws:iam::{account_id}:role/{PORTAL_ROLE}",
                "--external-id",
                EXTERNAL_ID,
            ]
            commands.append(["connect_account", account_id, "--name", name, *role])
    if not SIGN_INS.exists():
        # One of them works in a unit, which has to be known; this takes seconds, once.
        commands += [["sync_accounts"], ["create_demo_people"]]
    return commands


def _is_known(model: str, aws_id: str) -> bool:
    return apps.get_model(model).objects.filter(aws_id=aws_id).exists()
