"""Tells the workers to look: a hint, since beat finds by itself what is due."""

import logging
from contextlib import suppress

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from orgs.models import Organization
from portal.aws import Unavailable
from portal.causes import Cause

logger = logging.getLogger(__name__)

DISCOVERY, PREFLIGHT = "orgs.discover_organization", "orgs.run_preflight"
READING = "contacts.read_organization"  # by name alone: orgs does not know contacts
# A message that waited longer is not needed: beat has sent the next one.
EXPIRES_SECONDS = 300


def wake(task: str, organization: Organization) -> None:
    """Have a worker run this task for the organization soon; where Redis is away, beat sees to it later."""
    try:
        send(task, organization)
    except Unavailable:
        logger.warning("%s of %s was not sent: Redis does not answer", task, organization.aws_id)


def send(task: str, organization: Organization) -> None:
    """The same because a person asked, who must hear of it: raises Unavailable when Redis is away."""
    try:
        cache.set(_mark(task, organization.pk), True, timeout=EXPIRES_SECONDS)
        current_app.send_task(
            task, args=[organization.pk], queue="reading", expires=EXPIRES_SECONDS, retry=False
        )
    except (OperationalError, RedisError) as error:
        with suppress(RedisError):  # or the page would wait for what nobody does
            has_ended(task, organization.pk)
        raise Unavailable(Cause.NO_QUOTA) from error


def is_awaited(task: str, organization: Organization) -> bool:
    """Whether this was asked for and has not ended yet; without Redis nobody can tell, and nobody works."""
    try:
        return bool(cache.get(_mark(task, organization.pk)))
    except RedisError:
        return False


def has_ended(task: str, organization_pk: int) -> None:
    """The task ran, or found nothing to do."""
    cache.delete(_mark(task, organization_pk))


def _mark(task: str, organization_pk: int) -> str:
    return f"awaited:{task}:{organization_pk}"
