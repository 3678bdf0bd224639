"""Inserting and updating rows by the thousand: as bulk_create() and bulk_update() do, in less time."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, cast

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

# Whatever the drivers take as it is. Most of bulk_create()'s time goes into asking each field for each value.
PLAIN = (models.CharField, models.IntegerField, models.BooleanField, models.ForeignKey)
Prepare = Callable[[Any], Any]  # Any: a value of a field, and what the driver takes


class InsertQuerySet(models.QuerySet):
    """A queryset that inserts or updates many rows at once."""

    def insert_many(self, rows: Sequence[models.Model]) -> None:
        """Insert these new rows in the caller's transaction; they have their keys afterwards.

        As with bulk_create() there are no signals, and a row that a constraint refuses refuses all of them.
        Unlike there, no field may fill in its own value, as auto_now does.
        """
        connection = self._in_transaction()
        _give_keys(connection, self.model, rows)
        fields = list(self.model._meta.concrete_fields)
        insert = _copy if connection.vendor == "postgresql" else _execute
        insert(connection, self.model._meta.db_table, fields, values_of(connection, fields, rows))

    def point_many(self, name: str, keys: Mapping[int, int]) -> None:
        """Have rows, by their keys, point at others by this foreign key, in the caller's transaction.

        Filters count for nothing: a row is found by its key alone. A subquery that finds the other one for
        each row is as slow as the database's worst guess.
        """
        connection = self._in_transaction()
        field = cast(models.ForeignKey, self.model._meta.get_field(name))
        point = _point_in_one if connection.vendor == "postgresql" else _point_one_by_one
        point(connection, self.model, connection.ops.quote_name(field.column or ""), keys)

    def _in_transaction(self) -> BaseDatabaseWrapper:
        connection = connections[self.db]
        if not connection.in_atomic_block:
            raise RuntimeError(f"{self.model.__name__}: many rows are written in a transaction.")
        return connection


def _give_keys(
    connection: BaseDatabaseWrapper, model: type[models.Model], rows: Sequence[models.Model]
) -> None:
    """The next keys of the table. On SQLite the caller's transaction is the only one that writes."""
    key, table = model._meta.pk, model._meta.db_table
    if not isinstance(key, models.AutoField):
        return
    with connection.cursor() as cursor:
        keys: Iterable[int]
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [table, key.column, len(rows)],
            )
            keys = [number for (number,) in cursor.fetchall()]
        else:  # https://www.sqlite.org/autoinc.html
            cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [table])
            last = cursor.fetchone()[0] or 0
            keys = range(last + 1, last + 1 + len(rows))
    for row, number in zip(rows, keys, strict=True):
        row.pk = number


def values_of(
    connection: BaseDatabaseWrapper, fields: list[models.Field], rows: Sequence[models.Model]
) -> Iterator[Sequence[Any]]:  # Any: what the driver takes
    """The columns of each row as the driver takes them; each row counts as stored from here on."""
    columns = attrgetter(*(field.attname for field in fields))
    others = [
        (place, prepare)
        for place, field in enumerate(fields)
        if (prepare := _preparation_of(field, connection))
    ]
    for row in rows:
        taken = columns(row)
        values = list(taken) if len(fields) > 1 else [taken]
        for place, prepare in others:
            if values[place] is not None:
                values[place] = prepare(values[place])
        yield values
        row._state.adding, row._state.db = False, connection.alias


def _preparation_of(field: models.Field, connection: BaseDatabaseWrapper) -> Prepare | None:
    """What makes the driver's value of a field's; None where that is the same."""
    if isinstance(field, PLAIN):
        return None
    if isinstance(field, models.JSONField):
        return partial(json.dumps, cls=field.encoder)
    if isinstance(field, models.DateTimeField) and connection.vendor == "postgresql":
        return None
    return partial(field.get_db_prep_save, connection=connection)


def _execute(
    connection: BaseDatabaseWrapper, table: str, fields: list[models.Field], values: Iterator[Sequence[Any]]
) -> None:
    marks = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {columns_of(connection, table, fields)} VALUES ({marks})"  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(values))


def _copy(
    connection: BaseDatabaseWrapper, table: str, fields: list[models.Field], values: Iterator[Sequence[Any]]
) -> None:
    """https://www.psycopg.org/psycopg3/docs/basic/copy.html"""
    sql = f"COPY {columns_of(connection, table, fields)} FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(sql) as copy:
        for row in values:
            copy.write_row(row)


def _point_one_by_one(
    connection: BaseDatabaseWrapper, model: type[models.Model], column: str, keys: Mapping[int, int]
) -> None:
    table, key = _table_and_key(connection, model)
    sql = f"UPDATE {table} SET {column} = %s WHERE {key} = %s"  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.executemany(sql, [(other, row) for row, other in keys.items()])


def _point_in_one(
    connection: BaseDatabaseWrapper, model: type[models.Model], column: str, keys: Mapping[int, int]
) -> None:
    table, key = _table_and_key(connection, model)
    pairs = "unnest(%s::bigint[], %s::bigint[]) AS pair (row, other)"
    sql = f"UPDATE {table} SET {column} = pair.other FROM {pairs} WHERE {table}.{key} = pair.row"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(keys), list(keys.values())])


def _table_and_key(connection: BaseDatabaseWrapper, model: type[models.Model]) -> tuple[str, str]:
    quote = connection.ops.quote_name
    return quote(model._meta.db_table), quote(model._meta.pk.column or "")


def columns_of(connection: BaseDatabaseWrapper, table: str, fields: list[models.Field]) -> str:
    """The table with these columns, as INSERT INTO and COPY name them."""
    names = [connection.ops.quote_name(field.column or "") for field in fields]
    return f"{connection.ops.quote_name(table)} ({', '.join(names)})"
