"""How often AWS lets an account call: the published rates per second and bursts."""

from typing import NamedTuple


class Quota(NamedTuple):
    """A token bucket of AWS: tokens per second, and how many it holds."""

    rate: float
    burst: float


CONTACT_OPERATIONS = ("GetAlternateContact", "PutAlternateContact", "DeleteAlternateContact")

# https://docs.aws.amazon.com/accounts/latest/reference/quotas.html says "per account"; field reports say that
# the calling account counts: https://github.com/hashicorp/terraform-provider-aws/issues/42484
_ACCOUNT_MANAGEMENT = {
    "GetAlternateContact": Quota(10, 15),
    "PutAlternateContact": Quota(5, 8),
    "DeleteAlternateContact": Quota(1, 6),
}
# https://docs.amazonaws.cn/en_us/accounts/latest/reference/quotas.html
_ACCOUNT_MANAGEMENT_CHINA = {
    "GetAlternateContact": Quota(3, 5),
    "PutAlternateContact": Quota(1, 6),
    "DeleteAlternateContact": Quota(1, 6),
}

# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html#throttling-limits
_ORGANIZATIONS = {
    "DescribeAccount": Quota(20, 30),
    "DescribeOrganization": Quota(1, 2),
    "EnableAWSServiceAccess": Quota(1, 2),
    "ListAWSServiceAccessForOrganization": Quota(1, 3),
    "ListAccounts": Quota(8, 12),
    "ListDelegatedAdministrators": Quota(5, 8),
    "ListOrganizationalUnitsForParent": Quota(5, 8),
    "ListRoots": Quota(1, 2),
}
_PER_ORGANIZATION = {
    "DescribeAccount": Quota(24, 36),
    "ListAWSServiceAccessForOrganization": Quota(1, 4),
    "ListAccounts": Quota(9, 15),
    "ListDelegatedAdministrators": Quota(6, 10),
    "ListOrganizationalUnitsForParent": Quota(6, 10),
    "ListRoots": Quota(1, 3),
}
# They stand on one row of that page, which does not say whether they share a bucket: as if they did.
_SAME_BUCKET = {"ListAccountsForParent": "ListOrganizationalUnitsForParent"}


def bucket_of(operation: str) -> str:
    """The operation that gives the bucket its name."""
    return _SAME_BUCKET.get(operation, operation)


def quotas_per_account(partition: str) -> dict[str, Quota]:
    """What one calling account may do, by bucket."""
    china = partition == "aws-cn"
    return (_ACCOUNT_MANAGEMENT_CHINA if china else _ACCOUNT_MANAGEMENT) | _ORGANIZATIONS


def quota_per_organization(bucket: str) -> Quota | None:
    """What all accounts of one organization may do together, where AWS says so."""
    return _PER_ORGANIZATION.get(bucket)
