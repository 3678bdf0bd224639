"""Looks for events as the audit page does: `python -m benchmarks.audit.finding ROUNDS`; prints JSON.

Each look is asked for by the address that the page has for it. Beside it, the rows that it found are
selected by their primary keys alone.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the set-up
from django.http import QueryDict  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.utils.http import urlencode  # noqa: E402

from audit.models import Action, AuditEvent  # noqa: E402
from audit.queries import count_words  # noqa: E402
from benchmarks.audit.names import AUDITOR, EVERYWHERE, FREQUENT, NOWHERE, RARE, RARE_ACTOR  # noqa: E402
from contacts.event_filters import EventFilterForm  # noqa: E402
from contacts.finding import events_visible_to  # noqa: E402
from orgs.access import Right  # noqa: E402
from orgs.models import OrganizationalUnit  # noqa: E402
from portal.models import User  # noqa: E402

SIZE = 50  # events of a page, as people have it who chose no other
PAGE = "/audit/"
DAY = timedelta(days=1)


def main() -> None:
    """Every look; the first answer may come from the disk, the rest are warm."""
    user = User.objects.get(username=AUDITOR)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    found = [_look(name, address, user, client, int(sys.argv[1])) for name, address in looks().items()]
    print(json.dumps({"looks": found}))


def looks() -> dict[str, dict[str, Any]]:
    """What people look for, and how the address asks for it."""
    now = timezone.now()
    long_ago, lately = now - 800 * DAY, now - 7 * DAY
    month = {"since": f"{long_ago:%Y-%m-%d}", "until": f"{long_ago + 30 * DAY:%Y-%m-%d}"}
    unit = OrganizationalUnit.objects.order_by("pk")[7].aws_id
    middle = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() // 2
    applied = AuditEvent.objects.filter(change_set_id__isnull=False, action=Action.CHANGE_APPLIED)
    change = applied.filter(pk__gt=middle).earliest("pk")
    return {
        "everything": {},
        "everything, in the middle": {"older": middle},
        "one person": {"person": "p07"},
        "one person, in the middle": {"person": "p07", "older": middle},
        "a name without an account, long ago": {"by": RARE_ACTOR},
        "one account": {"account": change.account_id},
        "one unit": {"unit": unit},
        "one unit, in the middle": {"unit": unit, "older": middle},
        "one contact type": {"type": "SECURITY"},
        "conflicts": {"group": "conflict"},
        "conflicts, in the middle": {"group": "conflict", "older": middle},
        "changed outside": {"group": "drift"},
        "refused attempts": {"action": Action.ACCESS_REFUSED},
        "by command": {"source": "command"},
        "one change set": {"change_set": change.change_set_id},
        "one change": {"change": change.change_id},
        "one click": {"request": change.request_id},
        "the last week": {"since": f"{lately:%Y-%m-%d}"},
        "a month, long ago": month,
        "a month, a person and a type": month | {"person": "p07", "type": "BILLING"},
        "text in nearly every event": {"q": EVERYWHERE},
        "text in one of six events": {"q": FREQUENT},
        "text in one of six, in the middle": {"q": FREQUENT, "older": middle},
        "text in one of thirty": {"q": f"{FREQUENT} 9"},
        "text in one of three hundred": {"q": f"{FREQUENT} 97"},
        "text in a few, long ago": {"q": RARE},
        "text in none": {"q": NOWHERE},
        "an e-mail address": {"q": "desk-4711@northwind.example"},
        "a ticket": {"q": change.ticket},
        "words of a reason": {"q": "after the merger"},
        "an account id": {"q": change.account_id},
        "the beginning of AWS’s request id": {"q": change.aws_request_id[:12]},
        "text and a unit": {"q": FREQUENT, "unit": unit},
        "text and a month, long ago": {"q": FREQUENT} | month,
    }


def _look(name: str, address: dict[str, Any], user: User, client: Client, rounds: int) -> dict[str, Any]:
    filters = {key: value for key, value in address.items() if key != "older"}
    older = address.get("older")
    first, (pks, count) = timed(lambda: _find(filters, older, user))
    finding = [timed(lambda: _find(filters, older, user))[0] for _ in range(rounds)]
    bare = [timed(lambda: _select(pks))[0] for _ in range(rounds)]
    page = [timed(lambda: _open(client, address))[0] for _ in range(rounds)]
    return {
        "name": name,
        "found": count_words(count),
        "first": first,
        "finding": statistics.median(finding),
        "bare": statistics.median(bare),
        "page": statistics.median(page),
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _find(filters: dict[str, Any], older: int | None, user: User) -> tuple[list[int], int]:
    """The rows of one page, and how many there are: the two questions of the page."""
    form = EventFilterForm(QueryDict(urlencode(filters)), user=user)
    assert form.is_valid(), form.errors
    events = events_visible_to(user, Right.AUDIT).matching(form.filters())
    page = events.page(older_than=older, size=SIZE)
    return [event.pk for event in page.events], events.count_up_to()


def _select(pks: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_auditevent WHERE id = ANY(%s)", [pks])
        assert len(cursor.fetchall()) == len(pks)


def _open(client: Client, address: dict[str, Any]) -> None:
    answer = client.get(PAGE, address)
    assert answer.status_code == 200, answer.status_code


if __name__ == "__main__":
    main()
