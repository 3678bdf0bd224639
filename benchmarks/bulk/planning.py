"""Plans files as the door does: `python -m benchmarks.bulk.planning FILE…`; prints JSON.

Each plan is discarded once it is measured. The memory is the peak of this whole process, Django included.
"""

import json
import resource
import sys
import time
from pathlib import Path

import django

django.setup()

from audit.context import Context, Source  # noqa: E402 - models exist only after the set-up
from benchmarks.bulk.names import EDITOR  # noqa: E402
from contacts.bulk.files import read_lines  # noqa: E402
from contacts.bulk.plan import make_plan  # noqa: E402
from contacts.change_sets import drop_draft  # noqa: E402
from contacts.models import ChangeSet, SetKind  # noqa: E402
from portal.models import User  # noqa: E402


def main() -> None:
    """Plan each file once, in the order given; the first line says that it begins."""
    print("{}", flush=True)
    rounds = []
    for path in map(Path, sys.argv[1:]):
        before, started = time.process_time(), time.perf_counter()
        change_set = plan(path)
        seconds, cpu = time.perf_counter() - started, time.process_time() - before
        rounds.append({"seconds": seconds, "cpu": cpu, "counts": change_set.counts})
        drop_draft(change_set)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rounds": rounds, "peak_mib": peak}))


def plan(path: Path) -> ChangeSet:
    """From the file to the plan that can be shown."""
    context = at_page(EDITOR)
    with path.open("rb") as file:
        lines = read_lines(file, path.name)
        return make_plan(lines, kind=SetKind.FILE, title=path.name, context=context, file_name=path.name)


def at_page(username: str, reason: str = "") -> Context:
    """This person at a page."""
    return Context(actor=User.objects.get(username=username), source=Source.PAGE, reason=reason)


if __name__ == "__main__":
    main()
