"""A bare look at every event, to hold a verification against: `python -m benchmarks.audit.verifying`.

Two ways: SELECT through a cursor on the server, whose values stay as they came, and COPY, which is only
received. Prints JSON.
"""

import json
import time
from collections.abc import Callable

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the set-up
from psycopg import Connection  # noqa: E402
from psycopg.types.string import TextLoader  # noqa: E402

FETCHED = 2_000  # rows at once


def main() -> None:
    """Each way twice: the first one may have to wait for the disk."""
    ways = {"select": _select, "copy": _copy}
    print(json.dumps({name: min(_timed(way), _timed(way)) for name, way in ways.items()}))


def _timed(way: Callable[[Connection], None]) -> float:
    with connection.copy().get_new_connection(connection.get_connection_params()) as one:
        started = time.perf_counter()
        way(one)
        return time.perf_counter() - started


def _select(one: Connection) -> None:
    with one.cursor("bare") as cursor:
        for name in ("timestamptz", "jsonb", "inet"):
            cursor.adapters.register_loader(name, TextLoader)
        cursor.execute("SELECT * FROM audit_auditevent")
        while cursor.fetchmany(FETCHED):
            pass


def _copy(one: Connection) -> None:
    with one.cursor() as cursor, cursor.copy("COPY audit_auditevent TO STDOUT") as rows:
        for _ in rows:
            pass


if __name__ == "__main__":
    main()
