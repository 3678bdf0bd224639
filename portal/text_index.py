"""Indexes in which PostgreSQL finds any part of a text; SQLite has none, and looks at each row."""

from django.db import migrations


def text_index(name: str, table: str, *expressions: str) -> migrations.RunPython:
    """Make an index over these expressions, written as a search compares them: upper(name::text).

    The extension pg_trgm is there since migration 0004 of the audit, which the migration has to depend on.
    """
    columns = ", ".join(f"{expression} gin_trgm_ops" for expression in expressions)

    def create(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"CREATE INDEX {name} ON {table} USING gin ({columns})")
            schema_editor.execute(f"ANALYZE {table}")  # how frequent texts are

    def drop(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")

    return migrations.RunPython(create, drop)
