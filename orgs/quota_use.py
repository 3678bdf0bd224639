"""How much of AWS's quota is in use, for the pages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings

from orgs.models import Organization
from portal.causes import Cause
from portal.quota import Lane, QuotaUnavailable, Usage, usage

WORDS = {
    "GetAlternateContact": "Read contacts",
    "PutAlternateContact": "Set contacts",
    "DeleteAlternateContact": "Delete contacts",
}
LANES = {
    Lane.PERSON: "people's edits",
    Lane.CHECK: "checks",
    Lane.BULK: "bulk changes",
    Lane.ROLLING: "rolling read",
}
NEAR = 0.9  # of the limit: the bar is warm from here on


@dataclass(frozen=True)
class QuotaRow:
    """One operation: calls a second in the last minute, what we allow ourselves, and who waits."""

    label: str
    used: str
    limit: str
    is_near: bool
    throttled: int
    is_lowered: bool
    waiting: str


@dataclass(frozen=True)
class QuotaUse:
    """The rows, the share of AWS's quota that we keep to in percent, or why nothing can be said."""

    rows: list[QuotaRow]
    share: int
    problem: Cause | None = None

    @property
    def is_lowered(self) -> bool:
        return any(row.is_lowered for row in self.rows)


def quota_use(organizations: Iterable[Organization]) -> QuotaUse:
    """The quota in use by the accounts whose credentials read these organizations."""
    share = round(settings.AWS_QUOTA_SHARE * 100)
    callers = {organization.caller.key: str(organization) for organization in organizations}
    try:
        rows = [
            _row(one, whose if len(callers) > 1 else "")
            for key, whose in callers.items()
            for one in usage(key)
        ]
    except QuotaUnavailable as error:
        return QuotaUse([], share, error.cause)
    return QuotaUse(rows, share)


def _row(one: Usage, whose: str) -> QuotaRow:
    used = one.used_last_minute / 60
    label = WORDS.get(one.operation, one.operation)
    return QuotaRow(
        label=f"{label}, {whose}" if whose else label,
        used=f"{used:.1f}",
        limit=f"{one.rate:.1f}",
        is_near=used >= NEAR * one.rate,
        throttled=one.throttled_lately,
        is_lowered=one.lowered,
        waiting=", ".join(_waiters(one)),
    )


def _waiters(one: Usage) -> Iterator[str]:
    for lane, number in one.waiting_by_lane.items():
        if number:
            yield f"{LANES[lane]} {number}"
