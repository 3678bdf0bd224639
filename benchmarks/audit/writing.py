"""Concurrent writers, each one event a transaction: `python -m benchmarks.audit.writing WAY SECONDS`.

Prints JSON. WAY is one of MAKERS. Beside them the age of the oldest event without a seal is looked at all
the time.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402 - needs the set-up
from django.db import connection, transaction  # noqa: E402

from audit.context import Context, Source  # noqa: E402
from audit.log import event, record  # noqa: E402
from audit.models import Action, AuditPending  # noqa: E402
from audit.seals import get_head  # noqa: E402
from audit.verification import verify_stretch  # noqa: E402
from benchmarks.audit.names import WRITERS  # noqa: E402
from contacts.models import AlternateContact, ContactType  # noqa: E402
from orgs.models import Account  # noqa: E402
from portal.models import User  # noqa: E402

LOOK_EVERY = 0.05  # seconds
PLAIN = "unsealed"  # the request id of events that are written without asking for a seal
LONGEST = 120  # seconds until the last seal
BEFORE = {
    "status": "set",
    "name": "Cloud Operations",
    "title": "Team",
    "email": "cloud@northwind.example",
    "phone": "+44 20 7946 0100",
}
AFTER = BEFORE | {"name": "Cloud Duty", "email": "duty@northwind.example"}
WHY = {"reason": "The old mailbox closes at the end of the month.", "ticket": "CHG-00042"}


def main() -> None:
    """Write for so long; then wait until all has its seal, and hold what was written against its seals."""
    way, seconds = sys.argv[1], float(sys.argv[2])
    _wait_for_the_sealer()
    first = get_head().seq + 1
    connection.close()
    fork = multiprocessing.get_context("fork")
    start, counts = fork.Barrier(WRITERS + 1), fork.Queue()
    writers = [
        fork.Process(target=_write, args=(MAKERS[way], start, seconds, counts)) for _ in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    start.wait()
    ages = _watch(seconds)
    written = sum(counts.get() for _ in writers)
    for writer in writers:
        writer.join()
    _seal_the_unsealed()
    ages += _watch(LONGEST, until_sealed=True)
    checked, fault = verify_stretch(first, get_head().seq)
    assert fault is None and (way == "peer" or checked >= written), fault
    peer = version("django-auditlog")
    print(
        json.dumps(
            {"rate": written / seconds, "oldest": max(ages, default=0), "looks": len(ages), "peer": peer}
        )
    )


def _wait_for_the_sealer() -> None:
    """It has just been started, perhaps."""
    with transaction.atomic():
        sealed()()
    _watch(LONGEST, until_sealed=True)


def _write(write: Callable[[], Callable[[], Any]], start: Any, seconds: float, counts: Any) -> None:
    one = write()
    with transaction.atomic():
        one()  # so that the connection stands
    start.wait()
    ends, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < ends:
        with transaction.atomic():
            one()
        count += 1
    counts.put(count)


def _watch(seconds: float, *, until_sealed: bool = False) -> list[float]:
    """The ages of the oldest event that waits for its seal, as often as was looked."""
    ends, ages = time.perf_counter() + seconds, []
    while time.perf_counter() < ends:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM clock_timestamp() - at)::float FROM audit_auditevent"
                " WHERE request_id <> %s"
                " AND id = (SELECT event_id FROM audit_auditpending ORDER BY event_id LIMIT 1)",
                [PLAIN],
            )
            ages += [age for (age,) in cursor.fetchall()]
        if until_sealed and not AuditPending.objects.exists():
            return ages
        time.sleep(LOOK_EVERY)
    assert not until_sealed, "the sealer does not come to its end"
    return ages


def _seal_the_unsealed() -> None:
    """So that the chain is whole again before the next round."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditpending SELECT id FROM audit_auditevent WHERE request_id = %s"
            " AND NOT EXISTS (SELECT FROM audit_auditseal WHERE event_id = audit_auditevent.id)",
            [PLAIN],
        )


def _context(**facts: Any) -> Context:
    return Context(actor=User.objects.earliest("pk"), source=Source.PAGE, ip="192.0.2.7", **WHY, **facts)


def _facts(account: Account) -> dict[str, Any]:
    assert account.organization and account.unit
    where = {
        "organization_id": account.organization.aws_id,
        "unit_path": account.unit.path,
        "account_id": account.aws_id,
    }
    return where | {
        "contact_type": "BILLING",
        "change_id": 1,
        "change_set_id": 1,
        "before": BEFORE,
        "after": AFTER,
    }


def sealed() -> Callable[[], Any]:
    """As every use case does."""
    context, facts = _context(), _facts(Account.objects.earliest("pk"))
    return lambda: record(Action.CHANGE_REQUESTED, context, **facts)


def unsealed() -> Callable[[], Any]:
    """The same row, and nothing else."""
    context, facts = _context(request_id=PLAIN), _facts(Account.objects.earliest("pk"))
    return lambda: event(Action.CHANGE_REQUESTED, context, **facts).save(force_insert=True)


def peer() -> Callable[[], Any]:
    """The same facts by django-auditlog's own writer."""
    entries, actor, account = (
        apps.get_model("auditlog", "LogEntry"),
        _context().actor,
        Account.objects.earliest("pk"),
    )
    contact = AlternateContact(pk=1, account=account, contact_type=ContactType.BILLING)
    changes = {name: [BEFORE[name], AFTER[name]] for name in ("name", "email")}
    where = {"account_id": account.aws_id, "unit_path": _facts(account)["unit_path"]} | WHY
    facts = {"changes": changes, "additional_data": where, "actor": actor, "remote_addr": "192.0.2.7"}
    return lambda: entries.objects.log_create(contact, action=entries.Action.UPDATE, **facts)


MAKERS = {"sealed": sealed, "unsealed": unsealed, "peer": peer}


if __name__ == "__main__":
    main()
