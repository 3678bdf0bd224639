"""A change set as the commands tell it: in facts for programs and in words for people. No contact values."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from contacts.bulk.estimate import time_to_run, time_to_undo
from contacts.bulk.run import outcomes_of
from contacts.bulk.verdicts import LEFT_OUT
from contacts.models import OPEN, ChangeSet, ChangeStatus, PlannedChange, Verdict
from portal.causes import Cause

DONE = (ChangeStatus.APPLIED, ChangeStatus.UNCHANGED)
VERDICT_WORDS = {
    "change": "to change",
    "new": "new",
    "delete": "to delete",
    "unchanged": "unchanged",
    "left_out": "left out",
    "refused": "refused",
}
COUNTED = (*VERDICT_WORDS, "management")


def address_of(change_set: ChangeSet) -> str:
    """Where the change set stands in the portal."""
    return settings.PORTAL_URL + reverse("contacts:change_set_detail", args=[change_set.pk])


def many(number: int, noun: str, one: str, more: str) -> str:
    """Such as "1 contact was" or "2 contacts were"."""
    return f"1 {noun} {one}" if number == 1 else f"{number:,} {noun}s {more}"


def short_facts_of(change_set: ChangeSet) -> dict[str, Any]:
    """The change set as a list has it."""
    return {
        "change_set": change_set.pk,
        "status": change_set.status,
        "kind": change_set.kind,
        "title": change_set.title,
        "requested_by": change_set.requested_by.username,
        "planned_at": change_set.planned_at,
        "submitted_at": change_set.submitted_at,
        "finished_at": change_set.finished_at,
        "counts": dict.fromkeys(COUNTED, 0) | change_set.counts,
    }


def facts_of(change_set: ChangeSet) -> dict[str, Any]:
    """The change set whole, with every refused line and every change that did not end well."""
    return short_facts_of(change_set) | {
        "address": address_of(change_set),
        "reason": change_set.reason,
        "ticket": change_set.ticket,
        "rows": change_set.rows.count(),
        "errors": list(errors_of(change_set)),
        "left_out": list(left_out_of(change_set)),
        "needs_approval": change_set.needs_approval,
        "decision": change_set.decision,
        "outcomes": outcomes_of(change_set),
        "not_done": list(not_done_of(change_set)),
    }


def errors_of(change_set: ChangeSet) -> Iterator[dict[str, Any]]:
    """Each problem of each refused line."""
    for row in _in_order(change_set.rows.filter(verdict=Verdict.REFUSED)):
        for problem in row.problems:
            yield {"line": row.line, "field": problem["field"], "text": problem["text"]}


def left_out_of(change_set: ChangeSet) -> Iterator[dict[str, Any]]:
    """Each row that was shown and is not sent, with the reason."""
    for row in _in_order(change_set.rows.filter(is_left_out=True).exclude(verdict=Verdict.REFUSED)):
        remarks = [remark for remark in row.remarks if remark != LEFT_OUT]
        yield _place_of(row) | {"text": " ".join(remarks)}


def not_done_of(change_set: ChangeSet) -> Iterator[dict[str, Any]]:
    """Each row that has come to its end, and is neither applied nor unchanged."""
    ended_otherwise = Q(change__isnull=False) & ~Q(change__status__in=[*OPEN, *DONE])
    rows = change_set.rows.filter(ended_otherwise | ~Q(outcome="")).select_related("change")
    for row in _in_order(rows):
        status = row.change.status if row.change else row.outcome
        problem = row.change.problem if row.change else row.cause
        yield _place_of(row) | {"status": status, "problem": problem}


def plan_lines(change_set: ChangeSet) -> Iterator[str]:
    """What the plan sums up to, and what is not sent, line by line."""
    counts = change_set.counts
    parts = [f"{counts[name]:,} {label}" for name, label in VERDICT_WORDS.items() if counts.get(name)]
    yield f"Change set {change_set.pk}, “{change_set.title}”: {', '.join(parts) or 'no lines'}."
    if change_set.writes:
        yield f"Sending it takes {time_to_run(change_set)}; undoing it {time_to_undo(change_set)}."
    for error in errors_of(change_set):
        field = f"{error['field']}: " if error["field"] else ""
        yield f"Line {error['line']}: {field}{error['text']}"
    for row in left_out_of(change_set):
        yield f"{_where(row)}: left out. {row['text']}".rstrip()


def end_lines(change_set: ChangeSet) -> Iterator[str]:
    """How far the run has come, and what did not end well, line by line."""
    outcomes = outcomes_of(change_set)
    labels = dict(ChangeStatus.choices)
    parts = [f"{count:,} {labels.get(name, name).lower()}" for name, count in sorted(outcomes.items())]
    state = change_set.get_status_display().lower()
    yield f"Change set {change_set.pk}: {'; '.join([state, *parts])}."
    for row in not_done_of(change_set):
        cause = Cause(row["problem"]) if row["problem"] else None
        remedy = f" {cause.label} {cause.remedy}" if cause else ""
        yield f"{_where(row)}: {labels.get(row['status'], row['status']).lower()}.{remedy}"


def _in_order(rows: QuerySet[PlannedChange]) -> Iterator[PlannedChange]:
    return rows.order_by("line").iterator(chunk_size=1000)


def _place_of(row: PlannedChange) -> dict[str, Any]:
    return {"line": row.line, "account_id": row.account_text, "contact_type": row.contact_type}


def _where(row: dict[str, Any]) -> str:
    return f"Line {row['line']}, {row['contact_type']} of {row['account_id']}"
