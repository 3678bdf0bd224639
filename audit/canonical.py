"""An event as the bytes that are sealed: JSON as in RFC 8785, nulls left out. docs/audit.md has the format.

Left out, so that a column which is added later changes no old seal. Halves of a surrogate pair, which UTF-8
cannot hold, become escapes as in RFC 8785's JSON.stringify.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from django.db import models
from django.db.models import Func
from django.db.models.functions import Cast

from audit.models import AuditEvent

REMEMBERED = 8192  # JSON values: a bulk change gives thousands of events the same ones


def canonical(row: Mapping[str, Any]) -> bytes:
    """The bytes of these columns by name: numbers, texts, times and JSON."""
    facts = {name: value for name, value in row.items() if value is not None}
    return _encode(_CANONICAL.encode(facts))


def texts_of(event_ids: Sequence[int]) -> dict[int, bytes]:
    """The bytes of events as the database has them now, by id; what is not there is left out."""
    if not event_ids:
        return {}
    events = AuditEvent.objects.order_by()
    first, last = min(event_ids), max(event_ids)
    # Ids that lie close together are asked for as a range: naming each costs half the time of a verification.
    if last - first < 2 * len(event_ids):
        events = events.filter(pk__range=(first, last))
    else:
        events = events.filter(pk__in=event_ids)
    return {row[ID]: written(row) for row in events.values_list(*STORED)}


def written(row: Sequence[Any]) -> bytes:
    """canonical() of a row of STORED, in a third of its time: nothing is parsed that was seen before."""
    facts = [
        key + write(value)
        for key, write, value in zip(_KEYS, _WRITERS, row, strict=True)
        if value is not None
    ]
    return _encode(f"{{{','.join(facts)}}}")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _time(stored: str) -> str:
    """A time as both databases tell it, which leave zeros at the end out."""
    seconds, _, fraction = stored.partition(".")
    return f'"{seconds.replace(" ", "T")}.{fraction:0<6}Z"'


@lru_cache(maxsize=REMEMBERED)
def _tidy(text: str) -> str:
    """JSON as the database writes it, in canonical form; what somebody made no JSON of stays as it is."""
    with suppress(ValueError):
        return _CANONICAL.encode(json.loads(text))
    return text


_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_iso
)


class _Moment(Func):
    """A time as text in UTC: to parse it would cost more than to hash its event."""

    output_field = models.TextField()
    template = "CAST(%(expressions)s AS text)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Sequence[Any]]:
        template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        return self.as_sql(compiler, connection, template=template, **context)


def _stored(field: models.Field) -> Any:  # Any: what values_list() takes
    if isinstance(field, models.JSONField):
        return Cast(field.attname, models.TextField())
    return _Moment(field.attname) if isinstance(field, models.DateTimeField) else field.attname


def _writer(field: models.Field) -> Callable[[Any], str]:
    if isinstance(field, models.JSONField):
        return _tidy
    if isinstance(field, models.DateTimeField):
        return _time
    return str if isinstance(field, models.IntegerField) else encode_basestring


_FIELDS = sorted(AuditEvent._meta.concrete_fields, key=lambda field: field.attname)
_KEYS = [f'"{field.attname}":' for field in _FIELDS]
_WRITERS = [_writer(field) for field in _FIELDS]
# All columns in the order of their names: for values_list().
STORED = [_stored(field) for field in _FIELDS]
ID = [field.attname for field in _FIELDS].index("id")
