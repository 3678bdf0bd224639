"""Sends a bulk change on its way, as its author does.

`python -m benchmarks.bulks set|delete TYPE FIRST COUNT`: COUNT accounts from the FIRST on; prints the set.
`python -m benchmarks.bulks wait|cancel PK`: waits for its end, or takes back the rest and waits; prints how
many rows ended how.
"""

import json
import secrets
import sys
import time
from dataclasses import asdict

import django

django.setup()

from benchmarks.people import at_page, details_of, writable_accounts  # noqa: E402
from contacts import change_sets, steering  # noqa: E402
from contacts.bulk import run  # noqa: E402
from contacts.bulk.line import Line  # noqa: E402
from contacts.bulk.plan import make_plan  # noqa: E402
from contacts.models import ChangeSet, SetKind, SetStatus  # noqa: E402

REASON = "Measuring how near the limit we come."
LOOK_EVERY = 0.5  # seconds


def main() -> None:
    """Start a set, or wait for one."""
    verb, *rest = sys.argv[1:]
    if verb in ("set", "delete"):
        print(json.dumps(start(verb, rest[0], int(rest[1]), int(rest[2]))))
        return
    change_set = ChangeSet.objects.get(pk=int(rest[0]))
    if verb == "cancel":
        steering.cancel_rest(change_set, context=at_page(REASON))
    while not ChangeSet.objects.filter(pk=change_set.pk, status=SetStatus.FINISHED).exists():
        time.sleep(LOOK_EVERY)
    print(json.dumps(run.outcomes_of(change_set)))


def start(verb: str, contact_type: str, first: int, count: int) -> dict[str, int]:
    """Plan and submit; values are new, so each row is a write."""
    mark = secrets.token_hex(4)
    lines = [
        Line(
            number,
            account.aws_id,
            contact_type,
            asdict(details_of(f"{mark}-{number}")) if verb == "set" else None,
        )
        for number, account in enumerate(writable_accounts()[first : first + count], start=1)
    ]
    context = at_page(REASON)
    kind = SetKind.SET if verb == "set" else SetKind.DELETE
    planned = make_plan(lines, kind=kind, title="Benchmark", context=context)
    change_sets.submit(planned, context=context, plan_hash=planned.plan_hash)
    return {"pk": planned.pk, "rows": planned.writes}


if __name__ == "__main__":
    main()
