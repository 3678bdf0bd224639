"""Working hours: on which days, from when to when, and in which zone."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FORM = re.compile(r"(?P<days>\S+) (?P<begin>\d\d:\d\d)-(?P<end>\d\d:\d\d)(?: (?P<zone>\S+))?")


@dataclass(frozen=True)
class WorkingHours:
    """Days as ISO numbers, Monday is 1; the end is no longer part."""

    text: str
    days: frozenset[int]
    begin: time
    end: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> "WorkingHours":
        """“Mon-Fri 07:00-19:00 Europe/London”; without a zone it is UTC. Raises ValueError."""
        match = FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"“{text}” has another form.")
        begin, end = time.fromisoformat(match["begin"]), time.fromisoformat(match["end"])
        if begin >= end:
            raise ValueError("The end comes before the beginning.")
        return cls(text, frozenset(_days(match["days"])), begin, end, ZoneInfo(match["zone"] or "UTC"))

    def contains(self, moment: datetime) -> bool:
        """Whether somebody is expected to work then."""
        local = moment.astimezone(self.zone)
        return local.isoweekday() in self.days and self.begin <= local.time() < self.end


def _days(text: str) -> set[int]:
    """“Mon-Fri”, “Sun,Tue-Thu”."""
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        span = range(_day(first), _day(last or first) + 1)
        if not span:
            raise ValueError(f"{last} does not come after {first} in a week.")
        days |= set(span)
    return days


def _day(name: str) -> int:
    return DAYS.index(name.capitalize()) + 1
