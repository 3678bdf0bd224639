"""Indexes that others make needless: each costs every writer. The table stays as it is, on SQLite too."""

from django.db import migrations, models

REQUEST, CHANGE_SET = "audit_auditevent_request_id_b6fdcfa6", "audit_auditevent_change_set_id_2e46835f"


def _drop(name: str, column: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"DROP INDEX IF EXISTS {name}", f"CREATE INDEX {name} ON audit_auditevent ({column})"
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0010_sign_in")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                _drop(REQUEST, "request_id"),
                migrations.RunSQL(f"DROP INDEX IF EXISTS {REQUEST}_like", migrations.RunSQL.noop),
                _drop(CHANGE_SET, "change_set_id"),
            ],
            state_operations=[
                migrations.AlterField(
                    "auditevent", "request_id", models.CharField(blank=True, max_length=64)
                ),
                migrations.AlterField(
                    "auditevent", "change_set_id", models.BigIntegerField(blank=True, null=True)
                ),
            ],
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(fields=["request_id"], opclasses=["varchar_pattern_ops"], name="audit_by_request"),
        ),
    ]
