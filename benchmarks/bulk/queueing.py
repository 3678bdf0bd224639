"""Submits a plan of each file, approves it and queues its changes; prints JSON.

`python -m benchmarks.bulk.queueing FILE…` sends nothing to AWS, because no worker runs. The wishes stay.
"""

import json
import sys
import time
from pathlib import Path

import django

django.setup()

from benchmarks.bulk.names import APPROVER, EDITOR  # noqa: E402 - models exist only after the set-up
from benchmarks.bulk.planning import at_page, plan  # noqa: E402
from contacts import change_sets  # noqa: E402
from contacts.bulk import run  # noqa: E402
from contacts.models import ChangeSet, Decision, SetStatus  # noqa: E402


def main() -> None:
    """Each file once; the plan itself is made before the clock starts."""
    rounds = []
    for path in map(Path, sys.argv[1:]):
        change_set = plan(path)
        before, started = time.process_time(), time.perf_counter()
        queue(change_set)
        seconds, cpu = time.perf_counter() - started, time.process_time() - before
        change_set.refresh_from_db()
        assert change_set.status == SetStatus.RUNNING, change_set
        rounds.append({"seconds": seconds, "cpu": cpu, "queued": change_set.changes.count()})
    print(json.dumps({"rounds": rounds, "change_set": change_set.pk}))


def queue(change_set: ChangeSet) -> None:
    """From the click on Submit, and the approver's, to the last wish in the queue."""
    context = at_page(EDITOR, reason="The old mailbox closes.")
    change_sets.submit(change_set, context=context, plan_hash=change_set.plan_hash)
    context = at_page(APPROVER)
    note, plan_hash = "Looks right.", change_set.plan_hash
    change_sets.decide(change_set, Decision.APPROVED, note=note, plan_hash=plan_hash, context=context)
    run.advance(change_set.pk)


if __name__ == "__main__":
    main()
