"""Dropping the index of a column in a migration, and nothing else."""

from django.db.migrations import AlterField, RunSQL, SeparateDatabaseAndState


def drop_index(index: str, table: str, column: str, field: AlterField) -> SeparateDatabaseAndState:
    """The field without its index, in the database and in Django's books.

    AlterField alone makes the table anew on SQLite. On PostgreSQL it also drops what is unique over that
    column under a condition, because it spares only what Meta.indexes names.
    """
    sql = RunSQL(f"DROP INDEX {index}", f"CREATE INDEX {index} ON {table} ({column})")
    return SeparateDatabaseAndState(database_operations=[sql], state_operations=[field])
