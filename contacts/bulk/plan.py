"""The plan of a change set: what each line would do to its contact, written before anything is sent."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from audit.context import Context
from contacts.bulk.line import Line, Problem
from contacts.bulk.verdicts import LEFT_OUT, Known, judge
from contacts.change_sets import CHOOSING, drop_draft, lock_set
from contacts.fingerprint import FACTS, Fingerprint
from contacts.mirror import ensure_contacts
from contacts.models import (
    OPEN,
    AlternateContact,
    ChangeSet,
    ContactChange,
    ContactType,
    PlannedChange,
    SetKind,
    SetStatus,
    Verdict,
)
from orgs.access import Right, require, scope_of, visible_to
from orgs.models import Account

CHUNK = 500  # lines that are looked up, and written in one transaction of less than 0.1 s
READ_AT_ONCE = 2000
WRITES = {Verdict.CHANGE.value: "puts", Verdict.NEW.value: "puts", Verdict.DELETE.value: "deletes"}
UNDOING = {Verdict.CHANGE.value: "puts", Verdict.NEW.value: "deletes", Verdict.DELETE.value: "puts"}


def make_plan(
    lines: Iterable[Line],
    *,
    kind: SetKind,
    title: str,
    context: Context,
    file_name: str = "",
    origin: ChangeSet | None = None,
) -> ChangeSet:
    """Hold each line against what we know, and store what would happen; nothing is sent.

    The numbers of the lines rise. When lines raises before the first one, nothing is stored; later, what
    was stored is discarded. Raises PermissionDenied.
    """
    require(context.actor, Right.EDIT)
    waiting = iter(lines)
    chunk = list(islice(waiting, CHUNK))
    change_set = _begin(context, kind=kind, title=title[:120], file_name=file_name[:120], origin=origin)
    try:
        first_lines: dict[int, int] = {}
        sum_of_all = _Sum()
        while chunk:
            sum_of_all.add(_plan_chunk(change_set, chunk, first_lines, context.actor))
            chunk = list(islice(waiting, CHUNK))
        return _declare_ready(change_set, sum_of_all)
    except BaseException:
        drop_draft(change_set)
        raise


def choose(change_set: ChangeSet, pks: Iterable[int], *, context: Context) -> ChangeSet:
    """Have these of the rows that the plan left out be sent after all, and no others of them.

    The plan is another one afterwards, with a hash of its own. Raises PermissionDenied and ValidationError.
    """
    # The mark bars a submission, and an older choice from ending after this one, without a long transaction.
    mark = f"{CHOOSING}{uuid4().hex}"
    with transaction.atomic():
        change_set = lock_set(change_set.pk)
        _require_author(change_set, context)
        if change_set.status != SetStatus.PLANNED:
            raise ValidationError("This plan was submitted or discarded already.")
        _leave_out_all_but(set(pks), change_set)
        change_set.plan_hash = mark
        change_set.save(update_fields=["plan_hash"])
    return summarise(change_set)


def optional_rows(change_set: ChangeSet) -> QuerySet[PlannedChange]:
    """The rows that the plan leaves out unless somebody chooses them, chosen ones included."""
    return change_set.rows.filter(remarks__0=LEFT_OUT)


def summarise(change_set: ChangeSet) -> ChangeSet:
    """Sum up the rows that are stored, and declare the plan ready."""
    found = _Sum()
    rows = change_set.rows.order_by("line").values_list(*FACTS, "account_id", "caller_key", named=True)
    found.add(rows.iterator(chunk_size=READ_AT_ONCE))
    return _declare_ready(change_set, found)


def _declare_ready(change_set: ChangeSet, found: "_Sum") -> ChangeSet:
    facts = {
        "plan_hash": str(found.fingerprint),
        "counts": dict(found.counts),
        "effort": found.effort,
        "status": SetStatus.PLANNED,
    }
    # Nothing is written when the plan was discarded, or chosen from anew, while this counted.
    ChangeSet.objects.filter(
        pk=change_set.pk, status=change_set.status, plan_hash=change_set.plan_hash
    ).update(**facts)
    change_set.refresh_from_db()
    return change_set


def _begin(context: Context, **facts: Any) -> ChangeSet:  # Any: what the caller says of the set
    return ChangeSet.objects.create(
        requested_by=context.actor,
        source=context.source,
        request_id=context.request_id,
        planned_at=timezone.now(),
        **facts,
    )


def _leave_out_all_but(chosen: set[int], change_set: ChangeSet) -> None:
    optional = optional_rows(change_set).order_by().values_list("pk", "is_left_out")
    turned = [pk for pk, is_left_out in optional if is_left_out == (pk in chosen)]
    for start in range(0, len(turned), READ_AT_ONCE):
        piece = change_set.rows.filter(pk__in=turned[start : start + READ_AT_ONCE]).order_by()
        piece.update(is_left_out=Case(When(is_left_out=True, then=Value(False)), default=Value(True)))


def _require_author(change_set: ChangeSet, context: Context) -> None:
    require(context.actor, Right.EDIT)
    if context.actor.pk != change_set.requested_by_id:
        raise PermissionDenied("Only the person who made this plan may do this.")


def _plan_chunk(
    change_set: ChangeSet, lines: list[Line], first_lines: dict[int, int], actor: Any
) -> list[PlannedChange]:
    """Judge and store these lines. first_lines: where each contact was met first, by its key."""
    known = _look_up(lines, actor)
    rows = []
    for line in lines:
        row = judge(line, known)
        if not line.problems and row.contact_id:
            first = first_lines.setdefault(row.contact_id, line.number)
            if first != line.number:
                repeated = Problem("", f"Line {first} is about the same contact. Keep one of the two.")
                row = judge(line._replace(problems=(repeated,)), known)
        row.change_set_id = change_set.pk
        rows.append(row)
    with transaction.atomic():
        PlannedChange.objects.insert_many(rows)
    return rows


def _look_up(lines: list[Line], actor: Any) -> Known:
    """What is known of the accounts of these lines, in as many queries whatever their number."""
    ids = {line.account_id for line in lines if line.account_id.isascii() and line.account_id.isdigit()}
    accounts = visible_to(actor).filter(aws_id__in=ids).order_by().prefetch_related("organization", "unit")
    known = Known(
        scope_of(actor, Right.EDIT),
        scope_of(actor, Right.VIEW),
        {account.aws_id: account for account in accounts},
    )
    by_pk = known.by_pk
    for contact in _contacts_of(by_pk):
        known.keep(contact)
    known.asked_by = _open_wishes(by_pk, actor)
    return known


def _contacts_of(accounts: dict[int, Account]) -> QuerySet[AlternateContact]:
    """All three of each account."""
    every = AlternateContact.objects.filter(account__in=accounts).order_by()
    contacts = every.defer("first_seen_at", "tried_at")
    if len(contacts) < len(accounts) * len(ContactType):
        ensure_contacts(accounts.values())
        return contacts.all()
    return contacts


def _open_wishes(accounts: Iterable[int], actor: Any) -> dict[int, str]:
    """Who asked for the changes of these accounts that have not ended, by contact."""
    wishes = ContactChange.objects.filter(contact__account__in=accounts, status__in=OPEN).order_by("pk")
    return {
        wish.contact_id: "you" if wish.requested_by_id == actor.pk else wish.requested_by.label
        for wish in wishes.select_related("requested_by")
    }


class _Sum:
    """What the rows of a plan sum up to, and their fingerprint."""

    def __init__(self) -> None:
        self.fingerprint = Fingerprint()
        self.counts: Counter[str] = Counter()
        self.effort: dict[str, dict[str, dict[str, int]]] = {"run": {}, "undo": {}}
        self._last_line = 0
        management = F("organization__management_account_id")
        self._management = set(Account.objects.filter(aws_id=management).values_list("pk", flat=True))

    def add(self, rows: Iterable[Any]) -> None:  # Any: planned changes, or their columns by name
        """Take in the next rows, in the order of their lines."""
        for row in rows:
            if row.line <= self._last_line:
                raise ValueError(f"Line {row.line} comes after line {self._last_line}.")
            self._last_line = row.line
            self.fingerprint.add(row)
            self._count(row)

    def _count(self, row: Any) -> None:
        if row.is_left_out:
            self.counts["left_out"] += 1
            return
        self.counts[row.verdict] += 1
        if row.verdict == Verdict.REFUSED:
            return
        self._add("run", row.caller_key, "reads")
        if row.verdict not in WRITES:
            return
        self.counts["management"] += row.account_id in self._management
        self._add("run", row.caller_key, WRITES[row.verdict])
        self._add("undo", row.caller_key, "reads")
        self._add("undo", row.caller_key, UNDOING[row.verdict])

    def _add(self, way: str, caller_key: str, operation: str) -> None:
        usual = {"reads": 0, "puts": 0, "deletes": 0}
        self.effort[way].setdefault(caller_key, usual)[operation] += 1
