"""Years of a company's audit, made up event by event: what a bank with 17,000 accounts would have."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from audit.models import Action
from benchmarks.audit.names import FREQUENT, RARE, RARE_ACTOR

Facts = dict[str, Any]  # the columns of an event but id and at, JSON as text; what is missing is empty

TYPES = ("BILLING", "OPERATIONS", "SECURITY")
TEAMS = (
    FREQUENT,
    "Cloud Operations",
    "Accounts Payable",
    "Network Duty",
    "Data Platform",
    "Payments On-call",
)
TITLES = ("Duty officer", "Team", "Head of operations", "Billing desk", "On-call engineer")
REASONS = (
    "The duty rota moves to the security desk.",
    "The old mailbox closes at the end of the month.",
    "The team was renamed after the merger.",
    "Yearly check of all contacts.",
    "The phone number of the desk changed.",
    "Accounts were handed over to another team.",
    "Wrong address found in the last review.",
    "Requested by the owner of the account.",
)
ABSENT = '{"status": "absent"}'
VALUES = 6_000
CHUNK = 250  # wishes of one transaction
RARE_FROM = 0.2  # of the way through the years


@dataclass
class Company:
    """Where it happens, and who does it."""

    places: Sequence[Facts]  # organization_id, unit_path and account_id of each account
    people: Sequence[Facts]  # actor_id and actor_label
    chance: random.Random = field(default_factory=lambda: random.Random(20_261_124))
    changes: Iterator[int] = field(default_factory=lambda: count(1))
    sets: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.values = [_text(_value(number)) for number in range(VALUES)]
        rare = {"name": RARE_ACTOR, "email": f"imogen.{RARE.lower()}@northwind.example"}
        self.rare = _text(_value(0) | rare)

    def happenings(self, total: int) -> Iterator[Facts]:
        """So many events in the order of their time; what is rare happens in the second of five years."""
        events = self._endless()
        for number in range(total):
            if number == int(total * RARE_FROM):
                yield from self._rare()
            yield next(events)

    def _endless(self) -> Iterator[Facts]:
        for place in self.places:
            contacts = ", ".join(f'"{kind}": {self._some_value()}' for kind in TYPES)
            yield {"action": Action.CONTACT_BASELINE, "source": "worker", "after": f"{{{contacts}}}", **place}
        # Most events belong to the few large change sets.
        ways: Sequence[Callable[[], Iterator[Facts]]] = (
            self._change_set,
            self._edit,
            self._visit,
            self._drift,
            self._read,
        )
        while True:
            (way,) = self.chance.choices(ways, weights=(1, 60, 90, 8, 8))
            yield from way()

    def _change_set(self) -> Iterator[Facts]:
        author, approver = self.chance.sample(self.people, 2)
        number, size = next(self.sets), int(self.chance.triangular(50, 3_000, 300))
        why = {"reason": self.chance.choice(REASONS), "ticket": f"CHG-{number:05d}"}
        by = author | {"source": self._door(), "request_id": self._id()} | why
        whole = {"change_set_id": number, "detail": _text({"changes": size})}
        yield {"action": Action.SET_SUBMITTED, **by, **whole}
        yield {"action": Action.SET_APPROVED, **approver, "source": "page", "request_id": self._id(), **whole}
        wanted, kind = self._some_value(), self.chance.choice(TYPES)
        for start in range(0, size, CHUNK):
            places = self.chance.sample(self.places, min(CHUNK, size - start))
            wishes = [self._wish(by | place, kind, wanted, change_set_id=number) for place in places]
            yield from wishes
            yield from (self._outcome(wish) for wish in wishes)
        yield {"action": Action.SET_FINISHED, "source": "worker", **why, **whole}

    def _edit(self) -> Iterator[Facts]:
        by = self.chance.choice(self.people) | {"source": self._door(), "request_id": self._id()}
        by |= {"reason": self.chance.choice(REASONS), "ticket": f"INC-{self.chance.randrange(10**6):06d}"}
        place = self.chance.choice(self.places)
        wish = self._wish(by | place, self.chance.choice(TYPES), self._some_value())
        yield wish
        yield self._outcome(wish)

    def _visit(self) -> Iterator[Facts]:
        person = self.chance.choice(self.people)
        visit = person | {"source": "page", "ip": f"192.0.2.{self.chance.randrange(1, 255)}"}
        detail = _text({"user_id": person["actor_id"], "user": person["actor_label"]})
        for action in (Action.SIGNED_IN, Action.SIGNED_OUT):
            yield {"action": action, **visit, "request_id": self._id(), "detail": detail}

    def _drift(self) -> Iterator[Facts]:
        place, kind = self.chance.choice(self.places), self.chance.choice(TYPES)
        found = {"contact_type": kind, "before": self._some_value(), "after": self._some_value(), **place}
        yield {"action": Action.CONTACT_DRIFT, "source": "worker", **found}
        action = self.chance.choice((Action.DRIFT_ADOPTED, Action.DRIFT_IGNORED))
        by = self.chance.choice(self.people) | {"source": "page", "request_id": self._id()}
        yield {"action": action, **found, **by, "reason": self.chance.choice(REASONS)}

    def _read(self) -> Iterator[Facts]:
        action = self.chance.choice(
            (Action.CONTACTS_CHECKED, Action.CONTACTS_EXPORTED, Action.ACCESS_REFUSED)
        )
        by = self.chance.choice(self.people) | {"source": "page", "request_id": self._id()}
        yield {"action": action, **by, "detail": _text({"rows": self.chance.randrange(17_000)})}

    def _rare(self) -> Iterator[Facts]:
        """Somebody who came for a week, has no account any more, and made herself a contact."""
        by = {"actor_label": RARE_ACTOR, "source": "page", "reason": "A stand-in for two weeks."}
        for place in self.places[100:106]:
            wish = self._wish(by | place | {"request_id": self._id()}, "SECURITY", self.rare)
            yield wish
            yield self._outcome(wish)

    def _wish(self, by: Facts, kind: str, wanted: str, **facts: Any) -> Facts:
        before = ABSENT if self.chance.random() < 0.1 else self._some_value()
        asked = {"contact_type": kind, "change_id": next(self.changes), "before": before, "after": wanted}
        return {"action": Action.CHANGE_REQUESTED, **by, **asked, **facts}

    def _outcome(self, wish: Facts) -> Facts:
        how = wish | {"source": "worker", "aws_request_id": self._id(), "ip": None}
        how_likely = self.chance.random()
        if how_likely < 0.01:
            return how | {"action": Action.CHANGE_FAILED, "detail": _text({"cause": "access_denied"})}
        if how_likely < 0.02:
            return how | {"action": Action.CHANGE_CONFLICT, "detail": f'{{"found": {self._some_value()}}}'}
        if how_likely < 0.1:
            return how | {"action": Action.CHANGE_UNCHANGED}
        return how | {"action": Action.CHANGE_APPLIED}

    def _door(self) -> str:
        return "command" if self.chance.random() < 0.02 else "page"

    def _some_value(self) -> str:
        return self.values[int(self.chance.random() * VALUES)]

    def _id(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"


def _value(number: int) -> Facts:
    return {
        "status": "set",
        "name": f"{TEAMS[number % len(TEAMS)]} {number // len(TEAMS)}",
        "title": TITLES[number % len(TITLES)],
        "email": f"desk-{number}@northwind.example",
        "phone": f"+44 20 7946 {number % 10_000:04d}",
    }


def _text(value: Facts) -> str:
    return json.dumps(value, ensure_ascii=False)
