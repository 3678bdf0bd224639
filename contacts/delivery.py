"""Who delivers when: wake, token, claim, sweep. A Celery message only says "look"; the rows are the truth."""

import contextlib
import logging
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import kombu.exceptions
import redis.exceptions
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from contacts.models import IN_FLIGHT, ChangeSet, ChangeStatus, ContactChange, SetStatus
from contacts.models.change_sets import HELD
from contacts.sending import bring_further, lag_end, write_operation
from contacts.settle import give_back
from portal import quota
from portal.causes import Cause
from portal.celery import app
from portal.quota import Lane

logger = logging.getLogger(__name__)

AHEAD = 8  # rows looked at for one that no other deliverer picked
SLOTS = 4  # deliverers at once per caller and queue: one hung call stops nobody
STINT = 20.0  # seconds a deliverer works before it queues itself again
WAKE_EVERY = 2  # seconds: a message that a dead worker took with it is not waited for longer
MOVING = (SetStatus.PREPARING, SetStatus.RUNNING)
LANES = {"people": (Lane.PERSON, Lane.CHECK), "bulk": (Lane.BULK, Lane.ROLLING)}
ADVANCE_LIMIT = 30  # seconds until another worker may take over a change set
BROKER_ERRORS = (redis.exceptions.RedisError, kombu.exceptions.OperationalError)


def queue_of(lane: int) -> str:
    """The Celery queue that serves this lane: people's edits have a worker of their own."""
    return "people" if lane in LANES["people"] else "bulk"


def wake(caller_key: str, queue: str) -> None:
    """Tell a deliverer to look, once however often it is called. Only a hint: beat looks as well."""
    try:
        if cache.add(_wake_mark(caller_key, queue), 1, timeout=WAKE_EVERY):
            app.send_task("contacts.deliver", args=[caller_key, queue], queue=queue, retry=False)
    except BROKER_ERRORS:
        logger.warning("no deliverer could be woken for %s: Redis does not answer", caller_key)


def wake_change_set(pk: int) -> None:
    """Tell a worker to bring this change set further: start it, or cancel its rest. Only a hint, as above."""
    try:
        if cache.add(_set_mark(pk), 1, timeout=WAKE_EVERY):
            app.send_task("contacts.advance_change_set", args=[pk], queue="bulk", retry=False)
    except BROKER_ERRORS:
        logger.warning("nobody could be woken for change set %s: Redis does not answer", pk)


@contextlib.contextmanager
def advancing(pk: int) -> Iterator[bool]:
    """Whether this change set is ours to bring further: two at once would only wait for each other.

    The worker has come, so what happens from now on wakes the next. A mark that a dead worker left passes.
    """
    cache.delete(_set_mark(pk))
    mark = f"advancing:{pk}"
    is_ours = cache.add(mark, 1, timeout=ADVANCE_LIMIT)
    try:
        yield is_ours
    finally:
        if is_ours:
            cache.delete(mark)


def run_deliverer(caller_key: str, queue: str, *, seconds: float = STINT) -> None:
    """Deliver what is due for this caller until nothing is, or the stint is over."""
    cache.delete(_wake_mark(caller_key, queue))
    number = _take_slot(caller_key, queue)
    if number is None:
        return
    try:
        if _deliver_for(caller_key, queue, number, seconds):
            wake(caller_key, queue)
    finally:
        cache.delete(_slot(caller_key, queue, number))


def due_changes() -> QuerySet[ContactChange]:
    """Wishes that may be claimed now: one per contact is in flight at most, and a paused set waits."""
    flying = ContactChange.objects.filter(contact=OuterRef("contact"), status__in=IN_FLIGHT)
    held = Q(status=ChangeStatus.QUEUED, change_set__in=ChangeSet.objects.filter(status__in=HELD))
    return ContactChange.objects.exclude(held).filter(
        Q(not_before__isnull=True) | Q(not_before__lte=timezone.now()),
        ~Exists(flying.exclude(pk=OuterRef("pk"))),
        status__in=[ChangeStatus.QUEUED, ChangeStatus.UNCONFIRMED],
    )


def sweep() -> None:
    """Free the claims of workers that died, row by row, and wake whoever has due rows."""
    expired = timezone.now() - timedelta(seconds=settings.DELIVERY_LEASE)
    for change in _with_account(
        ContactChange.objects.filter(status=ChangeStatus.SENDING, claimed_at__lt=expired)
    ):
        logger.warning("change %s: its worker did not come back", change.pk)
        give_back(change, cause=Cause.UNAVAILABLE, delay=0, lag_until=lag_end())
    for caller_key, lane in due_changes().order_by().values_list("caller_key", "lane").distinct():
        wake(caller_key, queue_of(lane))


def deliver_one(change: ContactChange) -> None:
    """First the tokens, then the claim, so that no row sleeps in sending.

    Raises quota.NoToken and quota.QuotaUnavailable before anything is claimed.
    """
    if change.status == ChangeStatus.QUEUED and not change.is_verification:
        quota.take(change.caller_key, write_operation(change), change.lane)
    quota.take(change.caller_key, "GetAlternateContact", change.lane)
    claimed = claim_change(change.pk)
    if claimed:
        bring_further(claimed)


def claim_change(pk: int) -> ContactChange | None:
    """Make a due wish ours by one conditional UPDATE; None when somebody else was faster."""
    claim, now = uuid.uuid4().hex, timezone.now()
    try:
        with transaction.atomic():
            count = (
                due_changes()
                .filter(pk=pk)
                .update(
                    status=ChangeStatus.SENDING,
                    claim=claim,
                    claimed_at=now,
                    first_claimed_at=Coalesce("first_claimed_at", now),
                )
            )
    except IntegrityError:  # another wish of this contact took off in the same moment
        return None
    return _with_account(ContactChange.objects.filter(pk=pk)).get() if count else None


def _deliver_for(caller_key: str, queue: str, number: int, seconds: float) -> bool:
    """True when the stint ended before the work did."""
    slot, ends_at = _slot(caller_key, queue, number), time.monotonic() + seconds
    due = due_changes().filter(caller_key=caller_key, lane__in=LANES[queue])
    while time.monotonic() < ends_at:
        cache.touch(slot, settings.DELIVERY_LEASE)
        candidates = _next_of_people(due) if queue == "people" else _next_of_sets(due, caller_key, number)
        change = next(filter(_pick, candidates), None)
        if change is None:
            return False
        try:
            deliver_one(change)
        except (quota.NoToken, quota.QuotaUnavailable) as error:
            logger.info("deliverer of %s pauses: %s", caller_key, error)
            return False
        finally:
            cache.delete(f"picked:{change.pk}")
    return due.exists()


def _next_of_people(due: QuerySet[ContactChange]) -> QuerySet[ContactChange]:
    return due.order_by("lane", "pk")[:AHEAD]


def _next_of_sets(due: QuerySet[ContactChange], caller_key: str, number: int) -> Iterator[ContactChange]:
    """Change sets take turns. Half of the deliverers look for deletions first: AWS takes one a second, and
    puts must not wait behind them."""
    sets = _sets_to_serve(caller_key)
    turn = cache.get(f"turn:{caller_key}", 0)
    for pk in [pk for pk in sets if pk > turn] + [pk for pk in sets if pk <= turn]:
        cache.set(f"turn:{caller_key}", pk, timeout=None)
        of_set = due.filter(change_set=pk).order_by("pk")
        deletes_first = number % 2 == 1
        yield from of_set.filter(wanted__isnull=deletes_first)[:AHEAD]
        yield from of_set.filter(wanted__isnull=not deletes_first)[:AHEAD]
    yield from due.filter(change_set=None).order_by("pk")[:AHEAD]


def _sets_to_serve(caller_key: str) -> list[int]:
    """Those that may have something due: one row of each tells, however many wait."""
    rows = ContactChange.objects.filter(change_set=OuterRef("pk"), caller_key=caller_key)
    unconfirmed = rows.filter(status=ChangeStatus.UNCONFIRMED)
    waiting = rows.filter(status__in=[ChangeStatus.QUEUED, ChangeStatus.UNCONFIRMED])
    # In one query PostgreSQL would read whole sets.
    held = ChangeSet.objects.filter(Exists(unconfirmed), status__in=HELD)
    moving = ChangeSet.objects.filter(Exists(waiting), status__in=MOVING)
    return sorted([*moving.values_list("pk", flat=True), *held.values_list("pk", flat=True)])


def _pick(change: ContactChange) -> bool:
    """Keep two deliverers from spending tokens on the same wish; the claim alone decides who sends."""
    return cache.add(f"picked:{change.pk}", 1, timeout=settings.DELIVERY_LEASE)


def _take_slot(caller_key: str, queue: str) -> int | None:
    for number in range(SLOTS):
        if cache.add(_slot(caller_key, queue, number), 1, timeout=settings.DELIVERY_LEASE):
            return number
    return None


def _slot(caller_key: str, queue: str, number: int) -> str:
    return f"deliverer:{caller_key}:{queue}:{number}"


def _set_mark(pk: int) -> str:
    return f"wake-set:{pk}"


def _wake_mark(caller_key: str, queue: str) -> str:
    return f"wake:{caller_key}:{queue}"


def _with_account(changes: QuerySet[ContactChange]) -> QuerySet[ContactChange]:
    return changes.select_related(
        "requested_by",
        "change_set__decided_by",
        "contact__account__organization",
        "contact__account__unit",
    )
