"""What the pages of organizations show: counts, reading, obstacles; a few queries for all of them."""

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from orgs.checks import Status
from orgs.models import Account, Organization, OrganizationalUnit
from orgs.quota_use import QuotaUse, quota_use
from orgs.reading import reading_of
from orgs.waking import DISCOVERY, PREFLIGHT, is_awaited
from portal.causes import Cause


def summaries(organizations: QuerySet[Organization]) -> list[dict[str, Any]]:
    """One row for each organization: how many accounts and units, and what stands in the way."""
    rows = organizations.annotate(
        account_count=_number_of(Account.objects.filter(left_at=None)),
        unit_count=_number_of(OrganizationalUnit.objects.all()),
    )
    return [{"organization": row, "trouble": trouble_of(row), "state": state_of(row)} for row in rows]


def _number_of(rows: QuerySet) -> Coalesce:
    """How many of these an organization has. Joining two kinds would multiply them with each other."""
    of_one = rows.filter(organization=OuterRef("pk")).order_by().values("organization")
    return Coalesce(Subquery(of_one.annotate(number=Count("pk")).values("number")), 0)


def trouble_of(organization: Organization) -> Cause | None:
    """What keeps us from reading it: the last discovery's failure, else what AWS said of our standing."""
    return Cause(organization.problem) if organization.problem else organization.obstacle


def state_of(organization: Organization) -> str:
    """The state of the whole organization, as a key for the pages' looks."""
    if organization.observed_at is None and not organization.problem:
        return "queued"
    if trouble_of(organization):
        return "failing"
    failing = any(check["status"] == Status.FAILING for check in organization.checks)
    return "warning" if failing else "ok"


def _discovery_state(organization: Organization) -> str:
    if organization.problem:
        return "failing"
    return "ok" if organization.observed_at else "queued"


def live_part_of(organization: Organization) -> dict[str, Any]:
    """What of the page changes while a worker checks or discovers."""
    is_checking = is_awaited(PREFLIGHT, organization)
    is_discovering = is_awaited(DISCOVERY, organization)
    return {
        "organization": organization,
        "trouble": trouble_of(organization),
        "discovery": _discovery_state(organization),
        "account_count": organization.accounts.filter(left_at=None).count(),
        "unit_count": organization.units.count(),
        "is_checking": is_checking,
        "is_discovering": is_discovering,
        "is_moving": is_checking or is_discovering,
    }


def reading_part_of(organization: Organization) -> dict[str, Any]:
    """What of the page changes while contacts are read: how far it is, and the quota in use."""
    return {
        "organization": organization,
        "reading": reading_of(organization),
        "quota": quota_of(organization),
    }


def quota_of(organization: Organization) -> QuotaUse:
    """The quota in use by the credentials of this organization."""
    return quota_use([organization])
