"""Reading AWS: many accounts at the quota's pace, what it said written down in chunks."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from queue import Empty, SimpleQueue

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.context import Context, worker_context
from contacts.mirror import Answer, ensure_contacts, lock_contacts_of, note_answers, record_baselines
from contacts.models import ContactType
from contacts.sending import TRY_LATER
from orgs.models import Account, Unreachable
from orgs.reading import claim, note_turns, release
from portal import aws, quota
from portal.causes import Cause
from portal.quota import Lane

logger = logging.getLogger(__name__)

THREADS = 8  # enough to fill 10 calls a second at a latency of 800 ms
AT_HAND = 4 * THREADS  # accounts that are asked for or wait for a thread: memory stays flat
MANY_FAILURES = 10  # passing failures in a row that end a run: AWS or Redis is away
CHUNK, CHUNK_SECONDS = 50, 1.0  # accounts that are written together, and how long an answer waits for others
LOOK_UP = 5.0  # seconds after which somebody is told that we still wait for AWS


@dataclass(frozen=True)
class Outcome:
    """What came of asking for one account."""

    account: Account
    answers: list[Answer]

    @property
    def causes(self) -> list[Cause]:
        """Why contacts could not be read; empty when all could."""
        return [answer.cause for answer in self.answers if answer.cause]

    @property
    def read_at(self) -> datetime | None:
        """Since when the account counts as read; None when AWS did not answer."""
        return None if self.is_passing else min(answer.asked_at for answer in self.answers)

    @property
    def is_passing(self) -> bool:
        """Whether it failed for a reason that says nothing about this account."""
        return any(cause in TRY_LATER for cause in self.causes)


def read_account(account: Account, *, lane: Lane, context: Context | None = None) -> Outcome:
    """Ask AWS for the three contacts and write the answers down."""
    outcome = _ask(account, lane)
    _note_all([outcome], context or worker_context())
    return outcome


def read_due(
    due: QuerySet[Account],
    *,
    lane: Lane = Lane.ROLLING,
    seconds: float = float("inf"),
    context: Context | None = None,
    on_done: Callable[[Outcome], object] = lambda outcome: None,
    on_wait: Callable[[], object] = lambda: None,
) -> bool:
    """Claim and read accounts whose turn has come until none is left or the time is over.

    False when AWS or Redis is away. What was claimed and not read is given back at once; what a reader that
    was killed had claimed is due again when its lease is over. on_wait is called every few seconds.
    """
    taken: dict[int, Account] = {}

    def note_done(outcome: Outcome) -> None:
        del taken[outcome.account.pk]
        on_done(outcome)

    try:
        accounts = _claimed(due, time.monotonic() + seconds, taken)
        return read_accounts(accounts, lane=lane, context=context, on_done=note_done, on_wait=on_wait)
    finally:
        release(taken.values())


def read_accounts(
    accounts: Iterable[Account],
    *,
    lane: Lane,
    context: Context | None = None,
    on_done: Callable[[Outcome], object] = lambda outcome: None,
    on_wait: Callable[[], object] = lambda: None,
) -> bool:
    """Read many accounts at the quota's pace; one that fails stops no other.

    An absent AWS stops the run, which then returns False.
    """
    context, lately = context or worker_context(), deque([False], maxlen=MANY_FAILURES)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="read") as pool:
        for outcomes in _in_chunks(_until_away(_ask_all(pool, iter(accounts), lane, on_wait))):
            _note_all(outcomes, context)
            for outcome in outcomes:
                on_done(outcome)
                lately.append(outcome.is_passing)
    return not all(lately)


def _claimed(due: QuerySet[Account], ends_at: float, taken: dict[int, Account]) -> Iterator[Account]:
    """Few at a time, so that a reader that is killed holds little, and others find work beside us."""
    while time.monotonic() < ends_at:
        accounts = claim(due, AT_HAND)
        if not accounts:
            return
        taken.update({account.pk: account for account in accounts})
        yield from accounts


def _ask_all(
    pool: ThreadPoolExecutor, accounts: Iterator[Account], lane: Lane, on_wait: Callable[[], object]
) -> Iterator[Outcome | None]:
    """Outcomes as they come; None now and then while none does."""
    done: SimpleQueue[Future[Outcome]] = SimpleQueue()
    running: set[Future[Outcome]] = set()

    def ask(number: int) -> None:
        for account in islice(accounts, number):
            future = pool.submit(_ask, account, lane)
            running.add(future)
            future.add_done_callback(done.put)

    told_at = time.monotonic()
    try:
        ask(AT_HAND)
        while running:
            future = _next(done)
            if future:
                running.discard(future)
                ask(1)
            if time.monotonic() - told_at > LOOK_UP:
                told_at = time.monotonic()
                on_wait()
            yield future.result() if future else None
    finally:
        for future in running:
            future.cancel()


def _next(done: "SimpleQueue[Future[Outcome]]") -> Future[Outcome] | None:
    """The next that is done; None when there is none for a while."""
    try:
        return done.get(timeout=CHUNK_SECONDS)
    except Empty:
        return None


def _until_away(outcomes: Iterator[Outcome | None]) -> Iterator[Outcome | None]:
    """All of them, but none after many failures in a row: AWS or Redis is away."""
    failures = 0
    for outcome in outcomes:
        yield outcome
        if outcome:
            failures = failures + 1 if outcome.is_passing else 0
        if failures >= MANY_FAILURES and outcome:
            logger.warning("reading stops: %s", outcome.causes[0].label)
            return


def _in_chunks(outcomes: Iterator[Outcome | None]) -> Iterator[list[Outcome]]:
    """Gathered until they are many, or the first of them has waited long enough."""
    chunk: list[Outcome] = []
    began_at = 0.0
    for outcome in outcomes:
        if outcome:
            began_at = began_at if chunk else time.monotonic()
            chunk.append(outcome)
        if chunk and (len(chunk) >= CHUNK or time.monotonic() - began_at >= CHUNK_SECONDS):
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _ask(account: Account, lane: Lane) -> Outcome:
    """Network only: no database, so that it may run in a thread without a connection."""
    return Outcome(account, [_ask_one(account, contact_type, lane) for contact_type in ContactType.values])


def _ask_one(account: Account, contact_type: str, lane: Lane) -> Answer:
    try:
        reach = account.reach()
        quota.take(account.caller_key, "GetAlternateContact", lane, wait=30)
        asked_at = timezone.now()
        reading = aws.get_alternate_contact(reach.caller, contact_type, reach.account_id)
    except Unreachable as error:
        return Answer(contact_type, timezone.now(), cause=error.cause)
    except aws.AwsError as error:
        if isinstance(error, aws.Throttled):
            quota.slow_down(account.caller_key, "GetAlternateContact")
        return Answer(contact_type, timezone.now(), cause=error.cause)
    except quota.NoToken:
        return Answer(contact_type, timezone.now(), cause=Cause.THROTTLED)
    except quota.QuotaUnavailable:
        return Answer(contact_type, timezone.now(), cause=Cause.NO_QUOTA)
    return Answer(contact_type, asked_at, details=reading.details)


def _note_all(outcomes: list[Outcome], context: Context) -> None:
    """One short transaction for many accounts: mirror, what the audit has to say, and when to read again."""
    accounts = {outcome.account.pk: outcome.account for outcome in outcomes}
    with transaction.atomic():
        contacts = _locked(accounts)
        answers = [
            (contacts[outcome.account.pk, answer.contact_type], answer)
            for outcome in outcomes
            for answer in outcome.answers
        ]
        record_baselines(note_answers(answers, context), context)
        note_turns({outcome.account: outcome.read_at for outcome in outcomes})


def _locked(accounts: dict[int, Account]) -> dict:
    """The locked rows by account and type; an account that lacks one gets it."""
    contacts = lock_contacts_of(accounts)
    if len(contacts) < len(ContactType.values) * len(accounts):
        ensure_contacts(accounts.values())
        contacts = lock_contacts_of(accounts)
    return {(contact.account_id, contact.contact_type): contact for contact in contacts}
