"""Events as a file that streams: any number of them, in flat memory, with their seals.

CSV is for people and spreadsheets. JSON Lines holds each event byte for byte as it was sealed, so that
anybody can verify the file without the portal: docs/verify_audit_export.py.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from audit.canonical import texts_of
from audit.context import Context
from audit.log import record
from audit.models import Action, AuditEvent, AuditSeal
from audit.queries import AuditEventQuerySet
from portal.spreadsheets import csv_lines

CHUNK = 1000
COLUMNS = tuple(field.attname for field in AuditEvent._meta.concrete_fields)
SEAL_COLUMNS = ("seq", "previous_hash", "hash")
UNSEALED = (None, None, None)


def export_events(
    events: AuditEventQuerySet, *, filters: Mapping[str, Any], context: Context, file_format: str = "csv"
) -> Iterator[str]:
    """The lines of the file, newest event first. The export is written down before its first line."""
    detail = {"events": events.count(), "filters": dict(filters), "format": file_format}
    export = record(Action.AUDIT_EXPORTED, context, detail=detail)
    return FORMATS[file_format](events.filter(pk__lt=export.pk))


def json_lines(events: AuditEventQuerySet) -> Iterator[str]:
    """One line for each event: its seal, then the very text that was sealed."""
    for page in _pages(events.only("pk")):
        pks = [event.pk for event in page]
        texts, seals = texts_of(pks), _seals_of(pks)
        for pk in pks:
            seal = zip(SEAL_COLUMNS, seals.get(pk, UNSEALED), strict=True)
            facts = [f'"{name}":{json.dumps(value)}' for name, value in seal]
            yield f'{{{",".join(facts)},"event":{texts[pk].decode()}}}\n'


def rows(events: AuditEventQuerySet) -> Iterator[list[Any]]:
    """A head, then one row for each event: all its columns, and its seal."""
    yield [*COLUMNS, *SEAL_COLUMNS]
    for event in chain.from_iterable(_pages(events.select_related("seal"))):
        yield [_cell(getattr(event, name)) for name in COLUMNS] + _seal_of(event)


def _pages(events: AuditEventQuerySet) -> Iterator[list[AuditEvent]]:
    """Newest first, by id: no cursor and no transaction stays open for as long as somebody downloads."""
    last = None
    while page := events.page(older_than=last, size=CHUNK).events:
        yield page
        last = page[-1].pk


def _seals_of(pks: list[int]) -> dict[int, Sequence[Any]]:
    seals = AuditSeal.objects.filter(event__in=pks).order_by()
    return {pk: seal for pk, *seal in seals.values_list("event_id", *SEAL_COLUMNS)}


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _seal_of(event: AuditEvent) -> list[Any]:
    seal = getattr(event, "seal", None)
    return [getattr(seal, name, "") for name in SEAL_COLUMNS]


FORMATS: dict[str, Callable[[AuditEventQuerySet], Iterator[str]]] = {
    "csv": lambda events: csv_lines(rows(events)),
    "jsonl": json_lines,
}
