"""Brings our accounts and units in line with AWS, and says in the audit what changed there."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from redis import Redis
from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs import merging
from orgs.access import Right, require_in
from orgs.connecting import update_view
from orgs.models import Organization
from orgs.pace import pace
from orgs.scanning import Scan, Seen, scan
from orgs.waking import DISCOVERY, send
from portal import quota
from portal.aws import AwsError, Throttled, Unavailable
from portal.aws_organizations import Take
from portal.causes import Cause

logger = logging.getLogger(__name__)

# Renewed with every page; a process that dies keeps others waiting no longer than this.
LOCK_SECONDS = 180


class AlreadyRunning(Exception):
    """Another process discovers this organization at this moment."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a discovery found and changed."""

    accounts: int
    units: int
    joined: int = 0
    moved: int = 0
    left: int = 0
    changed: int = 0

    def __str__(self) -> str:
        return (
            f"{self.accounts:,} accounts in {self.units:,} units; "
            f"{self.joined:,} joined, {self.moved:,} moved, {self.left:,} left, {self.changed:,} changed"
        )


def discover(
    organization: Organization,
    *,
    context: Context,
    lane: int = quota.Lane.ROLLING,
    seen: Seen = lambda count: None,
) -> Findings:
    """Read the organization from AWS and take over what changed; seen(n) hears of n more accounts.

    Raises AlreadyRunning, and AwsError: then nothing changed but organization.problem.
    """
    require_in(context, Right.CONNECT)
    with _alone(organization) as lock:
        take = _renewing(pace(organization.caller, lane=lane, organization_id=organization.aws_id), lock)
        found = _scan(organization, take, seen)
        return _take_over(organization, found, context)


def request_discovery(organization: Organization, *, context: Context) -> None:
    """Have a worker discover it soon, because a person asked; raises PermissionDenied and Unavailable."""
    require_in(context, Right.CONNECT)
    send(DISCOVERY, organization)
    record(Action.DISCOVERY_REQUESTED, context, organization_id=organization.aws_id)


def _scan(organization: Organization, take: Take, seen: Seen) -> Scan:
    _save(organization, tried_at=timezone.now())
    try:
        return scan(organization, take, seen)
    except AwsError as error:
        if isinstance(error, Throttled):
            quota.slow_down(organization.caller.key, error.operation)
        _save(organization, problem=error.cause)
        logger.warning("discovery of %s failed: %s %s", organization.aws_id, error, error.aws_request_id)
        raise


def _take_over(organization: Organization, found: Scan, context: Context) -> Findings:
    update_view(organization, found.view, context)
    units = merging.merge_units(organization, found.units.values())
    counts: Counter[str] = Counter()  # the events themselves are many, and written already
    for chunk in merging.chunks(list(found.accounts.values())):
        counts.update(merging.merge_accounts(organization, chunk, units, context))
    if found.is_full:
        counts.update(merging.count_missing(organization, set(found.accounts), context))
        merging.drop_missing_units(organization, set(found.units))
    _save(organization, observed_at=timezone.now(), problem="")
    findings = _findings(found, counts)
    logger.info("discovery of %s: %s", organization.aws_id, findings)
    return findings


def _findings(found: Scan, counts: Counter[str]) -> Findings:
    return Findings(
        accounts=len(found.accounts),
        units=len(found.units),
        joined=counts[Action.ACCOUNT_JOINED],
        moved=counts[Action.ACCOUNT_MOVED],
        left=counts[Action.ACCOUNT_LEFT],
        changed=counts[Action.ACCOUNT_STATE_CHANGED] + counts[Action.ACCOUNT_RENAMED],
    )


def _save(organization: Organization, **values: object) -> None:
    for name, value in values.items():
        setattr(organization, name, value)
    organization.save(update_fields=list(values))


@contextmanager
def _alone(organization: Organization) -> Iterator[Lock]:
    """One discovery at a time for each organization, over all processes."""
    with Redis.from_url(settings.REDIS_URL) as client:
        # Two threads renew it: one lists accounts, one lists units.
        lock = client.lock(f"discovery:{organization.aws_id}", timeout=LOCK_SECONDS, thread_local=False)
        try:
            is_ours = lock.acquire(blocking=False)
        except RedisError as error:
            raise Unavailable(Cause.NO_QUOTA) from error
        if not is_ours:
            raise AlreadyRunning(f"{organization} is being discovered by another process.")
        try:
            yield lock
        finally:
            with suppress(LockError, RedisError):  # expired or gone with Redis: nobody waits for it
                lock.release()


def _renewing(take: Take, lock: Lock) -> Take:
    def take_and_renew(operation: str) -> None:
        take(operation)
        try:
            lock.reacquire()
        except (LockError, RedisError) as error:
            raise Unavailable(Cause.NO_QUOTA, operation=operation) from error

    return take_and_renew
