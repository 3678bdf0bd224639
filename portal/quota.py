"""The pace: one token for each call to AWS, from buckets in Redis that all processes share, in lanes."""

import contextlib
import functools
import logging
import random
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import models
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from portal.aws_errors import Unavailable
from portal.causes import Cause
from portal.published_quotas import (
    CONTACT_OPERATIONS,
    Quota,
    bucket_of,
    quota_per_organization,
    quotas_per_account,
)

logger = logging.getLogger(__name__)

# A third of AWS's burst stays unused: calls bunch up on the way, and AWS must still have a token for each.
BURST_SHARE = 2 / 3
# Two clocks that both say "a second" differ a little; without this a long run at full rate ends in a 429.
RATE_SHARE = 0.995
# A token that reaches a busy process later than this is not used: many that are used late would be a burst.
STALE = 0.5  # seconds
_TAKEN, _NO_HOPE = 1, -1  # verdicts of quota.lua


class Lane(models.IntegerChoices):
    """Who goes first at the quota; the smaller number. Only a person may reserve a token of the future."""

    PERSON = 0, "A person's edit"
    CHECK = 1, "Check now"
    BULK = 2, "Bulk"
    ROLLING = 3, "Rolling read"


class NoToken(Exception):
    """No token within the time given; one may be free in retry_after seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"no quota token for about {retry_after:.1f} seconds")
        self.retry_after = retry_after


class QuotaUnavailable(Unavailable):
    """Redis does not answer, so no call is made: its cause is Cause.NO_QUOTA."""

    def __init__(self) -> None:
        super().__init__(Cause.NO_QUOTA)


@dataclass(frozen=True)
class Usage:
    """How one bucket of a caller stands: rate is what it gives now, lowered says that a 429 is the reason.

    used_last_minute is counted over one minute, throttled_lately (429s) over ten.
    """

    operation: str
    rate: float
    used_last_minute: int
    throttled_lately: int
    lowered: bool
    waiting_by_lane: dict[Lane, int]


@dataclass(frozen=True)
class _Bucket:
    key: str
    quota: Quota


def take(
    caller_key: str, operation: str, lane: int, *, organization_id: str = "", wait: float = 20.0
) -> None:
    """Return as soon as a token for one call is ours, at most wait seconds later.

    caller_key is Caller.key. Operations of AWS Organizations are also counted by organization_id.
    Raises NoToken when it would take longer, and QuotaUnavailable when Redis does not answer.
    """
    buckets = _buckets(caller_key, operation, organization_id)
    waiter, ends_at = uuid.uuid4().hex, time.monotonic() + wait
    while True:
        asked_at = time.monotonic()
        left = ends_at - asked_at
        verdict, text = _run("take", buckets, max(left, 0), random.random(), int(lane), waiter)  # noqa: S311
        seconds = float(text)
        if verdict == _NO_HOPE:
            raise NoToken(seconds)
        time.sleep(seconds if verdict == _TAKEN else max(0, min(seconds, left)))
        if verdict == _TAKEN and time.monotonic() - asked_at - seconds < STALE:
            return


def slow_down(caller_key: str, operation: str) -> None:
    """AWS answered 429: somebody else uses the quota too. Lowers the rate at once; it grows back."""
    logger.warning("AWS throttles %s of %s: slowing down", operation, caller_key)
    with contextlib.suppress(QuotaUnavailable):  # without Redis there is no next call to slow down
        _run("slow", _buckets(caller_key, operation))


def usage(caller_key: str) -> list[Usage]:
    """How the caller's buckets stand: those of contacts always, others while they are used."""
    found = [_usage(caller_key, operation) for operation in quotas_per_account(caller_key.partition(":")[0])]
    return [one for one in found if one.operation in CONTACT_OPERATIONS or _is_busy(one)]


def _usage(caller_key: str, operation: str) -> Usage:
    buckets = _buckets(caller_key, operation)
    rate, used, throttled, *waiting = _run("look", buckets)
    return Usage(
        operation=operation,
        rate=float(rate),
        used_last_minute=used,
        throttled_lately=throttled,
        lowered=float(rate) < buckets[0].quota.rate * 0.999,
        waiting_by_lane=dict(zip(Lane, waiting, strict=True)),
    )


def _is_busy(one: Usage) -> bool:
    return bool(one.used_last_minute or one.throttled_lately or any(one.waiting_by_lane.values()))


def _buckets(caller_key: str, operation: str, organization_id: str = "") -> list[_Bucket]:
    """The caller's bucket, and the organization's if it has one; {quota}: both in one slot of a cluster."""
    partition, name = caller_key.partition(":")[0], bucket_of(operation)
    buckets = [_Bucket(f"{{quota}}:{caller_key}:{name}", _ours(quotas_per_account(partition)[name]))]
    shared = quota_per_organization(name)
    if organization_id and shared:
        buckets.append(_Bucket(f"{{quota}}:{partition}:{organization_id}:{name}", _ours(shared)))
    return buckets


def _ours(published: Quota) -> Quota:
    share = settings.AWS_QUOTA_SHARE
    return Quota(published.rate * share * RATE_SHARE, max(1.0, published.burst * share * BURST_SHARE))


def _run(verb: str, buckets: list[_Bucket], *arguments: float | int | str) -> list:
    keys = [key for bucket in buckets for key in (bucket.key, _waiting(bucket))]
    limits = [limit for bucket in buckets for limit in bucket.quota]
    try:
        return _script(settings.REDIS_URL)(keys=keys, args=[verb, *arguments, *limits])
    except RedisError as error:
        logger.error("the quota cannot be asked: %s", type(error).__name__)
        raise QuotaUnavailable from error


def _waiting(bucket: _Bucket) -> str:
    return f"{bucket.key}:waiting"


@functools.cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1))


@functools.cache
def _script(url: str):
    return _redis(url).register_script(Path(__file__).with_name("quota.lua").read_text())
