"""A change set on its way out, as CSV, XLSX or JSON: what was planned of each line and what became of it."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import IO

from audit.context import Context
from audit.log import record
from audit.models import Action
from contacts.bulk.rows import ShownRow
from contacts.bulk.template import error_rows
from contacts.details import FIELDS
from contacts.models import ChangeSet, PlannedChange, Verdict
from contacts.within import require_right_to
from orgs.access import Right
from portal.spreadsheets import csv_lines, xlsx_file

VALUES = ("Name", "Title", "EmailAddress", "PhoneNumber")  # as AWS names them, in the order of FIELDS
COLUMNS = (
    "Line",
    "AccountId",
    "AccountName",
    "AlternateContactType",
    "Plan",
    "Result",
    "Cause",
    "BeforeStatus",
    *(f"Before{name}" for name in VALUES),
    *VALUES,
    "Remarks",
    "AwsRequestId",
    "EndedAt",
    "ReadAt",
)
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CHUNK = 500


def export_report(change_set: ChangeSet, *, file_format: str, context: Context) -> Iterator[str] | IO[bytes]:
    """Lines that are written while they are read, or a workbook. The export is written down before it begins.

    Raises PermissionDenied.
    """
    require_right_to(context.actor, Right.EXPORT, change_set)
    detail = {"contacts": change_set.rows.count(), "format": file_format, "title": change_set.title}
    record(Action.CONTACTS_EXPORTED, context, change_set_id=change_set.pk, detail=detail)
    rows = report_rows(change_set)
    if file_format == "json":
        return _json_lines(rows)
    table = chain([COLUMNS], rows)
    return xlsx_file(table) if file_format == "xlsx" else csv_lines(table)


def export_errors(change_set: ChangeSet, *, context: Context) -> Iterator[str]:
    """The refused lines with all that is wrong with each; written down as well. Raises PermissionDenied."""
    require_right_to(context.actor, Right.EXPORT, change_set)
    refused = change_set.counts.get("refused", 0)
    detail = {"contacts": refused, "format": "csv", "title": change_set.title, "refused_lines": True}
    record(Action.CONTACTS_EXPORTED, context, change_set_id=change_set.pk, detail=detail)
    return csv_lines(error_rows(change_set))


def report_rows(change_set: ChangeSet) -> Iterator[tuple[str, ...]]:
    """One row for each line, in the order of the lines."""
    return map(row_of, _planned(change_set))


def row_of(row: PlannedChange) -> tuple[str, ...]:
    """One line of the report."""
    shown, wanted = ShownRow(row), row.wanted or {}
    return (
        str(row.line),
        row.account_text,
        row.account.name if row.account else "",
        row.contact_type,
        row.verdict,
        result_of(row),
        shown.why,
        row.before.get("status", ""),
        *(row.before.get(field, "") for field in FIELDS),
        *(wanted.get(field, "") for field in FIELDS),
        " ".join([*shown.problems, *row.remarks]),
        row.change.aws_request_id if row.change else "",
        _time(row.change.finished_at if row.change else None),
        _time(row.observed_at),
    )


def result_of(row: PlannedChange) -> str:
    """What became of a row, in one word."""
    if row.change:
        return row.change.status
    if row.is_left_out:
        return "left_out"
    return row.outcome or (Verdict.REFUSED if row.verdict == Verdict.REFUSED else "not_sent")


def _planned(change_set: ChangeSet) -> Iterator[PlannedChange]:
    """In pieces: no cursor stays open for as long as somebody downloads."""
    rows = change_set.rows.order_by("line").select_related("account", "change")
    line = 0
    while piece := list(rows.filter(line__gt=line)[:CHUNK]):
        yield from piece
        line = piece[-1].line


def _json_lines(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A list with one object a line."""
    start = "[\n"
    for row in rows:
        yield start + json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False)
        start = ",\n"
    yield "[]\n" if start == "[\n" else "\n]\n"


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
