"""Indexes for finding: by change set, unit, AWS's request, at a terminal, and by any text.

The search for text needs PostgreSQL's extension pg_trgm, which the owner of a database may create since
version 13; SQLite has nothing like it and reads event by event.
"""

from django.db import DatabaseError, migrations, models, transaction

HOW = (
    "The search in the audit needs PostgreSQL's extension pg_trgm, and this role may not create it. Let a superuser "
    "run `CREATE EXTENSION pg_trgm;` in this database, then run `manage.py migrate` again."
)
# The expression of audit/searching.py, in capital letters as the search compares them.
CREATE_INDEX = """
CREATE INDEX audit_by_text ON audit_auditevent USING gin (upper(
    actor_label
    || ' ' || os_user
    || ' ' || account_id
    || ' ' || reason
    || ' ' || ticket
    || ' ' || coalesce(before ->> 'name', '')
    || ' ' || coalesce(before ->> 'title', '')
    || ' ' || coalesce(before ->> 'email', '')
    || ' ' || coalesce(before ->> 'phone', '')
    || ' ' || coalesce(after ->> 'name', '')
    || ' ' || coalesce(after ->> 'title', '')
    || ' ' || coalesce(after ->> 'email', '')
    || ' ' || coalesce(after ->> 'phone', '')
    || ' ' || coalesce(after -> 'BILLING' ->> 'name', '')
    || ' ' || coalesce(after -> 'BILLING' ->> 'title', '')
    || ' ' || coalesce(after -> 'BILLING' ->> 'email', '')
    || ' ' || coalesce(after -> 'BILLING' ->> 'phone', '')
    || ' ' || coalesce(after -> 'OPERATIONS' ->> 'name', '')
    || ' ' || coalesce(after -> 'OPERATIONS' ->> 'title', '')
    || ' ' || coalesce(after -> 'OPERATIONS' ->> 'email', '')
    || ' ' || coalesce(after -> 'OPERATIONS' ->> 'phone', '')
    || ' ' || coalesce(after -> 'SECURITY' ->> 'name', '')
    || ' ' || coalesce(after -> 'SECURITY' ->> 'title', '')
    || ' ' || coalesce(after -> 'SECURITY' ->> 'email', '')
    || ' ' || coalesce(after -> 'SECURITY' ->> 'phone', '')
    || ' ' || coalesce(detail -> 'found' ->> 'name', '')
    || ' ' || coalesce(detail -> 'found' ->> 'title', '')
    || ' ' || coalesce(detail -> 'found' ->> 'email', '')
    || ' ' || coalesce(detail -> 'found' ->> 'phone', '')
    || ' ' || coalesce(detail ->> 'user', '')
) gin_trgm_ops)
"""


def create_text_index(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        raise DatabaseError(HOW) from error
    schema_editor.execute(CREATE_INDEX)
    schema_editor.execute("ANALYZE audit_auditevent")  # how frequent texts are


def drop_text_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS audit_by_text")


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_reviews")]

    operations = [
        migrations.AddIndex(
            "auditevent",
            models.Index(
                fields=["change_set_id", "-id"],
                condition=models.Q(change_set_id__isnull=False),
                name="audit_by_change_set",
            ),
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(fields=["-id"], condition=models.Q(source="command"), name="audit_by_command"),
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(fields=["unit_path"], opclasses=["varchar_pattern_ops"], name="audit_by_unit"),
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(
                fields=["aws_request_id"], opclasses=["varchar_pattern_ops"], name="audit_by_aws_request"
            ),
        ),
        migrations.RunPython(create_text_index, drop_text_index),
    ]
