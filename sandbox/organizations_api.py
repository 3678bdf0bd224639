"""Organizations: who may call what, the quota, and every read that the portal needs."""

from typing import Any

from sandbox import authorization
from sandbox.ask import Ask
from sandbox.errors import Refusal
from sandbox.organizations_writes import WRITE_ACTIONS
from sandbox.pages import invalid_input, page
from sandbox.policy_language import Request
from sandbox.quotas import organization_limits
from sandbox.records import Account, Unit
from sandbox.shapes import account_shape, arn, parent_shape, require_account, require_unit, unit_shape

TOO_FAST = "You have sent too many requests in too short a period of time. Try again later."
ANY_MEMBER = ("DescribeOrganization",)


def perform(ask: Ask) -> dict[str, Any] | None:  # Any: JSON
    """Answer one operation: membership first, then the quota, then the permission."""
    if not isinstance(ask.values, dict):
        raise Refusal(400, "SerializationException", "Start of structure or map found where not expected.")
    caller_id = ask.caller.account_id
    if not ask.world.is_member(caller_id):
        text = "Your account is not a member of an organization."
        raise Refusal(400, "AWSOrganizationsNotInUseException", text)
    if not ask.buckets.take(
        ask.operation, organization_limits(ask.operation, caller_id, ask.world.organization_id)
    ):
        raise Refusal(400, "TooManyRequestsException", TOO_FAST)
    if not _may_call(ask):
        raise Refusal(400, "AccessDeniedException", "You don't have permissions to access this resource.")
    return ACTIONS[ask.operation](ask)


def _may_call(ask: Ask) -> bool:
    """Management may all, a delegated administrator of any service may read, a member may little."""
    caller_id = ask.caller.account_id
    if ask.switches.denies_everywhere(ask.operation):
        return False
    request = Request(f"organizations:{ask.operation}", _resource(ask), _condition_keys(ask))
    if authorization.denial(ask.world, caller_id, ask.caller.principal, request):
        return False
    if caller_id == ask.world.management_id or ask.operation in ANY_MEMBER:
        return True
    return ask.operation not in WRITES and ask.world.is_delegated(caller_id)


def _resource(ask: Ask) -> str:
    """Most actions that the portal needs know no resource but “*”.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
    """
    values = ask.values
    if ask.operation == "DescribeAccount":
        return arn(ask, "account", str(values.get("AccountId")))
    if ask.operation in ("ListAccountsForParent", "ListOrganizationalUnitsForParent", "ListChildren"):
        parent = str(values.get("ParentId"))
        return arn(ask, "root" if parent.startswith("r-") else "ou", parent)
    return "*"


def _condition_keys(ask: Ask) -> dict[str, list[str]]:
    principal = ask.values.get("ServicePrincipal")
    return {"organizations:ServicePrincipal": [principal]} if isinstance(principal, str) else {}


def _describe_organization(ask: Ask) -> dict[str, Any]:  # Any: JSON
    world = ask.world
    management = world.accounts[world.management_id]
    description = {
        "Id": world.organization_id,
        "Arn": arn(ask, "organization"),
        "FeatureSet": world.feature_set,
        "MasterAccountId": world.management_id,
        "MasterAccountArn": arn(ask, "account", world.management_id),
        "MasterAccountEmail": management.email,
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    return {"Organization": description}


def _list_accounts(ask: Ask) -> dict[str, Any]:  # Any: JSON
    return _accounts_page(ask, ask.world.members())


def _list_accounts_for_parent(ask: Ask) -> dict[str, Any]:  # Any: JSON
    parent = require_unit(ask, "ParentId", "ParentNotFoundException")
    return _accounts_page(ask, _accounts_in(ask, parent), parent.unit_id)


def _accounts_page(ask: Ask, accounts: list[Account], scope: str = "") -> dict[str, Any]:  # Any: JSON
    result = page(ask, "Accounts", accounts, scope)
    return {**result, "Accounts": [account_shape(ask, account) for account in result["Accounts"]]}


def _describe_account(ask: Ask) -> dict[str, Any]:  # Any: JSON
    return {"Account": account_shape(ask, require_account(ask))}


def _list_roots(ask: Ask) -> dict[str, Any]:  # Any: JSON
    root = ask.world.units[ask.world.organization.root_id]
    shape = {"Id": root.unit_id, "Arn": arn(ask, "root", root.unit_id), "Name": root.name, "PolicyTypes": []}
    return page(ask, "Roots", [shape])


def _list_units(ask: Ask) -> dict[str, Any]:  # Any: JSON
    parent = require_unit(ask, "ParentId", "ParentNotFoundException")
    rows = [unit_shape(ask, unit) for unit in _units_in(ask, parent)]
    return page(ask, "OrganizationalUnits", rows, parent.unit_id)


def _describe_unit(ask: Ask) -> dict[str, Any]:  # Any: JSON
    unit = require_unit(ask, "OrganizationalUnitId", "OrganizationalUnitNotFoundException")
    return {"OrganizationalUnit": unit_shape(ask, unit)}


def _list_parents(ask: Ask) -> dict[str, Any]:  # Any: JSON
    child_id = str(ask.values.get("ChildId"))
    if ask.world.is_member(child_id):
        parent_id = ask.world.accounts[child_id].parent_id
    else:
        unit = ask.world.units.get(child_id)
        parent_id = unit.parent_id if unit else None
    if parent_id is None:
        text = "You specified a child that doesn't exist."
        raise Refusal(400, "ChildNotFoundException", text)
    return page(ask, "Parents", [parent_shape(ask, parent_id)], child_id)


def _list_children(ask: Ask) -> dict[str, Any]:  # Any: JSON
    parent = require_unit(ask, "ParentId", "ParentNotFoundException")
    kind = ask.values.get("ChildType")
    if kind == "ACCOUNT":
        ids = [account.account_id for account in _accounts_in(ask, parent)]
    elif kind == "ORGANIZATIONAL_UNIT":
        ids = [unit.unit_id for unit in _units_in(ask, parent)]
    else:
        raise invalid_input("INVALID_ENUM", "You specified an invalid value.")
    return page(ask, "Children", [{"Id": each, "Type": kind} for each in ids], f"{parent.unit_id} {kind}")


def _accounts_in(ask: Ask, parent: Unit) -> list[Account]:
    return [account for account in ask.world.members() if account.parent_id == parent.unit_id]


def _units_in(ask: Ask, parent: Unit) -> list[Unit]:
    return [unit for unit in ask.world.units.values() if unit.parent_id == parent.unit_id]


def _list_service_access(ask: Ask) -> dict[str, Any]:  # Any: JSON
    rows = [{"ServicePrincipal": name, "DateEnabled": at} for name, at in sorted(ask.world.trusted.items())]
    return page(ask, "EnabledServicePrincipals", rows)


def _list_delegated_administrators(ask: Ask) -> dict[str, Any]:  # Any: JSON
    principal = ask.values.get("ServicePrincipal")
    enabled_at: dict[str, float] = {}
    for (account_id, service), at in ask.world.delegated.items():
        if principal in (None, service):
            enabled_at.setdefault(account_id, at)
    rows = []
    for account_id, at in enabled_at.items():
        shape = account_shape(ask, ask.world.accounts[account_id])
        shape.pop("Paths", None)
        rows.append({**shape, "DelegationEnabledDate": at})
    return page(ask, "DelegatedAdministrators", rows, principal or "")


def _list_delegated_services(ask: Ask) -> dict[str, Any]:  # Any: JSON
    account_id = require_account(ask).account_id
    rows = [
        {"ServicePrincipal": service, "DelegationEnabledDate": at}
        for (holder, service), at in ask.world.delegated.items()
        if holder == account_id
    ]
    if not rows:
        text = "The provided account is not a registered delegated administrator for your organization."
        raise Refusal(400, "AccountNotRegisteredException", text)
    return page(ask, "DelegatedServices", rows, account_id)


def _list_tags(ask: Ask) -> dict[str, Any]:  # Any: JSON
    resource_id = str(ask.values.get("ResourceId"))
    if not ask.world.is_member(resource_id) and resource_id not in ask.world.units:
        text = "You specified a target that doesn't exist."
        raise Refusal(400, "TargetNotFoundException", text)
    account = ask.world.accounts.get(resource_id)
    tags = account.tags if account else {}
    return page(ask, "Tags", [{"Key": key, "Value": value} for key, value in tags.items()], resource_id)


READ_ACTIONS = {
    "DescribeOrganization": _describe_organization,
    "ListAccounts": _list_accounts,
    "ListAccountsForParent": _list_accounts_for_parent,
    "DescribeAccount": _describe_account,
    "ListRoots": _list_roots,
    "ListOrganizationalUnitsForParent": _list_units,
    "DescribeOrganizationalUnit": _describe_unit,
    "ListParents": _list_parents,
    "ListChildren": _list_children,
    "ListAWSServiceAccessForOrganization": _list_service_access,
    "ListDelegatedAdministrators": _list_delegated_administrators,
    "ListDelegatedServicesForAccount": _list_delegated_services,
    "ListTagsForResource": _list_tags,
}
ACTIONS = {**READ_ACTIONS, **WRITE_ACTIONS}
OPERATIONS = tuple(ACTIONS)
WRITES = frozenset(WRITE_ACTIONS)
