"""Events and seals are written once: whoever tries to change or remove one is refused by the database."""

from io import StringIO

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from audit import triggers
from audit.context import worker_context
from audit.log import record
from audit.models import Action, AuditEvent, AuditSeal
from audit.seals import seal_pending

EVENTS, SEALS = AuditEvent._meta.db_table, AuditSeal._meta.db_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> AuditEvent:
    """One event with its seal, behind standing triggers."""
    triggers.install()
    event = record(Action.SIGNED_IN, worker_context(), account_id="111122223333")
    assert seal_pending() == 1
    return event


def run(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


WRITES = {
    "update of events": lambda: AuditEvent.objects.update(reason="none"),
    "update of seals": lambda: AuditSeal.objects.update(hash="0" * 64),
    "deletion of events": lambda: AuditEvent.objects.all().delete(),
    "deletion of seals": lambda: AuditSeal.objects.all().delete(),
    "raw deletion past Django's collector": lambda: AuditEvent.objects.all()._raw_delete("default"),
    "saving an event again": lambda: AuditEvent.objects.get().save(),
    "deleting one event": lambda: AuditEvent.objects.get().delete(),
    "an upsert": lambda: AuditEvent.objects.bulk_create(
        [AuditEvent.objects.get()], update_conflicts=True, update_fields=["reason"], unique_fields=["id"]
    ),
    "raw UPDATE": lambda: run(f"UPDATE {EVENTS} SET reason = 'none'"),
    "raw UPDATE of a seal": lambda: run(f"UPDATE {SEALS} SET previous_hash = ''"),
    "raw DELETE": lambda: run(f"DELETE FROM {EVENTS}"),
    "raw DELETE of a seal": lambda: run(f"DELETE FROM {SEALS}"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_refuses(event, write):
    before = list(AuditEvent.objects.values()), list(AuditSeal.objects.values())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        write()
    assert (list(AuditEvent.objects.values()), list(AuditSeal.objects.values())) == before


def columns(table: str, **replaced: str) -> tuple[str, str]:
    """All columns of a table, and the expressions that copy a row but for some of them."""
    with connection.cursor() as cursor:
        names = [
            f'"{column.name}"' for column in connection.introspection.get_table_description(cursor, table)
        ]
    return ", ".join(names), ", ".join(replaced.get(name.strip('"'), name) for name in names)


@pytest.mark.sqlite
class TestSqlite:
    @pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
    @pytest.mark.parametrize("table", [EVENTS, SEALS])
    def test_refuses_to_replace_a_row(self, event, table, verb):
        names, values = columns(table)
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"{verb} INTO {table} ({names}) SELECT {values} FROM {table}")

    @pytest.mark.parametrize("replaced", [{"seq": "99"}, {"event_id": "99"}])
    def test_refuses_to_replace_a_seal_by_either_key(self, event, replaced):
        names, values = columns(SEALS, **replaced)
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"REPLACE INTO {SEALS} ({names}) SELECT {values} FROM {SEALS}")

    def test_refuses_to_replace_a_seal_by_its_hidden_rowid(self, event):
        names, values = columns(SEALS, seq="99", event_id="99")
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"REPLACE INTO {SEALS} (rowid, {names}) SELECT rowid, {values} FROM {SEALS}")

    @pytest.mark.django_db(transaction=True)
    def test_altering_a_field_drops_the_triggers_and_migrate_brings_them_back(self):
        triggers.install()
        alter_reason(500, 501)
        assert not triggers.standing()
        assert warnings() == ["audit.W001"]

        alter_reason(501, 500)
        call_command("migrate", verbosity=0, stdout=StringIO())

        assert triggers.standing()
        assert warnings() == []
        record(Action.SIGNED_IN, worker_context())
        with pytest.raises(IntegrityError, match="append-only"):
            AuditEvent.objects.all().delete()


@pytest.mark.postgres
class TestPostgresql:
    @pytest.mark.parametrize("table", [EVENTS, SEALS])
    def test_refuses_truncate(self, event, table):
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"TRUNCATE {table} CASCADE")

    def test_refuses_a_statement_that_finds_no_row(self, event):
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"DELETE FROM {EVENTS} WHERE false")

    def test_stands_in_a_session_that_plays_the_replica(self, event):
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"SET LOCAL session_replication_role = replica; DELETE FROM {EVENTS}")

    @pytest.mark.parametrize(
        "change",
        [
            f"ALTER TABLE {EVENTS} DISABLE TRIGGER ALL",
            f"ALTER TABLE {EVENTS} ENABLE TRIGGER {EVENTS}_append_only",
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NEW; END $$",
            f"DROP TRIGGER {SEALS}_append_only ON {SEALS}",
            f"CREATE OR REPLACE TRIGGER {EVENTS}_append_only BEFORE UPDATE OF ticket OR DELETE OR TRUNCATE"
            f" ON {EVENTS} EXECUTE FUNCTION audit_refuse()",
        ],
    )
    def test_sees_a_trigger_that_was_weakened_and_restores_it(self, event, change):
        run(change)
        assert warnings() == ["audit.W001"]
        triggers.install()
        assert warnings() == []


def test_install_twice_is_install_once(event):
    triggers.install()
    triggers.install()
    assert triggers.standing()


def test_uninstall_takes_them_away(event):
    triggers.uninstall()
    assert not triggers.standing()
    assert AuditEvent.objects.update(reason="possible now") == 1


def warnings() -> list[str]:
    return [message.id for message in run_checks(tags=[Tags.database], databases=["default"])]


def alter_reason(old: int, new: int) -> None:
    """What a migration with AlterField does."""
    with connection.schema_editor() as editor:
        editor.alter_field(AuditEvent, reason(old), reason(new))


def reason(max_length: int) -> models.CharField:
    field = models.CharField(max_length=max_length, blank=True)
    field.set_attributes_from_name("reason")
    field.model = AuditEvent
    return field
