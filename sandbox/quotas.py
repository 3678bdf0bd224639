"""The published quotas as token buckets, full at start and refilled without a break."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Limit = tuple[float, float]  # tokens a second, burst

# https://docs.aws.amazon.com/accounts/latest/reference/quotas.html and its twin at docs.amazonaws.cn
ACCOUNT_LIMITS: dict[str, Limit] = {
    "GetAlternateContact": (10, 15),
    "PutAlternateContact": (5, 8),
    "DeleteAlternateContact": (1, 6),
}
CHINA_ACCOUNT_LIMITS: dict[str, Limit] = {
    "GetAlternateContact": (3, 5),
    "PutAlternateContact": (1, 6),
    "DeleteAlternateContact": (1, 6),
}
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html#throttling-limits
# Operation: limit per caller account, limit per organization
ORGANIZATION_LIMITS: dict[str, tuple[Limit, Limit | None]] = {
    "ListAccounts": ((8, 12), (9, 15)),
    "DescribeAccount": ((20, 30), (24, 36)),
    "ListChildren": ((6, 10), (7, 12)),
    "ListParents": ((5, 8), (6, 10)),
    "ListAccountsForParent": ((5, 8), (6, 10)),
    "ListOrganizationalUnitsForParent": ((5, 8), (6, 10)),
    "ListRoots": ((1, 2), (1, 3)),
    "DescribeOrganization": ((1, 2), None),
    "DescribeOrganizationalUnit": ((2, 2), (2, 3)),
    "ListTagsForResource": ((10, 15), (12, 18)),
    "ListAWSServiceAccessForOrganization": ((1, 3), (1, 4)),
    "ListDelegatedServicesForAccount": ((1, 3), (1, 4)),
    "ListDelegatedAdministrators": ((5, 8), (6, 10)),
    "EnableAWSServiceAccess": ((1, 2), None),
    "RegisterDelegatedAdministrator": ((1, 2), None),
    "MoveAccount": ((2, 3), None),
    "CloseAccount": ((0.05, 1), None),
}


@dataclass(slots=True)
class Bucket:
    rate: float
    burst: float
    tokens: float
    at: float

    def refill(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now


class Buckets:
    """All buckets of a world; `scale` multiplies rates and bursts, 0 switches them off."""

    def __init__(self, scale: float = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._scale = scale

    def fill(self, scale: float) -> None:
        """Start again with full buckets of this scale."""
        with self._lock:
            self._scale = scale
            self._buckets.clear()

    def take(self, operation: str, limits: dict[str, Limit]) -> bool:
        """Take one token from the bucket of every holder, or none where one of them is empty."""
        if not self._scale:
            return True
        with self._lock:
            buckets = [self._bucket(holder, operation, limit) for holder, limit in limits.items()]
            if any(bucket.tokens < 1 for bucket in buckets):
                return False
            for bucket in buckets:
                bucket.tokens -= 1
            return True

    def _bucket(self, holder: str, operation: str, limit: Limit) -> Bucket:
        rate, burst = limit[0] * self._scale, max(1, limit[1] * self._scale)
        now = self._clock()
        bucket = self._buckets.setdefault((holder, operation), Bucket(rate, burst, burst, now))
        bucket.refill(now)
        return bucket


def account_limits(partition: str, operation: str, caller_id: str) -> dict[str, Limit]:
    """Give the one bucket of an Account Management call: it belongs to the caller, not to the target."""
    table = CHINA_ACCOUNT_LIMITS if partition == "aws-cn" else ACCOUNT_LIMITS
    return {caller_id: table[operation]}


def organization_limits(operation: str, caller_id: str, organization_id: str) -> dict[str, Limit]:
    """Give the buckets of an Organizations call: the caller's, and for most calls the organization's."""
    per_caller, per_organization = ORGANIZATION_LIMITS.get(operation, (None, None))
    limits = {caller_id: per_caller, organization_id: per_organization}
    return {holder: limit for holder, limit in limits.items() if limit}
