"""A bulk run survives everything: fifty dead workers, an emptied Redis, a crashed database, other people."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple
from pathlib import Path

import pytest
from django.db import connection

from audit.context import Context, Source
from audit.models import AuditEvent
from audit.verification import verify
from contacts.bulk import run
from contacts.bulk.line import Line
from contacts.bulk.plan import make_plan
from contacts.changes import Stale, request_change, seen_of
from contacts.models import (
    AlternateContact,
    ChangeSet,
    ChangeStatus,
    ContactChange,
    Outcome,
    PlannedChange,
    SetKind,
    SetStatus,
    Verdict,
)
from contacts.observation import read_account, read_accounts
from orgs.models import Account
from portal.aws import ContactDetails
from portal.causes import Cause
from portal.quota import Lane
from sandbox.attempts import digest
from tests.contacts.bulk.plans import by, decide, submit
from tests.contacts.conftest import organization  # noqa: F401 - a fixture
from tests.faults import trial
from tests.faults.rig import TIMES, Rig
from tests.faults.stretch import TIMEOUT
from tests.hasty import widen_quotas
from tests.live import wait_until
from tests.postgres import CRASH_SAFE, Postgres

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(TIMEOUT)]

QUICK = TIMES | {"AWS_READ_LAG": "3"}
CHANCE = random.Random(20261124)
# Which of all reads, of all Puts that AWS took, and of all passages of a point end with a dead worker.
READS = set(CHANCE.sample(range(5, 180), 18))
PUTS = set(CHANCE.sample(range(5, 130), 17))
PASSAGES = {
    "chunk not committed": sorted(CHANCE.sample(range(2, 12), 4)),
    "between chunks": sorted(CHANCE.sample(range(2, 12), 4)),
    "claimed": sorted(CHANCE.sample(range(10, 110), 6)),
    "end not committed": sorted(CHANCE.sample(range(10, 110), 6)),
}
KILLS = 50  # a few more are meant: two may hit the same worker
OUTSIDER = ContactDetails("Outsider", "CTO", "cto@northwind.example", "+1 206 555 0100")


@pytest.fixture
def postgres(django_db_setup, postgres_server, short_directory: Path) -> Iterator[Postgres]:
    """A PostgreSQL of this test alone, which may crash, with the tables of the shared one."""
    short_directory.chmod(0o711)
    server = Postgres(short_directory / "postgres", CRASH_SAFE)
    server.start()
    shared = connection.settings_dict
    server.copy(shared["HOST"], shared["USER"], shared["NAME"])
    yield server
    server.stop()


@pytest.fixture
def db(postgres: Postgres, django_db_blocker) -> Iterator[None]:
    """In place of pytest-django's: the tests of this module see that server."""
    shared = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["HOST"] = str(postgres.socket)
    with django_db_blocker.unblock():
        yield
    connection.close()
    connection.settings_dict.update(shared)


@pytest.fixture
def world_size() -> int:
    """More than usual: three contacts each."""
    return 85


@pytest.fixture
def rig(organization, alice, sandbox, shared_valkey, settings, monkeypatch) -> Iterator[Rig]:  # noqa: F811
    """All contacts of the active accounts, read; nothing is running yet."""
    for name, value in QUICK.items():
        setattr(settings, name, float(value))
    widen_quotas(monkeypatch.setitem)
    accounts = Account.objects.filter(state="ACTIVE").select_related("organization", "unit")
    read_accounts(accounts, lane=Lane.PERSON)
    Account.objects.update(contacts_due_at="2100-01-01T00:00Z")
    contacts = AlternateContact.objects.filter(account__in=accounts).select_related("account")
    rig = Rig(sandbox, shared_valkey, [alice], list(contacts.order_by("contact_type", "pk")))
    yield rig
    rig.stop()


class Ordeal:
    """One change set of more than two hundred rows, who disturbs it, and what has to be true afterwards."""

    def __init__(self, rig: Rig, change_set: ChangeSet, directory: Path) -> None:
        self.rig, self.change_set, self.directory = rig, change_set, directory
        self.reads = self.puts = self.owed = 0
        self.killed: set[int] = set()
        self.outsiders: set[int] = set()
        self.edits: list[ContactChange] = []

    # Disturbances

    def arm_aws(self, monkeypatch) -> None:
        """Kill the sender of seeded attempts: when a read is answered, and when AWS took a Put."""
        log, counting = self.rig.sandbox.aws.log, threading.Lock()
        add = log.add

        def add_and_kill(attempt) -> None:
            add(attempt)
            with counting:
                self.owed += self._is_point(attempt)
                if not self.owed or attempt.operation not in ("GetAlternateContact", "PutAlternateContact"):
                    return
                pid = self.rig.kill_the_sender(attempt.user_agent or "")
                if pid:  # it may have died before its answer came; then the next one is due
                    self.owed -= 1
                    self.killed.add(pid)

        monkeypatch.setattr(log, "add", add_and_kill)

    def _is_point(self, attempt) -> bool:
        if attempt.operation == "GetAlternateContact":
            self.reads += 1
            return self.reads in READS
        if attempt.operation == "PutAlternateContact" and attempt.effect:
            self.puts += 1
            return self.puts in PUTS
        return False

    @property
    def deaths(self) -> set[int]:
        return self.killed | set(trial.deaths(self.directory))

    def wait_for(self, share: float) -> None:
        """Let it run until this share of the rows has come to its end."""
        enough = share * self.change_set.writes
        ended = self.change_set.changes.filter(finished_at__isnull=False)
        self._wait(lambda: ended.count() >= enough, f"{share:.0%} of the rows ended")

    def wait_for_the_end(self) -> None:
        under_way = ChangeSet.objects.filter(pk=self.change_set.pk).exclude(status=SetStatus.FINISHED)
        self._wait(lambda: not under_way.exists(), "the set is finished")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        def holds() -> bool:
            self.rig.replace_the_dead()
            return condition()

        wait_until(holds, what, seconds=90, says=self.rig.last_words)

    def edit_in_aws(self, rows: list[PlannedChange]) -> None:
        """Somebody else changes contacts whose turn has not come."""
        for row in rows:
            self.rig.sandbox.set_contact(row.account_text, row.contact_type, **asdict(OUTSIDER))
            self.outsiders.add(row.contact_id)

    def edit_on_the_page(self, row: PlannedChange) -> None:
        """A person changes a contact of the set, whatever the run has done with it so far."""
        wanted = ContactDetails(f"Urgent {row.line}", "CISO", "ciso@northwind.example", "+44 20 7946 0101")
        context = Context(actor=self.rig.people[0], source=Source.PAGE, reason="An incident.")
        while not any(edit.contact_id == row.contact_id for edit in self.edits):
            contact = AlternateContact.objects.select_related("account").get(pk=row.contact_id)
            kind, seen = contact.contact_type, seen_of(contact)
            with contextlib.suppress(Stale):  # it moved while the form was open: the person looks again
                self.edits.append(request_change(contact.account, kind, wanted, context=context, seen=seen))

    # The promise

    def check(self) -> None:
        """Hold the report against the rows, the rows against the audit, and all against AWS and its log."""
        self.rig.check()
        self.rows = list(self.change_set.rows.select_related("change", "contact__account"))
        self._check_report()
        puts = self.rig.sandbox.log(operation="PutAlternateContact", effect=True)
        written = Counter(attempt["digest"] for attempt in puts)
        for row in self.rows:
            self._check_row(row, written)
        for edit in self.edits:
            edit.refresh_from_db()
            assert edit.status == ChangeStatus.APPLIED, "a person's edit is never lost"
            assert self._held(edit.contact) == edit.wanted

    def _check_report(self) -> None:
        told = run.outcomes_of(self.change_set)
        assert told == Counter(row.change.status if row.change else row.outcome for row in self.sent())
        assert sum(told.values()) == self.change_set.writes + self.change_set.counts["unchanged"]
        finished = AuditEvent.objects.get(action="change_set.finished", change_set_id=self.change_set.pk)
        assert finished.detail["outcomes"] == told
        wishes = Counter(self.change_set.changes.values_list("contact", flat=True))
        assert wishes == Counter(row.contact_id for row in self.sent() if row.change), "one wish for each row"

    def sent(self) -> list[PlannedChange]:
        return [row for row in self.rows if not row.is_left_out and row.verdict != Verdict.REFUSED]

    def _check_row(self, row: PlannedChange, written: Counter) -> None:
        """What the report says of this row is so."""
        edited = [edit for edit in self.edits if edit.contact_id == row.contact_id]
        if row not in self.sent():
            assert (row.change, row.outcome) == (None, "")
            return
        if row.change is None:
            assert (row.outcome, row.cause) == (Outcome.SKIPPED, Cause.OTHER_CHANGE)
            assert edited
            return
        assert (row.change.contact_id, row.change.wanted) == (row.contact_id, row.wanted)
        wrote = row.wanted is not None and written[digest(*astuple(row.wanted_details))]
        if row.verdict == Verdict.UNCHANGED:
            assert not wrote
        if row.change.status == ChangeStatus.APPLIED:
            assert row.verdict != Verdict.UNCHANGED, "nothing was written here, only read"
            assert wrote or row.wanted is None
            assert edited or self._held(row.contact) == row.wanted
        elif row.change.status == ChangeStatus.UNCHANGED:
            assert row.verdict == Verdict.UNCHANGED
        else:
            assert not wrote
            others = {ChangeStatus.CONFLICT: self.outsiders | {e.contact_id for e in self.edits}}
            others[ChangeStatus.SUPERSEDED] = {edit.contact_id for edit in self.edits}
            assert row.contact_id in others[row.change.status]

    def _held(self, contact: AlternateContact) -> dict | None:
        return self.rig.sandbox.contact(contact.account.aws_id, contact.contact_type)


@pytest.fixture
def change_set(rig: Rig, hank, frank) -> ChangeSet:
    """More than two hundred rows of every kind, submitted and approved; nobody has begun."""
    lines = [line_for(number, contact) for number, contact in enumerate(rig.contacts, start=1)]
    closed = Account.objects.exclude(state="ACTIVE")
    lines += [
        Line(len(lines) + number, account.aws_id, "SECURITY", None)
        for number, account in enumerate(closed, start=1)
    ]
    planned = make_plan(lines, kind=SetKind.FILE, title="Rota", context=by(hank))
    assert set(planned.counts) >= {"change", "new", "delete", "unchanged", "refused", "left_out"}
    assert planned.writes >= 200
    return decide(submit(planned, without_refused=True), frank)


def line_for(number: int, contact: AlternateContact) -> Line:
    """Every value is wanted only once, so that AWS's log can be joined to it."""
    values: dict[str, str] | None = {
        "name": f"Rota {number}",
        "title": "Duty officer",
        "email": f"rota{number}@northwind.example",
        "phone": "+44 20 7946 0199",
    }
    if number % 15 == 3:
        values = None
    elif number % 15 == 6 and contact.details:
        values = asdict(contact.details)
    return Line(number, contact.account.aws_id, contact.contact_type, values, is_left_out=number % 15 == 9)


def test_a_run_survives_everything(rig: Rig, change_set: ChangeSet, postgres, tmp_path, monkeypatch):
    ordeal = Ordeal(rig, change_set, tmp_path)
    rows = list(change_set.rows.filter(verdict=Verdict.CHANGE, is_left_out=False))
    rig.start(workers=4, slow=1, **QUICK, **trial.for_workers(tmp_path, PASSAGES))
    ordeal.arm_aws(monkeypatch)
    ordeal.wait_for(0.05)
    ordeal.edit_in_aws(rows[-8:])  # not asked for yet
    for row in (rows[0], rows[len(rows) // 2], rows[-9]):  # behind the run, near it, before it
        ordeal.edit_on_the_page(row)
    rig.empty_redis()
    ordeal.wait_for(0.4)
    connection.close()
    postgres.restart()
    ordeal.wait_for(0.6)
    rig.empty_redis()
    ordeal.wait_for_the_end()
    rig.heal()
    assert len(ordeal.deaths) >= KILLS, (len(ordeal.killed), Counter(trial.deaths(tmp_path).values()))
    for contact in AlternateContact.objects.filter(pk__in=ordeal.outsiders).select_related("account"):
        read_account(contact.account, lane=Lane.CHECK)
    ordeal.check()
    assert run.outcomes_of(change_set).get("conflict", 0) >= 8
    assert verify().ok
