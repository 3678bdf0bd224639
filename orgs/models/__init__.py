"""What we own in AWS, and who was given which role there."""

from orgs.models.grants import AccessGrant, ProviderMembership, Role
from orgs.models.organizations import (
    Account,
    AccountState,
    Organization,
    OrganizationalUnit,
    Reach,
    Standing,
    Unreachable,
    account_id_validator,
    external_id_validator,
    role_arn_validator,
)

__all__ = [
    "AccessGrant",
    "Account",
    "AccountState",
    "Organization",
    "OrganizationalUnit",
    "ProviderMembership",
    "Reach",
    "Role",
    "Standing",
    "Unreachable",
    "account_id_validator",
    "external_id_validator",
    "role_arn_validator",
]
