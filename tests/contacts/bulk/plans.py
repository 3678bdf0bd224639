"""Plans for tests: made as a door makes them, submitted, approved, and run as workers and beat do."""

import time
from dataclasses import asdict
from typing import Any

from audit.context import Context, Source
from contacts import change_sets
from contacts.bulk import run
from contacts.bulk.line import Line
from contacts.bulk.plan import make_plan
from contacts.delivery import sweep
from contacts.models import ChangeSet, Decision, SetKind
from orgs.models import Account
from portal.aws import ContactDetails
from tests.contacts.conftest import deliver_due

Wanted = tuple[Account, str, ContactDetails | None]


def by(person: Any, reason: str = "Duty rota moves.", source: Source = Source.PAGE) -> Context:
    return Context(actor=person, source=source, reason=reason)


def plan_for(person: Any, wanted: list[Wanted], kind: SetKind = SetKind.SET, **facts: Any) -> ChangeSet:
    """A plan with one line for each of these contacts."""
    lines = [
        Line(number, account.aws_id, contact_type, None if details is None else asdict(details))
        for number, (account, contact_type, details) in enumerate(wanted, start=1)
    ]
    return make_plan(lines, kind=kind, title="Rota", context=by(person), **facts)


def submit(change_set: ChangeSet, person: Any = None, **choices: Any) -> ChangeSet:
    """Its author, or this person, sends it on its way."""
    context = by(person or change_set.requested_by)
    return change_sets.submit(change_set, context=context, plan_hash=change_set.plan_hash, **choices)


def decide(
    change_set: ChangeSet, person: Any, decision: Decision = Decision.APPROVED, **facts: Any
) -> ChangeSet:
    usual = {"note": "Looks right.", "plan_hash": change_set.plan_hash, "context": by(person)}
    return change_sets.decide(change_set, decision, **(usual | facts))


def run_until_ended(change_set: ChangeSet, seconds: float = 20) -> ChangeSet:
    """Prepare, deliver and watch until the set is finished."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        run.advance(change_set.pk)
        sweep()
        deliver_due()
        run.watch()
        change_set.refresh_from_db()
        if not change_set.is_under_way:
            return change_set
        time.sleep(0.02)
    raise AssertionError(f"{change_set} did not end within {seconds} s")
