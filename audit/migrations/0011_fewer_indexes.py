"""Indexes that others make needless: each costs every writer."""

from django.db import migrations, models

from portal.needless_index import drop_index

REQUEST = "audit_auditevent_request_id_b6fdcfa6"
BEGINNING = f"{REQUEST}_like"  # of a text Django makes a second one, on PostgreSQL


def _drop_beginning(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX {BEGINNING}")


def _make_beginning(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE INDEX {BEGINNING} ON audit_auditevent (request_id varchar_pattern_ops)"
        )


class Migration(migrations.Migration):
    dependencies = [("audit", "0010_sign_in")]

    operations = [
        migrations.AddIndex(
            "auditevent",
            models.Index(fields=["request_id"], opclasses=["varchar_pattern_ops"], name="audit_by_request"),
        ),
        drop_index(
            REQUEST,
            "audit_auditevent",
            "request_id",
            migrations.AlterField("auditevent", "request_id", models.CharField(blank=True, max_length=64)),
        ),
        migrations.RunPython(_drop_beginning, _make_beginning),
        drop_index(
            "audit_auditevent_change_set_id_2e46835f",
            "audit_auditevent",
            "change_set_id",
            migrations.AlterField(
                "auditevent", "change_set_id", models.BigIntegerField(blank=True, null=True)
            ),
        ),
    ]
