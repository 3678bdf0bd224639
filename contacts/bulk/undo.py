"""The way back, and the second try: plans made from what a change set did, or could not do."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet

from audit.context import Context
from contacts.bulk.line import Line
from contacts.bulk.plan import make_plan
from contacts.details import details_in
from contacts.models import (
    NEVER_APPROVED,
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
from contacts.within import may_touch
from orgs.access import Right, can_edit, require_can_edit
from portal.aws import ContactDetails, same_contact
from portal.causes import Cause

CHUNK = 500
APPLIED = Q(status=ChangeStatus.APPLIED)
# The answer of AWS was lost for good; what the mirror shows by now tells whether it was written.
PERHAPS_APPLIED = APPLIED | Q(status=ChangeStatus.FAILED, problem=Cause.OUTCOME_UNKNOWN)


def plan_roll_back(change_set: ChangeSet, *, context: Context) -> ChangeSet:
    """Plan to give each contact that the set wrote the value from before, raw as AWS had it.

    What was changed since is shown and left out. Raises PermissionDenied, and ValidationError when the set
    has not ended, or has written nothing.
    """
    _require_editor(change_set, context)
    _require_ended(change_set)
    changes = change_set.changes.filter(PERHAPS_APPLIED)
    title = f"Roll back: {change_set.title}"
    return _plan_way_back(changes, title=title, origin=change_set, context=context)


def plan_roll_back_of(change: ContactChange, *, context: Context) -> ChangeSet:
    """The same for one change, whether it belongs to a set or not."""
    require_can_edit(context.actor, change.contact.account, change.contact.contact_type)
    if change.is_open:
        raise ValidationError("This change has not ended. It can be rolled back afterwards.")
    contact = change.contact
    title = f"Roll back: {contact.get_contact_type_display()} of {contact.account}"
    changes = ContactChange.objects.filter(PERHAPS_APPLIED, pk=change.pk)
    return _plan_way_back(changes, title=title, origin=change.change_set, context=context)


def plan_retry(change_set: ChangeSet, *, context: Context) -> ChangeSet:
    """Plan anew what failed, met a conflict or was skipped, or was never approved, with the wanted values.

    What has another value by now is shown and left out. Raises PermissionDenied, and ValidationError when
    the set has not ended, or left nothing undone.
    """
    _require_editor(change_set, context)
    if change_set.status in NEVER_APPROVED:
        rows = change_set.rows.filter(change=None, is_left_out=False).exclude(verdict=Verdict.REFUSED)
    else:
        _require_ended(change_set)
        undone = [ChangeStatus.FAILED, ChangeStatus.CONFLICT]
        rows = change_set.rows.filter(Q(change__status__in=undone) | Q(outcome=Outcome.SKIPPED))
    lines = _retry_lines(rows, context.actor)
    chosen = _at_least_one(lines, "Nothing failed here, so there is nothing to try again.")
    title = f"Try again: {change_set.title}"
    return make_plan(chosen, kind=SetKind.RETRY, title=title, context=context, origin=change_set)


def _require_editor(change_set: ChangeSet, context: Context) -> None:
    """Raise PermissionDenied unless the actor may change a contact of it; the plan refuses the others."""
    if not may_touch(context.actor, Right.EDIT, change_set):
        raise PermissionDenied("You may not change any contact of this change set.")


def _require_ended(change_set: ChangeSet) -> None:
    if not change_set.finished_at:
        raise ValidationError("This change set has not ended. Wait for its end, or cancel the rest first.")
    if change_set.status != SetStatus.FINISHED:
        raise ValidationError("Nothing of this change set was ever sent.")


def _plan_way_back(
    changes: QuerySet[ContactChange], *, title: str, origin: ChangeSet | None, context: Context
) -> ChangeSet:
    lines = _lines_back(changes, context.actor)
    chosen = _at_least_one(lines, "Nothing was written here, so there is nothing to roll back.")
    return make_plan(chosen, kind=SetKind.ROLL_BACK, title=title, context=context, origin=origin)


def _at_least_one(lines: Iterator[Line], otherwise: str) -> Iterable[Line]:
    first = next(lines, None)
    if first is None:
        raise ValidationError(otherwise)
    return chain([first], lines)


# The way back


def _lines_back(changes: QuerySet[ContactChange], actor: Any) -> Iterator[Line]:
    number = 0
    for piece in _pieces(changes.order_by("pk").select_related("contact__account__unit")):
        writers = _writers_since(piece)
        for change in piece:
            line = _line_back(change, number + 1, writers, actor)
            if line:
                number += 1
                yield line


def _line_back(
    change: ContactChange, number: int, writers: dict[int, ContactChange], actor: Any
) -> Line | None:
    if not can_edit(actor, change.contact.account, change.contact.contact_type):
        return _to_be_refused(number, change.contact, details_in(change.before), undoes=change.pk)
    contact, written, before = change.contact, change.wanted_details, details_in(change.before)
    is_as_written = not contact.is_unknown and same_contact(contact.details, written)
    if change.status == ChangeStatus.FAILED and not is_as_written:
        return None
    moved = _has_moved(contact, written, before)
    return Line(
        number,
        contact.account.aws_id,
        contact.contact_type,
        _raw(before),
        remarks=(_moved_words(contact, writers),) if moved else (),
        is_raw=True,
        is_left_out=moved,
        undoes=change.pk,
    )


# The second try


def _retry_lines(rows: QuerySet[PlannedChange], actor: Any) -> Iterator[Line]:
    for piece in _pieces(rows.order_by("pk").select_related("contact__account__unit", "change")):
        writers = _writers_since([row.change for row in piece if row.change])
        for row in piece:
            if row.contact and not can_edit(actor, row.contact.account, row.contact_type):
                yield _to_be_refused(row.line, row.contact, row.wanted_details)
            elif row.contact:
                yield _retry_line(row, row.contact, writers)


def _retry_line(row: PlannedChange, contact: AlternateContact, writers: dict[int, ContactChange]) -> Line:
    wanted = row.wanted_details
    remarks = []
    if _has_moved(contact, details_in(row.before), wanted):
        remarks = [_moved_words(contact, writers)]
    elif _met_conflict(row) and _has_moved(contact, wanted):
        remarks = ["AWS had another value when it was to be sent."]
    return Line(
        row.line,
        contact.account.aws_id,
        contact.contact_type,
        _raw(wanted),
        remarks=tuple(remarks),
        is_raw=True,
        is_left_out=bool(remarks),
    )


def _met_conflict(row: PlannedChange) -> bool:
    return bool(row.change and row.change.status == ChangeStatus.CONFLICT)


# Both


def _to_be_refused(
    number: int, contact: AlternateContact, wanted: ContactDetails | None, undoes: int | None = None
) -> Line:
    """A contact that this person may not change: the plan says so, and nothing of what stands there now."""
    return Line(
        number, contact.account.aws_id, contact.contact_type, _raw(wanted), is_raw=True, undoes=undoes
    )


def _has_moved(contact: AlternateContact, *expected: ContactDetails | None) -> bool:
    """Whether the mirror has a value that is none of these. What is unknown, the plan refuses by itself."""
    return not contact.is_unknown and not any(same_contact(contact.details, value) for value in expected)


def _moved_words(contact: AlternateContact, writers: dict[int, ContactChange]) -> str:
    """Who changed it since, as far as the portal knows."""
    writer = writers.get(contact.pk)
    if writer is None or not same_contact(contact.details, writer.wanted_details):
        return "Changed since, outside the portal."
    at = f", {writer.finished_at:%Y-%m-%d %H:%M} UTC" if writer.finished_at else ""
    return f"Changed since by {writer.requested_by.label}{at}."


def _writers_since(changes: list[ContactChange]) -> dict[int, ContactChange]:
    """The last change that the portal wrote after these, by contact."""
    if not changes:
        return {}
    contacts = [change.contact_id for change in changes]
    oldest = min(change.pk for change in changes)
    later = ContactChange.objects.filter(APPLIED, contact__in=contacts, pk__gt=oldest).order_by("pk")
    return {change.contact_id: change for change in later.select_related("requested_by")}


def _raw(details: ContactDetails | None) -> dict[str, str] | None:
    return None if details is None else dict(vars(details))


def _pieces(rows: QuerySet) -> Iterator[list]:
    """The rows chunk by chunk in the order of their keys: no cursor stays open while a plan is written."""
    piece = list(rows[:CHUNK])
    while piece:
        yield piece
        piece = list(rows.filter(pk__gt=piece[-1].pk)[:CHUNK])
