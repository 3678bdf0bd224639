"""A plain boto3 program that reads contacts: `python -m benchmarks.boto3_reader MODE THREADS` < ids."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.peers import CONTACT_TYPES


def main() -> None:
    """Read three contacts of every account, and print the seconds; what gets lost shows in the log."""
    mode, threads = sys.argv[1], int(sys.argv[2])
    client = boto3.client("account", config=Config(retries={"mode": mode}, max_pool_connections=threads))

    def read(wanted: tuple[str | None, str]) -> None:
        account_id, contact_type = wanted
        account = {"AccountId": account_id} if account_id else {}
        with suppress(ClientError, BotoCoreError):
            client.get_alternate_contact(AlternateContactType=contact_type, **account)

    contacts = [(target, contact_type) for target in json.load(sys.stdin) for contact_type in CONTACT_TYPES]
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(read, contacts))
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
