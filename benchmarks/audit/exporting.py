"""Exports the newest events: `python -m benchmarks.audit.exporting FORMAT EVENTS`; prints JSON.

FORMAT is csv or jsonl, as the door has them, or bare: COPY of the same rows. The memory is the peak of this
whole process, Django included.
"""

import json
import resource
import sys
import time
from collections.abc import Iterable

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the set-up

from audit.context import Context, Source  # noqa: E402
from audit.export import export_events  # noqa: E402
from audit.models import AuditEvent  # noqa: E402
from audit.queries import EventFilters  # noqa: E402
from benchmarks.audit.names import AUDITOR  # noqa: E402
from portal.models import User  # noqa: E402


def main() -> None:
    """From the first question to the last line, which nobody keeps."""
    file_format, wanted = sys.argv[1], int(sys.argv[2])
    newest = AuditEvent.objects.order_by("-pk")
    since = newest.values_list("at", flat=True)[wanted - 1]
    started = time.perf_counter()
    lines = _bare(since) if file_format == "bare" else _export(since, file_format)
    count, size = 0, 0
    for line in lines:
        count, size = count + 1, size + len(line)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "lines": count, "mib": size / 2**20, "peak_mib": peak}))


def _export(since: object, file_format: str) -> Iterable[str]:
    context = Context(actor=User.objects.get(username=AUDITOR), source=Source.PAGE)
    events = AuditEvent.objects.matching(EventFilters(since=since))
    return export_events(events, filters={}, context=context, file_format=file_format)


def _bare(since: object) -> Iterable[memoryview]:
    connection.ensure_connection()
    rows = "SELECT * FROM audit_auditevent WHERE at >= %s ORDER BY id DESC"
    with connection.connection.cursor() as cursor, cursor.copy(f"COPY ({rows}) TO STDOUT", [since]) as copied:
        yield from copied


if __name__ == "__main__":
    main()
