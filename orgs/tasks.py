"""Discovery and preflight in the background; what is due stands in the organizations' rows."""

import logging
from contextlib import suppress

from celery import shared_task

from audit.context import worker_context
from orgs.discovery import AlreadyRunning, discover
from orgs.models import Organization
from orgs.preflight import run_checks
from orgs.waking import wake_discovery
from portal.aws import AwsError

logger = logging.getLogger(__name__)


@shared_task(name="orgs.discover_organizations")
def discover_organizations() -> None:
    """Send a discovery for every organization that is due."""
    for organization in Organization.objects.due():
        wake_discovery(organization)


@shared_task(name="orgs.discover_organization")
def discover_organization(organization_pk: int) -> None:
    """Discover one organization; does nothing while another process is at it."""
    organization = Organization.objects.filter(pk=organization_pk).first()
    if organization is None:
        return
    with suppress(AlreadyRunning, AwsError):  # discover() wrote the cause into the row and the log
        discover(organization, context=worker_context())


@shared_task(name="orgs.run_preflight")
def run_preflight(organization_pk: int) -> None:
    """Run the preflight checks of one organization and keep what they found."""
    organization = Organization.objects.filter(pk=organization_pk).first()
    if organization is not None:
        run_checks(organization)
