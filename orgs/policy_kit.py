"""What the policies of a connected organization are made from: its row, its units, what the checks saw."""

import hashlib
import hmac
from dataclasses import replace

from django.conf import settings

from orgs.models import Account, Organization
from orgs.policies import TYPES, Needs
from portal.aws_iam import entity_arn

PRINCIPAL, BASE = "principal", "base"  # what the check of the credentials found


def needs_of(
    organization: Organization,
    *,
    writes: bool = True,
    types: tuple[str, ...] = TYPES,
    units: tuple[str, ...] = (),
    principal: str = "",
) -> Needs:
    """What the portal needs in this organization; principal where the checks did not see who we are."""
    own = found_principal(organization, PRINCIPAL)
    base = found_principal(organization, BASE)
    return Needs(
        partition=organization.partition,
        organization_id=organization.aws_id,
        management_account_id=organization.management_account_id,
        caller_account_id=organization.caller_account_id,
        standing=organization.standing,
        principal=organization.role_arn or principal or own,
        base=principal or base or ("" if organization.role_arn else own),
        role_arn=organization.role_arn,
        management_role_arn=organization.management_role_arn,
        external_id=external_id_of(organization),
        writes=writes,
        types=types,
        units=units,
        management_in_units=_is_under(organization, units),
    )


def without_external_id(needs: Needs) -> Needs:
    """For people who need not know it; the trust policies are left out then."""
    return replace(needs, external_id="")


def found_principal(organization: Organization, which: str) -> str:
    """The IAM user or role that the last checks saw us as; "" where they saw none."""
    first = organization.checks[0] if organization.checks else {}
    return first.get("found", {}).get(which, "")


def external_id_of(organization: Organization) -> str:
    """The one that is connected, else one to choose: the same each time, and nobody's guess.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
    """
    if organization.external_id:
        return organization.external_id
    secret = settings.SECRET_KEY.encode()
    digest = hmac.new(secret, f"external-id:{organization.aws_id}".encode(), hashlib.sha256)
    return f"contacts-{digest.hexdigest()[:32]}"


def principal_behind(organization: Organization, identity_arn: str) -> str:
    """The IAM user or role behind an identity that STS named."""
    return entity_arn(identity_arn, organization.role_arn)


def _is_under(organization: Organization, units: tuple[str, ...]) -> bool:
    management = Account.objects.filter(aws_id=organization.management_account_id, organization=organization)
    path = management.values_list("unit__path", flat=True).first() or ""
    return not units or any(path.startswith(unit) for unit in units)
