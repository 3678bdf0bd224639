"""Reads every account with the portal's own reader, held back by nothing.

`python -m benchmarks.engine THREADS`. Runs in the environment of the portal that is measured; prints JSON.
"""

import json
import resource
import sys
import time

import django

django.setup()

from contacts import observation  # noqa: E402 - models exist only after the set-up
from orgs.models import Account  # noqa: E402
from orgs.reading import ask_for, due_accounts  # noqa: E402
from tests.hasty import widen_quotas  # noqa: E402


def main() -> None:
    """Claims, tokens, calls, mirror and audit, as a worker does it."""
    for _ in range(2):
        widen_quotas()
    observation.THREADS = int(sys.argv[1])
    number = ask_for(Account.objects.all())
    before, started = time.process_time(), time.perf_counter()
    if not observation.read_due(due_accounts()):
        raise SystemExit("AWS went away.")
    print(
        json.dumps(
            {
                "calls": 3 * number,
                "seconds": time.perf_counter() - started,
                "cpu": time.process_time() - before,
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
