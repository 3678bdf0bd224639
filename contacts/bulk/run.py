"""Running a change set: its wishes are written chunk by chunk, its rest cancelled, its end noticed."""

import logging
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from audit.context import Source, worker_context
from contacts import change_sets
from contacts.approval import NotCleared
from contacts.delivery import advancing, wake_change_set
from contacts.fingerprint import FACTS, fingerprint
from contacts.models import (
    OPEN,
    ChangeSet,
    ContactChange,
    Outcome,
    PlannedChange,
    SetStatus,
    Verdict,
)
from contacts.planned_changes import ASKED, cancel_changes, request_changes

logger = logging.getLogger(__name__)

CHUNK = 500  # rows in one transaction: at most 0.3 s on SQLite, so that nobody waits for the lock
PLANNING_LIMIT = timedelta(hours=1)  # a plan that is not ready by then lost its process
DRAFT_LIMIT = timedelta(days=30)  # drafts hold people's data and are nobody's history


def advance(pk: int) -> None:
    """Bring a change set as far as it goes now. May run twice: the set's lock makes them take turns."""
    with advancing(pk) as is_ours:
        if is_ours and ChangeSet.objects.filter(pk=pk).exists():
            _advance(ChangeSet.objects.get(pk=pk))


def _advance(change_set: ChangeSet) -> None:
    if change_set.status == SetStatus.PREPARING and _is_as_planned(change_set):
        _prepare(change_set.pk)
    if ChangeSet.objects.filter(pk=change_set.pk, status=SetStatus.CANCELLING).exists():
        _cancel(change_set)
    finish_if_ended(change_set.pk)


def finish_if_ended(pk: int) -> bool:
    """Close the set when none of its changes is open any more."""
    change_set = _ended().filter(pk=pk).first()
    return bool(change_set and change_sets.finish(change_set, outcomes_of(change_set)))


def watch() -> None:
    """What beat looks after: starts that got lost, runs that have ended, requests that lapsed, old drafts."""
    stuck = ChangeSet.objects.filter(status__in=[SetStatus.PREPARING, SetStatus.CANCELLING])
    for pk in stuck.values_list("pk", flat=True):
        wake_change_set(pk)
    for change_set in _ended():
        change_sets.finish(change_set, outcomes_of(change_set))
    now = timezone.now()
    for change_set in ChangeSet.objects.filter(status=SetStatus.WAITING, expires_at__lt=now):
        change_sets.expire(change_set, context=worker_context())
    planning = ChangeSet.objects.filter(status=SetStatus.PLANNING, planned_at__lt=now - PLANNING_LIMIT)
    drafts = ChangeSet.objects.filter(status=SetStatus.PLANNED, planned_at__lt=now - DRAFT_LIMIT)
    for change_set in planning | drafts:
        change_sets.drop_draft(change_set)


def outcomes_of(change_set: ChangeSet) -> dict[str, int]:
    """How many changes stand in each state, those that were never asked for included; no zeros."""
    asked = change_set.changes.order_by().values_list("status").annotate(Count("pk"))
    never = change_set.rows.exclude(outcome="").order_by().values_list("outcome").annotate(Count("pk"))
    counts: dict[str, int] = {}
    for name, count in [*asked, *never]:
        counts[name] = counts.get(name, 0) + count
    return counts


def _is_as_planned(change_set: ChangeSet) -> bool:
    """Whether the rows are still those that were shown, and approved where that was needed."""
    rows = change_set.rows.order_by("line").values_list(*FACTS, named=True)
    if fingerprint(rows.iterator(chunk_size=2000)) == change_set.plan_hash:
        return True
    with transaction.atomic():
        locked = change_sets.lock_set(change_set.pk)
        if locked.status == SetStatus.PREPARING:
            logger.error("change set %s: its rows are not those of its plan", change_set.pk)
            change_sets.stop(locked, "The rows are not those of the plan that was shown.")
    return False


def _prepare(pk: int) -> None:
    """Write all wishes; then look from the first line again, and let the set run when none is left."""
    line: int | None = 0
    while line is not None:
        line = _prepare_chunk(pk, line)


def _prepare_chunk(pk: int, after: int = 0) -> int | None:
    """Write the next wishes behind this line; the line to go on behind, None when there is nothing to do.

    SQLite does not use the index of the rows that were not asked for, so without a line to begin with each
    chunk would read all that were.
    """
    with transaction.atomic():
        change_set = change_sets.lock_set(pk)
        if change_set.status != SetStatus.PREPARING:
            return None
        rows = list(_not_asked_yet(change_set).filter(line__gt=after).only(*ASKED)[:CHUNK])
        if rows:
            return rows[-1].line if _ask_for(change_set, rows) else None
        if not after:
            change_sets.start_running(change_set)
    return 0 if after else None


def _ask_for(change_set: ChangeSet, rows: list[PlannedChange]) -> bool:
    """Write the wishes of these rows, unless the set may not run."""
    try:
        request_changes(change_set, rows)
    except NotCleared as error:
        logger.warning("change set %s may not run: %s", change_set.pk, error)
        change_sets.stop(change_set, str(error))
        return False
    return True


def _not_asked_yet(change_set: ChangeSet) -> QuerySet[PlannedChange]:
    rows = change_set.rows.filter(change=None, outcome="", is_left_out=False)
    return rows.exclude(verdict=Verdict.REFUSED).order_by("line")


def _cancel(change_set: ChangeSet) -> None:
    # Who cancelled may be somebody else than who asked: that stands in the set's own event.
    context = replace(change_sets.context_of(change_set), source=Source.WORKER)
    _not_asked_yet(change_set).order_by().update(outcome=Outcome.CANCELLED)
    while cancel_changes(change_set, context=context, limit=CHUNK):
        pass


def _ended() -> QuerySet[ChangeSet]:
    """Sets under way none of whose changes is open any more."""
    still_open = ContactChange.objects.filter(change_set=OuterRef("pk"), status__in=OPEN)
    unasked = PlannedChange.objects.filter(
        change_set=OuterRef("pk"), change=None, outcome="", is_left_out=False
    ).exclude(verdict=Verdict.REFUSED)
    ending = ChangeSet.objects.filter(status__in=[SetStatus.RUNNING, SetStatus.CANCELLING])
    return ending.filter(~Exists(still_open), ~Exists(unasked))
