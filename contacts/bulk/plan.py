"""The plan of a change set: what each line would do to its contact, written before anything is sent."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
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
from contacts.details import FIELDS
from contacts.fingerprint import fingerprint
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
from orgs.access import Right, require, visible_to
from orgs.models import Account
from portal.aws import ContactDetails

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

    The numbers of the lines differ. When lines raises before the first one, nothing is stored; later, what
    was stored is discarded. Raises PermissionDenied.
    """
    require(context.actor, Right.EDIT)
    waiting = iter(lines)
    chunk = list(islice(waiting, CHUNK))
    change_set = _begin(context, kind=kind, title=title[:120], file_name=file_name[:120], origin=origin)
    try:
        first_lines: dict[int, int] = {}
        while chunk:
            _plan_chunk(change_set, chunk, first_lines, context.actor)
            chunk = list(islice(waiting, CHUNK))
        return summarise(change_set)
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
    """Count what the plan does, take its fingerprint, and declare it ready."""
    tally = _Tally()
    rows = PlannedChange.objects.filter(change_set=change_set).order_by("line").only(*_READ)
    facts = {
        "plan_hash": fingerprint(tally.seen(rows.iterator(chunk_size=READ_AT_ONCE))),
        "counts": dict(tally.counts),
        "effort": tally.effort,
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


def _plan_chunk(change_set: ChangeSet, lines: list[Line], first_lines: dict[int, int], actor: Any) -> None:
    """Judge and store these lines. first_lines: where each contact was met first, by its key."""
    known = _look_up(lines, actor)
    rows = []
    for line in lines:
        row = judge(line, known)
        if not line.problems and row.contact_id:
            first = first_lines.setdefault(row.contact_id, line.number)
            if first != line.number:
                repeated = Problem("", f"Line {first} is about the same contact. Keep one of the two.")
                row = judge(replace(line, problems=(repeated,)), known)
        row.change_set = change_set
        rows.append(row)
    with transaction.atomic():
        PlannedChange.objects.insert_many(rows)


def _look_up(lines: list[Line], actor: Any) -> Known:
    """What is known of the accounts of these lines, in as many queries whatever their number."""
    ids = {line.account_id for line in lines if line.account_id.isascii() and line.account_id.isdigit()}
    accounts = visible_to(actor).filter(aws_id__in=ids).order_by().prefetch_related("organization")
    known = Known(actor, {account.aws_id: account for account in accounts})
    by_pk = {account.pk: account for account in known.accounts.values()}
    _look_at_values(known, by_pk)
    kinds = {line.contact_type for line in lines} & set(ContactType.values)
    contacts = AlternateContact.objects.filter(account__in=by_pk, contact_type__in=kinds)
    for contact in contacts.order_by():
        known.keep(contact)
    known.asked_by = _open_wishes(by_pk, actor)
    return known


def _look_at_values(known: Known, accounts: dict[int, Account]) -> None:
    """The values of all three contacts of each account, which has three afterwards."""
    facts = AlternateContact.objects.filter(account__in=accounts).order_by()
    rows = facts.values_list("account", "contact_type", *FIELDS)
    if len(rows) < len(accounts) * len(ContactType):
        ensure_contacts(accounts.values())
    for account, contact_type, *values in rows:
        if any(values):
            known.values.setdefault(account, {})[contact_type] = ContactDetails(*values)


def _open_wishes(accounts: Iterable[int], actor: Any) -> dict[int, str]:
    """Who asked for the changes of these accounts that have not ended, by contact."""
    wishes = ContactChange.objects.filter(contact__account__in=accounts, status__in=OPEN).order_by("pk")
    return {
        wish.contact_id: "you" if wish.requested_by_id == actor.pk else wish.requested_by.label
        for wish in wishes.select_related("requested_by")
    }


_READ = (
    "line",
    "account_text",
    "account_id",
    "contact_type",
    "caller_key",
    "verdict",
    "is_left_out",
    "before",
    "wanted",
)


class _Tally:
    """What the rows sum up to, counted while they pass by."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.effort: dict[str, dict[str, dict[str, int]]] = {"run": {}, "undo": {}}
        management = F("organization__management_account_id")
        self.management = set(Account.objects.filter(aws_id=management).values_list("pk", flat=True))

    def seen(self, rows: Iterable[PlannedChange]) -> Iterator[PlannedChange]:
        """The same rows, counted."""
        for row in rows:
            self._count(row)
            yield row

    def _count(self, row: PlannedChange) -> None:
        if row.is_left_out:
            self.counts["left_out"] += 1
            return
        self.counts[row.verdict] += 1
        if row.verdict == Verdict.REFUSED:
            return
        self._add("run", row.caller_key, "reads")
        if row.verdict not in WRITES:
            return
        self.counts["management"] += row.account_id in self.management
        self._add("run", row.caller_key, WRITES[row.verdict])
        self._add("undo", row.caller_key, "reads")
        self._add("undo", row.caller_key, UNDOING[row.verdict])

    def _add(self, way: str, caller_key: str, operation: str) -> None:
        usual = {"reads": 0, "puts": 0, "deletes": 0}
        self.effort[way].setdefault(caller_key, usual)[operation] += 1
