"""Tells the workers to look: a hint, since beat finds by itself what is due."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

from orgs.models import Organization

logger = logging.getLogger(__name__)

# A message that waited longer is not needed: beat has sent the next one.
EXPIRES_SECONDS = 300


def wake_discovery(organization: Organization) -> None:
    """Have a worker discover the organization soon."""
    _send("orgs.discover_organization", organization)


def wake_preflight(organization: Organization) -> None:
    """Have a worker run the preflight checks soon."""
    _send("orgs.run_preflight", organization)


def _send(task: str, organization: Organization) -> None:
    try:
        current_app.send_task(
            task, args=[organization.pk], queue="reading", expires=EXPIRES_SECONDS, retry=False
        )
    except OperationalError:
        logger.warning("%s of %s was not sent: the broker does not answer", task, organization.aws_id)
