"""The database role that the manual advises: the portal works under it, and it cannot bend the audit."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from django.urls import reverse

from audit import triggers
from audit.context import Context, Source
from audit.models import AuditEvent, AuditSeal, AuditVerification
from audit.seals import seal_pending
from audit.verification import keep, verify
from contacts.changes import cancel_change, request_change
from portal.aws import ContactDetails
from tests.contacts.scene import DESK, as_person

EVENTS, SEALS = AuditEvent._meta.db_table, AuditSeal._meta.db_table

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

AdvisedRole = Callable[[], AbstractContextManager[None]]


def run(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def advised_role(db: None) -> AdvisedRole:
    """The role as docs/audit.md makes it; what is done in its block is done as that role."""
    text = (settings.BASE_DIR / "docs" / "audit.md").read_text()
    for statement in text.split("```sql\n")[1].split("```")[0].split(";"):
        if statement.strip():
            run(statement)

    @contextmanager
    def role() -> Iterator[None]:
        run("SET LOCAL ROLE portal_app")
        yield
        run("RESET ROLE")

    return role


def test_the_portal_works_under_it(scene, alice, dana, advised_role):
    person = Context(actor=alice, source=Source.PAGE, reason="Rota moves")
    wanted = ContactDetails("New Desk", DESK.title, DESK.email, DESK.phone)
    with advised_role():
        change = request_change(scene.ledger, "SECURITY", wanted, context=person, seen=None)
        cancel_change(change, context=person)
        answer = as_person(dana).get(reverse("contacts:audit_export"), {"format": "jsonl"})
        assert len(list(answer.streaming_content)) >= 2
        while seal_pending():
            pass
        verdict = verify()
        assert keep(verdict).is_intact
        assert verdict.checked == AuditEvent.objects.count()


ATTEMPTS = [
    f"UPDATE {EVENTS} SET reason = ''",
    f"UPDATE {SEALS} SET hash = ''",
    *(
        f"{attempt} {table}{end}"
        for table in (EVENTS, SEALS)
        for attempt, end in (
            ("DELETE FROM", ""),
            ("TRUNCATE", " CASCADE"),
            ("DROP TABLE", " CASCADE"),
            ("ALTER TABLE", " DISABLE TRIGGER ALL"),
        )
    ),
    f"UPDATE {AuditVerification._meta.db_table} SET is_intact = true",
]
WEAKER = (
    f"CREATE OR REPLACE FUNCTION {triggers.FUNCTION}() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RETURN NEW; END $$"
)


def test_it_is_refused_even_where_the_triggers_are_gone(advised_role):
    triggers.uninstall()
    with advised_role():
        for attempt in ATTEMPTS:
            with pytest.raises(ProgrammingError, match="permission denied|must be owner"):
                run(attempt)


def test_it_cannot_weaken_the_triggers(advised_role):
    triggers.install()
    with advised_role(), pytest.raises(ProgrammingError, match="permission denied|must be owner"):
        run(WEAKER)
