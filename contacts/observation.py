"""Reading AWS: an account's three contacts, many accounts at the quota's pace, the stalest first."""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit.context import Context, worker_context
from audit.log import record
from audit.models import Action
from contacts.delivery import BROKER_ERRORS
from contacts.events import account_facts
from contacts.mirror import (
    ensure_contacts,
    lock_contact,
    note_failure,
    note_reading,
    record_baseline,
)
from contacts.models import AlternateContact, ContactType
from contacts.sending import TRY_LATER
from orgs.access import Right, require
from orgs.models import Account, Unreachable
from portal import aws, quota
from portal.causes import Cause
from portal.celery import app
from portal.quota import Lane

logger = logging.getLogger(__name__)

THREADS = 8  # enough to fill 10 calls a second at a latency of 800 ms
MANY_FAILURES = 10  # passing failures in a row that end a run: AWS or Redis is away
CHECK_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What came of asking for one contact."""

    contact_type: str
    asked_at: datetime
    details: aws.ContactDetails | None = None
    cause: Cause | None = None


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
    def is_passing(self) -> bool:
        """Whether it failed for a reason that says nothing about this account."""
        return any(cause in TRY_LATER for cause in self.causes)


def due_accounts() -> QuerySet[Account]:
    """Accounts whose contacts are older than the freshness target, new ones first, then the stalest."""
    stale = timezone.now() - timedelta(seconds=settings.CONTACT_FRESHNESS)
    return (
        Account.objects.filter(Q(contacts_read_at__isnull=True) | Q(contacts_read_at__lt=stale), left_at=None)
        .select_related("organization", "unit")
        .order_by(F("contacts_read_at").asc(nulls_first=True), "pk")
    )


def read_account(account: Account, *, lane: Lane, context: Context | None = None) -> Outcome:
    """Ask AWS for the three contacts and write the answers down."""
    outcome = _ask(account, lane)
    _note(outcome, context or worker_context())
    return outcome


def read_accounts(
    accounts: Iterable[Account],
    *,
    lane: Lane,
    context: Context | None = None,
    on_done: Callable[[Outcome], object] = lambda outcome: None,
) -> None:
    """Read many accounts at the quota's pace; one that fails stops no other, an absent AWS stops the run."""
    context = context or worker_context()
    failures = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="read") as pool:
        for outcome in _ask_all(pool, iter(accounts), lane):
            _note(outcome, context)
            on_done(outcome)
            failures = failures + 1 if outcome.is_passing else 0
            if failures >= MANY_FAILURES:
                logger.warning("reading stops: %s", outcome.causes[0].label)
                return


def request_check(account: Account, *, context: Context) -> None:
    """Have a worker read this account now. Raises PermissionDenied, and Unavailable when Redis is away."""
    require(context.actor, Right.CHECK)
    try:
        if cache.add(_check_mark(account), 1, timeout=CHECK_SECONDS):
            app.send_task("contacts.check_account", args=[account.pk], queue="people", retry=False)
            record(Action.CONTACTS_CHECKED, context, **account_facts(account))
    except BROKER_ERRORS as error:
        with suppress(*BROKER_ERRORS):  # or the page would wait for what nobody does
            cache.delete(_check_mark(account))
        raise aws.Unavailable(Cause.NO_QUOTA) from error


def is_being_checked(account: Account) -> bool:
    """Whether somebody asked for a check that did not end yet."""
    try:
        return cache.get(_check_mark(account)) is not None
    except BROKER_ERRORS:
        return False


def check_account(account: Account) -> Outcome:
    """What a worker does for request_check()."""
    try:
        return read_account(account, lane=Lane.CHECK)
    finally:
        cache.delete(_check_mark(account))


def _check_mark(account: Account) -> str:
    return f"check:{account.pk}"


def _ask_all(pool: ThreadPoolExecutor, accounts: Iterator[Account], lane: Lane) -> Iterator[Outcome]:
    """Outcomes as they come; never more accounts at hand than threads can take, so memory stays flat."""
    running: set[Future[Outcome]] = {
        pool.submit(_ask, account, lane) for account in islice(accounts, 2 * THREADS)
    }
    try:
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(_ask, account, lane) for account in islice(accounts, len(done))}
            for future in done:
                yield future.result()
    finally:
        for future in running:
            future.cancel()


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


def _note(outcome: Outcome, context: Context) -> None:
    """One short transaction per account: three mirror rows and what the audit has to say of them."""
    ensure_contacts([outcome.account])
    with transaction.atomic():
        contacts = _locked_contacts(outcome.account)
        first_seen = []
        for answer in outcome.answers:
            contact = contacts[answer.contact_type]
            if answer.cause:
                note_failure(contact, answer.cause, at=answer.asked_at)
            elif note_reading(contact, answer.details, asked_at=answer.asked_at, context=context):
                first_seen.append(contact)
        if first_seen:
            record_baseline(outcome.account, first_seen, context)
        if not outcome.is_passing:
            Account.objects.filter(pk=outcome.account.pk).update(contacts_read_at=timezone.now())


def _locked_contacts(account: Account) -> dict[str, AlternateContact]:
    pks = AlternateContact.objects.filter(account=account).order_by("pk").values_list("pk", flat=True)
    return {contact.contact_type: contact for contact in map(lock_contact, pks)}
