"""What all commands share: exit codes as a shell sees them, --as, and the bar on a terminal."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command

from portal.aws import Refused
from portal.causes import Cause
from portal.commands import (
    FAILED,
    INTERRUPTED,
    WRONG_USAGE,
    PortalCommand,
    Progress,
    add_json,
    person_of,
    sentences,
)

ROOT = Path(__file__).resolve().parents[2]


class Raising(PortalCommand):
    """A command that does nothing but raise."""

    requires_system_checks: list[str] = []

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def work(self, options: dict) -> None:
        raise self.error


class Answering(PortalCommand):
    """A command that says one thing in two ways."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser) -> None:
        add_json(parser)

    def work(self, options: dict) -> None:
        self.answer(options, {"accounts": 3}, "Three accounts.")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ValidationError({"reason": ["Say why."]}), WRONG_USAGE, "reason: Say why."),
        (PermissionDenied("This needs a role."), FAILED, "This needs a role."),
        (PermissionDenied(), FAILED, "This is not allowed."),
        (Refused(Cause.ROLE_REFUSED), FAILED, Cause.ROLE_REFUSED.remedy),
        (KeyboardInterrupt(), INTERRUPTED, "Interrupted."),
    ],
)
def test_what_a_room_raises_becomes_an_exit_code(error, code, text):
    with pytest.raises(CommandError, match=re.escape(text)) as caught:
        call_command(Raising(error))

    assert caught.value.returncode == code


def test_the_answer_is_text_or_json():
    text, facts = io.StringIO(), io.StringIO()

    call_command(Answering(), stdout=text)
    call_command(Answering(), "--json", stdout=facts)

    assert text.getvalue() == "Three accounts.\n"
    assert facts.getvalue() == '{\n  "accounts": 3\n}\n'


@pytest.mark.parametrize("arguments", [["connect_account"], ["sync_accounts", "--no-such-option"]])
def test_the_shell_sees_two_for_wrong_usage(arguments):
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == WRONG_USAGE


def test_as_names_an_active_person(alice):
    assert person_of({"as_user": "alice"}) == alice
    assert person_of({"as_user": None}) is None


@pytest.mark.parametrize("name", ["nobody", "alice"])
def test_as_refuses_unknown_and_deactivated_people(alice, name):
    alice.is_active = False
    alice.save(update_fields=["is_active"])

    with pytest.raises(CommandError, match=name) as caught:
        person_of({"as_user": name})

    assert caught.value.returncode == WRONG_USAGE


def test_sentences_name_the_field():
    error = ValidationError({"email": ["Not an address."], "__all__": ["Nothing was given."]})

    assert sentences(error) == "email: Not an address. Nothing was given."
    assert sentences(ValidationError("Plain.")) == "Plain."


def test_the_bar_is_drawn_on_a_terminal_only():
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        with Progress(stream, "Accounts", total=4) as bar:
            bar.step(3)
            bar.step()

    assert "Accounts" in terminal.getvalue()
    assert "4/4" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")
    assert file.getvalue() == ""


def test_the_bar_counts_where_the_total_is_not_known():
    terminal = Terminal()
    with Progress(terminal, "Accounts") as bar:
        bar.step(1200)

    assert "Accounts 1,200" in terminal.getvalue()
