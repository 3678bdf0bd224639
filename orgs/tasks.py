"""Discovery and preflight in the background; what is due stands in the organizations' rows."""

from contextlib import suppress

from celery import shared_task

from audit.context import worker_context
from orgs.discovery import AlreadyRunning, discover
from orgs.models import Organization
from orgs.preflight import run_checks
from orgs.waking import DISCOVERY, PREFLIGHT, has_ended, wake
from portal.aws import AwsError


@shared_task(name="orgs.discover_organizations")
def discover_organizations() -> None:
    """Send a discovery for every organization that is due."""
    for organization in Organization.objects.due():
        wake(DISCOVERY, organization)


@shared_task(name=DISCOVERY)
def discover_organization(organization_pk: int) -> None:
    """Discover one organization, and examine one that never was; nothing while another process is at it."""
    try:
        organization = Organization.objects.filter(pk=organization_pk).first()
        if organization is None:
            return
        with suppress(AlreadyRunning, AwsError):  # discover() wrote the cause into the row and the log
            discover(organization, context=worker_context())
        if organization.checked_at is None:
            run_checks(organization)
    finally:
        has_ended(DISCOVERY, organization_pk)


@shared_task(name=PREFLIGHT)
def run_preflight(organization_pk: int) -> None:
    """Run the preflight checks of one organization and keep what they found."""
    try:
        organization = Organization.objects.filter(pk=organization_pk).first()
        if organization is not None:
            run_checks(organization)
    finally:
        has_ended(PREFLIGHT, organization_pk)
