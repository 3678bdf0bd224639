"""AWS Organizations, through the gateway: the organization, its units, its accounts, trusted access.

Every function takes `take` and calls take("ListAccounts") before it asks for a page. So the caller decides in
which lane the quota token is got: functools.partial(quota.take, caller.key, lane=…, organization_id=…) fits.
"""

from collections.abc import Callable, Iterator
from typing import Any

from portal.aws import call, request_id_of
from portal.aws_errors import Absent, Refused
from portal.aws_facts import AccountFacts, Caller, OrganizationFacts, UnitFacts, account_facts
from portal.causes import Cause

Take = Callable[[str], None]

SERVICE_PRINCIPAL = "account.amazonaws.com"
PAGE = 20  # the most that AWS allows
_MAY_NOT_ASK = {Cause.NOT_ALLOWED, Cause.POLICY_DENIES, Cause.SCP_DENIES}


def describe_organization(caller: Caller, take: Take) -> OrganizationFacts | None:
    """The organization of the caller's account; None when it is in none."""
    take("DescribeOrganization")
    try:
        facts = call(caller, "organizations", "DescribeOrganization")["Organization"]
    except Absent:
        return None
    return OrganizationFacts(facts["Id"], facts["MasterAccountId"], facts.get("FeatureSet", ""))


def trusted_access_is_on(caller: Caller, take: Take) -> bool | None:
    """Whether the organization trusts AWS Account Management; None when we may not ask."""
    services = _items(caller, take, "ListAWSServiceAccessForOrganization", "EnabledServicePrincipals")
    try:
        return SERVICE_PRINCIPAL in {service["ServicePrincipal"] for service in services}
    except Refused as refusal:
        if refusal.cause not in _MAY_NOT_ASK:
            raise
        return None


def delegated_administrators(caller: Caller, take: Take) -> list[str] | None:
    """Account ids of the delegated administrators of AWS Account Management; None when we may not ask."""
    accounts = _items(
        caller,
        take,
        "ListDelegatedAdministrators",
        "DelegatedAdministrators",
        ServicePrincipal=SERVICE_PRINCIPAL,
    )
    try:
        return [account["Id"] for account in accounts]
    except Refused as refusal:
        if refusal.cause not in _MAY_NOT_ASK:
            raise
        return None


def enable_trusted_access(caller: Caller, take: Take) -> str:
    """Have the organization trust AWS Account Management, and give AWS's request id; twice is once.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html
    """
    take("EnableAWSServiceAccess")
    operation, principal = "EnableAWSServiceAccess", SERVICE_PRINCIPAL
    return request_id_of(call(caller, "organizations", operation, writes=True, ServicePrincipal=principal))


# Accounts and units


def describe_account(caller: Caller, account_id: str, take: Take) -> AccountFacts | None:
    """One member; None when the organization has no such account."""
    take("DescribeAccount")
    try:
        return account_facts(
            call(caller, "organizations", "DescribeAccount", AccountId=account_id)["Account"]
        )
    except Absent:
        return None


def list_accounts(caller: Caller, take: Take) -> Iterator[AccountFacts]:
    """All accounts, each page when it is needed.

    No snapshot: an account that moves meanwhile may come twice, or not at all.
    """
    return map(account_facts, _items(caller, take, "ListAccounts", "Accounts", MaxResults=PAGE))


def list_roots(caller: Caller, take: Take) -> list[UnitFacts]:
    """The root; AWS has one per organization."""
    roots = _items(caller, take, "ListRoots", "Roots", MaxResults=PAGE)
    return [UnitFacts(root["Id"], root.get("Name", ""), None, f"{root['Id']}/") for root in roots]


def list_units(caller: Caller, parent: UnitFacts, take: Take) -> list[UnitFacts]:
    """The units right under a root or unit."""
    operation, key = "ListOrganizationalUnitsForParent", "OrganizationalUnits"
    units = _items(caller, take, operation, key, ParentId=parent.aws_id, MaxResults=PAGE)
    return [
        UnitFacts(unit["Id"], unit.get("Name", ""), parent.aws_id, f"{parent.path}{unit['Id']}/")
        for unit in units
    ]


def list_accounts_for_parent(caller: Caller, parent: UnitFacts, take: Take) -> Iterator[AccountFacts]:
    """The accounts right under a root or unit: the walk for an AWS that sends no Paths."""
    operation = "ListAccountsForParent"
    accounts = _items(caller, take, operation, "Accounts", ParentId=parent.aws_id, MaxResults=PAGE)
    return (account_facts(account, parent.path) for account in accounts)


def _items(
    caller: Caller, take: Take, operation: str, key: str, **parameters: Any
) -> Iterator[dict[str, Any]]:
    """What lies under key on all pages; a page may be empty and have a next one. One quota token for each."""
    while True:
        take(operation)
        page = call(caller, "organizations", operation, **parameters)
        yield from page.get(key, [])
        token = page.get("NextToken")
        if not token:
            return
        if token == parameters.get("NextToken"):  # or we would ask for ever
            raise Refused(Cause.UNEXPECTED, operation=operation, aws_request_id=request_id_of(page))
        parameters["NextToken"] = token
