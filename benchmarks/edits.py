"""Asks for edits at random times: `python -m benchmarks.edits PUTS DELETES SECONDS FIRST`.

Each is the SECURITY contact of another account, from the FIRST on. Runs in the environment of the portal that
is measured, waits until all have ended, and prints when each was saved.
"""

import json
import random
import sys
import time

import django

django.setup()

from benchmarks.counting import DELETE, PUT  # noqa: E402
from benchmarks.people import at_page, details_of, target_of, writable_accounts  # noqa: E402
from contacts.changes import request_change  # noqa: E402 - models exist only after the set-up
from contacts.models import OPEN, ContactChange, ContactStatus  # noqa: E402

CONTACT_TYPE = "SECURITY"
PATIENCE = 120  # seconds after the last


def main() -> None:
    """The times are those of a seeded chance, so that a run repeats."""
    puts, deletes, seconds, first = map(int, sys.argv[1:])
    chance = random.Random(20261129)
    accounts = list(writable_accounts()[first:])
    set_ones = [
        account
        for account in accounts
        if account.contacts.filter(contact_type=CONTACT_TYPE, status=ContactStatus.SET).exists()
    ]
    to_delete = set_ones[:deletes]
    to_put = [account for account in accounts if account not in to_delete][:puts]
    wanted = [(account, PUT) for account in to_put] + [(account, DELETE) for account in to_delete]
    plan = sorted((chance.uniform(0, seconds), number) for number in range(len(wanted)))
    context, started, edits, pks = at_page("Somebody left."), time.time(), [], []
    for moment, number in plan:
        account, operation = wanted[number]
        time.sleep(max(0.0, started + moment - time.time()))
        at = time.time()
        details = details_of(number) if operation == PUT else None
        change = request_change(account, CONTACT_TYPE, details, context=context, seen=None)
        pks.append(change.pk)
        edits.append(
            {
                "at": at,
                "save": time.time() - at,
                "operation": operation,
                "target": target_of(account),
                "contact_type": CONTACT_TYPE,
            }
        )
    _wait(pks)
    for edit, pk in zip(edits, pks, strict=True):
        edit["status"] = ContactChange.objects.get(pk=pk).status
    print(json.dumps(edits))


def _wait(pks: list[int]) -> None:
    ends_at = time.monotonic() + PATIENCE
    while ContactChange.objects.filter(pk__in=pks, status__in=OPEN).exists() and time.monotonic() < ends_at:
        time.sleep(0.5)


if __name__ == "__main__":
    main()
