"""Asks for edits as a person does, one after another, and waits until each has settled.

`python -m benchmarks.edits N` runs in the environment of the portal that is measured; prints JSON.
"""

import json
import secrets
import sys
import time

import django

django.setup()

from audit.context import command_context  # noqa: E402 - models exist only after the set-up
from contacts.changes import request_change  # noqa: E402
from contacts.models import ContactChange  # noqa: E402
from orgs.models import (  # noqa: E402
    Account,
    AccountState,
    Role,
)
from orgs.people import create_user  # noqa: E402
from portal.aws import ContactDetails  # noqa: E402

LOOK_EVERY, PATIENCE = 0.01, 60  # seconds


def main() -> None:
    """Edit one contact of each of N accounts."""
    person = create_user(
        "editor", password=secrets.token_urlsafe(20), roles=[Role.EDITOR], context=command_context()
    )
    context = command_context(person, reason="Measuring how long a change takes.")
    accounts = Account.objects.filter(state=AccountState.ACTIVE, left_at=None).order_by("aws_id")
    accounts = accounts.select_related("organization", "unit")
    edits = []
    for number, account in enumerate(accounts[: int(sys.argv[1])]):
        started = time.monotonic()
        change = request_change(account, "SECURITY", _details(number), context=context, seen=None)
        asked = time.monotonic()
        _wait(change)
        edits.append(
            {"status": change.status, "save": asked - started, "seconds": time.monotonic() - started}
        )
    print(json.dumps(edits))


def _details(number: int) -> ContactDetails:
    address = f"desk-{number}@bench.example"
    return ContactDetails(f"Security Desk {number}", "Duty officer", address, "+44 20 7946 0150")


def _wait(change: ContactChange) -> None:
    ends_at = time.monotonic() + PATIENCE
    while change.is_open and time.monotonic() < ends_at:
        time.sleep(LOOK_EVERY)
        change.refresh_from_db(fields=["status"])


if __name__ == "__main__":
    main()
