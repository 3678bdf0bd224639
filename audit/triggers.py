"""Append-only: triggers that refuse to change or remove events and seals, on SQLite and PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from audit.models import AuditEvent, AuditSeal

REFUSAL = "The audit is append-only: its events and seals are never changed or removed."
MISSING = "The triggers that keep the audit append-only do not stand. Run `manage.py migrate`."

# What makes a new row take the place of an old one. REPLACE removes the old row without asking its delete
# trigger (https://www.sqlite.org/lang_conflict.html), so the insert has to be refused. A table whose key is
# no INTEGER PRIMARY KEY has a rowid besides, and that collides too.
COLLISIONS = {
    AuditEvent._meta.db_table: "id = NEW.id",
    AuditSeal._meta.db_table: "seq = NEW.seq OR event_id = NEW.event_id OR rowid = NEW.rowid",
}
TABLES = tuple(COLLISIONS)

FUNCTION = "audit_refuse"
FUNCTION_BODY = f"""
BEGIN
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
END;
"""


def install(using: str = DEFAULT_DB_ALIAS) -> None:
    """Put the triggers in place where they are missing or were altered."""
    connection = connections[using]
    if standing(using) or not _has_tables(connection):
        return
    _execute(connection, [*_drop(connection), *_create(connection)])


def uninstall(using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers away: for tests, which have to empty tables or to tamper."""
    _execute(connections[using], _drop(connections[using]))


def standing(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether every trigger is in force, word for word as it is written here."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _postgresql_state(cursor) == _POSTGRESQL_STATE
        return _sqlite_state(cursor) == _SQLITE_TRIGGERS


def install_after_migrate(using: str, **kwargs: Any) -> None:
    """Receiver of post_migrate: on SQLite, altering a field makes the table anew, without its triggers."""
    install(using)


def check_standing(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check for `check --database`; a warning, because `migrate`, which mends it, stops at errors."""
    return [
        checks.Warning(
            f"The triggers that keep the audit append-only do not stand in the database “{using}”.",
            hint="Run `manage.py migrate`, then `manage.py verify_audit`.",
            id="audit.W001",
        )
        for using in databases or []
        if _has_tables(connections[using]) and not standing(using)
    ]


def _has_tables(connection: BaseDatabaseWrapper) -> bool:
    return set(TABLES) <= set(connection.introspection.table_names())


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _create(connection: BaseDatabaseWrapper) -> list[str]:
    if connection.vendor == "postgresql":
        return _postgresql_create()
    return list(_SQLITE_TRIGGERS.values())


def _drop(connection: BaseDatabaseWrapper) -> list[str]:
    if connection.vendor == "postgresql":
        return [f"DROP FUNCTION IF EXISTS {FUNCTION} CASCADE"]
    return [f"DROP TRIGGER IF EXISTS {name}" for name in _SQLITE_TRIGGERS]


# SQLite: one trigger for each way to lose a row.


def _sqlite_trigger(table: str, verb: str, condition: str = "") -> tuple[str, str]:
    name = f"{table}_no_{verb.lower()}"
    when = f"WHEN {condition} " if condition else ""
    body = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    return name, f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW {when}{body}"


def _sqlite_triggers() -> dict[str, str]:
    triggers = []
    for table, collision in COLLISIONS.items():
        replaces = f"EXISTS (SELECT 1 FROM {table} WHERE {collision})"  # noqa: S608 - constants only
        triggers += [
            _sqlite_trigger(table, "UPDATE"),
            _sqlite_trigger(table, "DELETE"),
            _sqlite_trigger(table, "INSERT", replaces),
        ]
    return dict(triggers)


_SQLITE_TRIGGERS = _sqlite_triggers()


def _sqlite_state(cursor: CursorWrapper) -> dict[str, str]:
    names = ", ".join(f"'{name}'" for name in _SQLITE_TRIGGERS)
    cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN ({names})")  # noqa: S608 - constants only
    return dict(cursor.fetchall())


# PostgreSQL: one trigger a table, for whole statements: TRUNCATE has no rows that a trigger could see.


def _postgresql_create() -> list[str]:
    statements = [f"CREATE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${FUNCTION_BODY}$$"]
    for table in TABLES:
        name = f"{table}_append_only"
        statements += [
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()",
            # ALWAYS: session_replication_role = replica switches off all others.
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


# pg_trigger.tgtype is a set of bits: BEFORE 2, DELETE 8, UPDATE 16, TRUNCATE 32; FOR EACH ROW would be 1.
_POSTGRESQL_STATE = {(table, 2 | 8 | 16 | 32, "A", FUNCTION_BODY) for table in TABLES}


def _postgresql_state(cursor: CursorWrapper) -> set[tuple[str, int, str, str]]:
    cursor.execute(
        "SELECT relname, tgtype, tgenabled::text, prosrc FROM pg_trigger"
        " JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE relname = ANY(%s) AND proname = %s AND pg_table_is_visible(tgrelid)"
        " AND tgqual IS NULL AND tgattr = ''",  # for every row and every column
        [list(TABLES), FUNCTION],
    )
    return set(cursor.fetchall())
