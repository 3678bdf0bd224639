"""Another tool that takes half of the quota of reads and writes: `python -m benchmarks.neighbour`.

It asks at a steady pace for one contact of the caller's own account until it is ended, and does not care when
AWS rejects it.
"""

import threading
import time
from collections.abc import Callable

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.counting import GET, PUT, QUOTAS

CONTACT_TYPE = "OPERATIONS"
VALUE = {
    "Name": "Neighbour",
    "Title": "Another tool",
    "EmailAddress": "neighbour@bench.example",
    "PhoneNumber": "+44 20 7946 0151",
}


def main() -> None:
    """Two steady streams of calls."""
    client = boto3.client("account", config=Config(retries={"total_max_attempts": 1, "mode": "standard"}))
    calls = {
        GET: lambda: client.get_alternate_contact(AlternateContactType=CONTACT_TYPE),
        PUT: lambda: client.put_alternate_contact(AlternateContactType=CONTACT_TYPE, **VALUE),
    }
    threads = [
        threading.Thread(target=_repeat, args=(call, QUOTAS[operation].rate / 2))
        for operation, call in calls.items()
    ]
    print("neighbour is there", flush=True)
    for thread in threads:
        thread.start()


def _repeat(call: Callable[[], object], rate: float) -> None:
    due = time.monotonic()
    while True:
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            call()
        except (ClientError, BotoCoreError):
            continue


if __name__ == "__main__":
    main()
