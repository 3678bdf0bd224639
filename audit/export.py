"""Events as a CSV file that streams: any number of them, in flat memory."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from audit.context import Context
from audit.log import record
from audit.models import Action, AuditEvent
from audit.queries import AuditEventQuerySet
from portal.spreadsheets import csv_lines

CHUNK = 1000
COLUMNS = tuple(field.attname for field in AuditEvent._meta.concrete_fields)
SEAL_COLUMNS = ("seq", "previous_hash", "hash")


def export_events(
    events: AuditEventQuerySet, *, filters: Mapping[str, Any], context: Context
) -> Iterator[str]:
    """The lines of the file, newest event first. The export is written down before its first line."""
    detail = {"events": events.count(), "filters": dict(filters)}
    export = record(Action.AUDIT_EXPORTED, context, detail=detail)
    return csv_lines(rows(events.filter(pk__lt=export.pk)))


def rows(events: AuditEventQuerySet) -> Iterator[list[Any]]:
    """A head, then one row for each event: all its columns, and its seal."""
    yield [*COLUMNS, *SEAL_COLUMNS]
    for event in _newest_first(events):
        yield [_cell(getattr(event, name)) for name in COLUMNS] + _seal_of(event)


def _newest_first(events: AuditEventQuerySet) -> Iterator[AuditEvent]:
    """In pages by id: no cursor and no transaction stays open for as long as somebody downloads."""
    last = None
    while page := events.select_related("seal").page(older_than=last, size=CHUNK).events:
        yield from page
        last = page[-1].pk


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _seal_of(event: AuditEvent) -> list[Any]:
    seal = getattr(event, "seal", None)
    return [getattr(seal, name, "") for name in SEAL_COLUMNS]
