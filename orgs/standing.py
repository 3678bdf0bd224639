"""What AWS says about an organization and about us in it, in three calls."""

from dataclasses import dataclass

from orgs.models import Standing
from portal import aws_organizations
from portal.aws_facts import Caller, OrganizationFacts
from portal.aws_organizations import Take


@dataclass(frozen=True)
class View:
    """The organization as the caller sees it; trusted_access None: we may not ask."""

    facts: OrganizationFacts
    standing: Standing
    trusted_access: bool | None


def look(caller: Caller, take: Take) -> View | None:
    """The organization of the caller's account, or None when it is in none; raises AwsError."""
    facts = aws_organizations.describe_organization(caller, take)
    if facts is None:
        return None
    return View(facts, _standing(caller, facts, take), aws_organizations.trusted_access_is_on(caller, take))


def _standing(caller: Caller, facts: OrganizationFacts, take: Take) -> Standing:
    if caller.account_id == facts.management_account_id:
        return Standing.MANAGEMENT
    if caller.account_id in (aws_organizations.delegated_administrators(caller, take) or []):
        return Standing.DELEGATED
    return Standing.MEMBER
