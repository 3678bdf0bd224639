"""The product at a terminal: real processes, no worker, no page, no Redis but what a command starts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.testing import PAGE_ACCOUNT_ID, Sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
DETAILS = ["--name", "Mateo Jackson", "--title", "CISO", "--email", "mateo@northwind.example"]
PHONE = ["--phone", "+1(206)555-1234"]
AS_ROOT = ["--as", "root", "--reason", "Rotation"]
pytestmark = pytest.mark.sqlite  # a database of its own


class Terminal:
    """A fresh installation in a directory, pointed at a stand-in of AWS by boto3's own variables."""

    def __init__(self, directory: Path, sandbox: Sandbox) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_"))},
            **sandbox.env(),
            "AWS_SANDBOX": "false",
            "AWS_QUOTA_SHARE": "1",
            "PORTAL_ENV_FILE": os.devnull,
            "PORTAL_VAR": str(directory),
            "SECRET_KEY": "x" * 50,
            "HTTPS": "false",
            "DJANGO_SUPERUSER_PASSWORD": "correct horse battery staple",
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            self.environment.pop(name, None)

    def type(self, *words: str, code: int = 0) -> str:
        """What the command prints; it must end with this exit code."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr


@pytest.fixture
def terminal(short_directory: Path, sandbox: Sandbox) -> Terminal:
    return Terminal(short_directory / "var", sandbox)


def test_connect_sync_set_delete_import_and_export_by_command_alone(
    terminal: Terminal, sandbox: Sandbox, short_directory: Path
):
    terminal.type("connect_organization")
    terminal.type("createsuperuser", "--noinput", "--username", "root", "--email", "root@northwind.example")
    assert json.loads(terminal.type("sync_accounts", "--json"))
    assert "3 contacts of 1 accounts read" in terminal.type("sync_contacts", "--account", PAGE_ACCOUNT_ID)

    change = ["set_contact", PAGE_ACCOUNT_ID, "SECURITY", *DETAILS, *PHONE, *AS_ROOT]
    facts = json.loads(terminal.type(*change, "--wait", "20", "--json"))
    assert facts["status"] == "applied" and facts["aws_request_id"]
    held = sandbox.contact(PAGE_ACCOUNT_ID, "SECURITY")
    assert held and held["name"] == "Mateo Jackson" and held["phone"] == "+1(206)555-1234"
    rows = json.loads(terminal.type("export_contacts", "--as", "root", "--format", "json"))
    assert [row["Name"] for row in rows if row["AccountId"] == PAGE_ACCOUNT_ID and row["Status"] == "set"][
        -1:
    ]

    delete = ["delete_contact", PAGE_ACCOUNT_ID, "SECURITY", *AS_ROOT, "--wait", "20"]
    assert "applied" in terminal.type(*delete)
    assert "was already absent" in terminal.type(*delete)
    assert sandbox.contact(PAGE_ACCOUNT_ID, "SECURITY") is None

    file = short_directory / "contacts.csv"
    file.write_text(
        "account;type;name;title;e-mail;phone\n"
        f"{PAGE_ACCOUNT_ID};security;Ana;CISO;ana@northwind.example;+1 206 555 1234\n"
    )
    words = ["import_contacts", str(file), *AS_ROOT, "--apply", "--wait", "20", "--json"]
    facts = json.loads(terminal.type(*words))
    assert facts["outcomes"] == {"applied": 1} and sandbox.contact(PAGE_ACCOUNT_ID, "SECURITY")
    terminal.type("roll_back", str(facts["change_set"]), *AS_ROOT, "--wait", "20")
    assert sandbox.contact(PAGE_ACCOUNT_ID, "SECURITY") is None
    terminal.type("verify_audit")

    assert "12 digits" in terminal.type("sync_contacts", "--account", "1", code=2)
    assert "no user" in terminal.type(*change[:-4], "--as", "nobody", "--reason", "x", code=2)
    bad = terminal.type(
        "set_contact", PAGE_ACCOUNT_ID, "SECURITY", *DETAILS, "--phone", "ext. 4", *AS_ROOT, code=2
    )
    assert "phone" in bad and "AWS takes digits" in bad
    sandbox.switch(deny=[{"operation": "PutAlternateContact", "kind": "scp"}])
    assert "service control policy" in terminal.type(*change, "--wait", "20", code=1)

    unread = subprocess.run(  # noqa: S602
        f"{sys.executable} manage.py export_contacts --as root | true",
        shell=True,
        cwd=ROOT,
        env=terminal.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert unread.stderr == ""
