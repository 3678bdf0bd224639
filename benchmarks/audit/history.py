"""Fills an empty portal with years of sealed events: `python -m benchmarks.audit.history EVENTS`.

Prints JSON. The rows go in by COPY into tables without indexes; these are made afterwards, as after a
restore.
"""

import json
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the set-up
from django.utils import timezone  # noqa: E402
from psycopg import Connection  # noqa: E402

from audit.canonical import written  # noqa: E402
from audit.context import command_context  # noqa: E402
from audit.models import AuditEvent, AuditSeal  # noqa: E402
from audit.seals import get_head, link, seal_pending  # noqa: E402
from benchmarks.audit.happenings import Company, Facts  # noqa: E402
from benchmarks.audit.names import AUDITOR  # noqa: E402
from benchmarks.bulk.scene import make_accounts, sign_in  # noqa: E402
from orgs.models import Account, Role  # noqa: E402
from orgs.people import create_user  # noqa: E402
from portal.models import User  # noqa: E402

YEARS = timedelta(days=5 * 365)
PEOPLE = 60
AT_ONCE = 5_000
EVENTS, SEALS = AuditEvent._meta.db_table, AuditSeal._meta.db_table
COLUMNS = tuple(sorted(field.column for field in AuditEvent._meta.concrete_fields))
NULLS = ("actor_id", "ip", "change_id", "change_set_id", "before", "after")
EMPTY = dict.fromkeys(COLUMNS, "") | dict.fromkeys(NULLS) | {"detail": "{}"}
NULL = "\\N"


def main() -> None:
    """Accounts, people, events, seals and indexes; says how long each step took."""
    started = time.perf_counter()
    people, session = _make_people()
    seal_pending()
    company = Company(_places(make_accounts()), people)
    indexes = _take_indexes()
    copied = _copy(company.happenings(int(sys.argv[1])), int(sys.argv[1]))
    filled = time.perf_counter()
    for statement in indexes:
        _execute(statement)
    _execute(f"SELECT setval(pg_get_serial_sequence('{EVENTS}', 'id'), {copied})")
    for statement in ("VACUUM (FREEZE, ANALYZE)", "CHECKPOINT"):
        _execute(statement)
    seconds = {"filling": filled - started, "indexing": time.perf_counter() - filled}
    print(json.dumps({"session": session, "seconds": seconds, "mib": _sizes(), "server": _server()}))


def _make_people() -> tuple[list[Facts], str]:
    password = secrets.token_urlsafe(20)
    auditor = create_user(AUDITOR, password=password, roles=[Role.AUDITOR], context=command_context())
    names = [
        User(username=f"p{number:02d}", first_name="Pat", last_name=f"No{number:02d}")
        for number in range(PEOPLE)
    ]
    people = User.objects.bulk_create(names)
    return [{"actor_id": person.pk, "actor_label": person.label} for person in people], sign_in(auditor)


def _places(accounts: Sequence[Account]) -> list[Facts]:
    return [
        {
            "organization_id": account.organization.aws_id,
            "unit_path": account.unit.path,
            "account_id": account.aws_id,
        }
        for account in accounts
    ]


def _copy(happenings: Iterator[Facts], total: int) -> int:
    """Events and their seals side by side, on two connections; the last id."""
    head, pk = get_head(), AuditEvent.objects.count()
    now = timezone.now()
    step, previous = YEARS / total, head.hash
    first = pk
    with _connection() as one, _connection() as other:
        into_events = one.cursor().copy(f"COPY {EVENTS} ({', '.join(COLUMNS)}) FROM STDIN")
        into_seals = other.cursor().copy(f"COPY {SEALS} (seq, event_id, previous_hash, hash) FROM STDIN")
        with into_events as events, into_seals as seals:
            while batch := list(islice(happenings, AT_ONCE)):
                lines, links = [], []
                for facts in batch:
                    pk += 1
                    row = _row(pk, now - YEARS + step * (pk - first - 1), facts)
                    digest = link(previous, written(row))
                    lines.append(_line(row))
                    links.append(f"{pk}\t{pk}\t{previous}\t{digest}\n")
                    previous = digest
                events.write("".join(lines))
                seals.write("".join(links))
    return pk


def _row(pk: int, at: datetime, facts: Facts) -> list[Any]:  # Any: numbers and texts
    """As the database tells it, in the order of COLUMNS."""
    row = EMPTY | facts
    row["id"], row["at"], row["action"] = pk, f"{at:%Y-%m-%d %H:%M:%S.%f}", str(row["action"])
    return [row[column] for column in COLUMNS]


def _line(row: Sequence[Any]) -> str:
    """As COPY's text format has it: none of our texts holds a tab, a line's end or a backslash."""
    return "\t".join([NULL if value is None else str(value) for value in row]) + "\n"


def _take_indexes() -> list[str]:
    """Take indexes and keys away; the statements that put them back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('p', 'u')",
            [[EVENTS, SEALS]],
        )
        keys = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)", [[EVENTS, SEALS]]
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
    return [f"ALTER TABLE {table} ADD CONSTRAINT {name} {what}" for table, name, what in keys] + [
        statement for _, statement in indexes
    ]


def _connection() -> Connection:
    new = connection.copy().get_new_connection(connection.get_connection_params())
    new.execute("SET TIME ZONE 'UTC'")
    return new


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _sizes() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_table_size(%s) >> 20, pg_indexes_size(%s) >> 20, pg_total_relation_size(%s) >> 20",
            [EVENTS, EVENTS, SEALS],
        )
        return dict(zip(("events", "indexes", "seals"), cursor.fetchone(), strict=True))


def _server() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return cursor.fetchone()[0].split()[0]


if __name__ == "__main__":
    main()
