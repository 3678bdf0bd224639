"""The portal under fire: real workers and beat on PostgreSQL, a Redis of its own, and people who click."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, astuple
from pathlib import Path

import redis
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from audit.context import Context, Source
from audit.models import AuditEvent
from contacts.changes import Stale, request_change, seen_of
from contacts.models import OPEN, AlternateContact, ContactChange
from contacts.observation import read_account
from portal.aws import ContactDetails
from portal.quota import Lane
from sandbox.attempts import digest
from sandbox.testing import Sandbox
from tests.faults.stretch import EVERY, HEAL
from tests.valkey import Valkey

# Short, but in the same order as in production: timeouts < lease, and a lag longer than the sandbox's.
TIMES = {
    "AWS_CONNECT_TIMEOUT": "1",
    "AWS_READ_TIMEOUT": "1",
    "DELIVERY_LEASE": "4",
    "AWS_READ_LAG": "6",
    "AWS_QUOTA_SHARE": "1",
}
FINAL = [
    f"contact.change_{end}"
    for end in ("applied", "unchanged", "failed", "conflict", "cancelled", "superseded")
]


class Rig:
    """Start it with a list of contacts; hurt it; let it heal; then hold everything against the promise."""

    def __init__(
        self, sandbox: Sandbox, valkey: Valkey, people: list, contacts: list[AlternateContact]
    ) -> None:
        self.sandbox, self.valkey, self.people, self.contacts = sandbox, valkey, people, contacts
        self.directory = Path(tempfile.mkdtemp(prefix="portal-rig-"))
        self.workers: list[int] = []
        self._lock = threading.Lock()
        self.chance = random.Random(20261123)
        self.asked = 0

    # Processes

    def start(self, workers: int = 2, slow: int = 0, **extra: str) -> None:
        """Bring up so many workers and beat; extra settings go to them as environment variables."""
        name = connection.settings_dict
        database = f"postgres://{name['USER']}@/{name['HOST']}/{name['NAME']}"
        env = os.environ | TIMES | self.sandbox.env()
        env |= {"DATABASE_URL": database, "REDIS_URL": self.valkey.url, "LOG_LEVEL": "WARNING"}
        env |= {"DJANGO_SETTINGS_MODULE": "portal.settings", "BEAT_SCHEDULE": str(self.directory / "beat")}
        env |= extra
        self.log = (self.directory / "workers.log").open("w")
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )  # fmt: skip
        self.others = [self._fork("beat"), *(self._fork("slow worker") for _ in range(slow))]
        self.workers = [self._fork("worker") for _ in range(workers)]

    def stop(self) -> None:
        for pid in [*self.workers, *self.others]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.nursery.kill()
        self.nursery.wait()
        self.log.close()
        shutil.rmtree(self.directory)

    def empty_redis(self) -> None:
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def kill_the_sender(self, user_agent: str) -> int | None:
        """kill -9 of the worker whose attempt this is; another takes its place. Its id, if it still lived."""
        for pid in list(self.workers):
            if f"worker-{pid}" in user_agent and self._replace(pid):
                return pid
        return None

    def replace_the_dead(self) -> None:
        """Give every worker that ended by itself a successor."""
        for pid in list(self.workers):
            if not Path(f"/proc/{pid}").exists():
                self._replace(pid)

    def _replace(self, pid: int) -> bool:
        with self._lock:
            if pid not in self.workers:
                return False
            self.workers.remove(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.workers.append(self._fork("worker"))
        return True

    def _fork(self, kind: str) -> int:
        with self._lock:  # AWS's threads kill, and so have births to ask for
            self.nursery.stdin.write(f"{kind}\n")
            self.nursery.stdin.flush()
            return int(self.nursery.stdout.readline())

    # People

    def click(self) -> None:
        """Somebody asks for a new value, never used before, or for a deletion, of some contact."""
        contact = self.chance.choice(self.contacts)
        person = self.chance.choice(self.people)
        contact.refresh_from_db()
        self.asked += 1
        wanted = None if self.chance.random() < 0.05 else self._fresh_value()
        context = Context(actor=person, source=Source.PAGE, reason=f"click {self.asked}")
        seen = seen_of(contact)
        for _ in range(self.chance.choice([1, 1, 2])):  # a double click now and then
            with contextlib.suppress(Stale, ValidationError):
                request_change(contact.account, contact.contact_type, wanted, context=context, seen=seen)

    def _fresh_value(self) -> ContactDetails:
        return ContactDetails(
            f"Person {self.asked}", "On-call", f"p{self.asked}@northwind.example", "+44 20 7946 0100"
        )

    def click_for(
        self, seconds: float, *, every: float = EVERY, until: Callable[[], bool] = lambda: False
    ) -> None:
        """Keep clicking until the time is over or the condition holds."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at and not until():
            self.click()
            time.sleep(every)

    # The promise

    def heal(self, seconds: float = HEAL) -> None:
        """Wait until every wish has ended."""
        ends_at = time.monotonic() + seconds
        while ContactChange.objects.filter(status__in=OPEN).exists():
            if time.monotonic() > ends_at:
                left = list(ContactChange.objects.filter(status__in=OPEN).values("pk", "status", "problem"))
                raise AssertionError(f"not ended after {seconds} s: {left}\n{self.last_words()}")
            time.sleep(0.2)

    def last_words(self) -> str:
        return (self.directory / "workers.log").read_text()[-3000:]

    def check(self) -> None:
        """Hold rows, events, AWS and its log of attempts against each other."""
        for change in ContactChange.objects.all():
            ends = AuditEvent.objects.filter(change_id=change.pk, action__in=FINAL)
            assert [event.action for event in ends] == [f"contact.change_{change.status}"], change
            assert (
                AuditEvent.objects.filter(change_id=change.pk, action="contact.change_requested").count() == 1
            )
        self._check_no_write_after_the_end()
        self.check_mirror()

    def _check_no_write_after_the_end(self) -> None:
        """Every Put carries a value that one change of its contact wants; so attempts join to changes."""
        ended = {}
        for change in ContactChange.objects.exclude(wanted__isnull=True).select_related("contact__account"):
            event = AuditEvent.objects.get(change_id=change.pk, action__in=FINAL)
            contact = change.contact
            place = contact.account.aws_id, contact.contact_type, digest(*astuple(change.wanted_details))
            ended[place] = (change.pk, event.at.timestamp())
        puts = self._attempts("PutAlternateContact")
        assert puts, "nothing was sent at all"
        for attempt in puts:
            change, at = ended[attempt["target"], attempt["contact_type"], attempt["digest"]]
            assert attempt["at_start"] <= at, f"change {change} was written after its end"
        self._check_deletes()

    def _check_deletes(self) -> None:
        """A delete names no value: each attempt must lie within the life of a deletion of that contact."""
        for attempt in self._attempts("DeleteAlternateContact"):
            lives = [
                (change.requested_at.timestamp(), change.finished_at.timestamp())
                for change in ContactChange.objects.filter(
                    wanted__isnull=True,
                    contact__account__aws_id=attempt["target"],
                    contact__contact_type=attempt["contact_type"],
                )
            ]
            assert any(start <= attempt["at_start"] <= end for start, end in lives), attempt

    def _attempts(self, operation: str) -> list[dict]:
        """All but those that the death of their sender cut off: AWS could not read them."""
        found = self.sandbox.log(operation=operation)
        assert not any(attempt["effect"] for attempt in found if attempt["contact_type"] is None)
        return [attempt for attempt in found if attempt["contact_type"] is not None]

    def check_mirror(self) -> None:
        assert not AuditEvent.objects.filter(action="contact.drift", reason="").exclude(detail={}).exists()
        for contact in AlternateContact.objects.filter(pk__in=[contact.pk for contact in self.contacts]):
            held = self.sandbox.contact(contact.account.aws_id, contact.contact_type)
            mirrored = asdict(contact.details) if contact.details else None
            assert mirrored == held, f"{contact}: the mirror says {mirrored}, AWS holds {held}"

    def read_all(self) -> None:
        """What the next rolling read will do, for changes that others made in AWS."""
        time.sleep(float(TIMES["AWS_READ_LAG"]))
        for account in {contact.account for contact in self.contacts}:
            read_account(account, lane=Lane.CHECK)


def drifts() -> int:
    """How often the portal said that somebody else changed a contact."""
    return AuditEvent.objects.filter(action="contact.drift", at__lte=timezone.now()).count()
