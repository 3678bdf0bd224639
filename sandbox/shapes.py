"""Accounts, units and parents as Organizations shows them, and how it refuses an id it does not know."""

import re
from typing import Any

from sandbox.ask import Ask
from sandbox.errors import Refusal
from sandbox.pages import invalid_input
from sandbox.records import Account, Unit

ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
UNIT_ID = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
# The older Status knows neither CLOSED nor PENDING_ACTIVATION
STATUS = {"CLOSED": "SUSPENDED", "PENDING_ACTIVATION": "ACTIVE"}


def arn(ask: Ask, kind: str, resource_id: str = "") -> str:
    """Name a resource of the organization; all of them belong to the management account."""
    world = ask.world
    tail = f"/{resource_id}" if resource_id else ""
    return f"arn:{world.partition}:organizations::{world.management_id}:{kind}/{world.organization_id}{tail}"


def account_shape(ask: Ask, account: Account) -> dict[str, Any]:  # Any: JSON
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html."""
    shape: dict[str, Any] = {
        "Id": account.account_id,
        "Arn": arn(ask, "account", account.account_id),
        "Email": account.email,
        "Name": account.name,
        "JoinedMethod": account.joined_method,
        "JoinedTimestamp": account.joined_at,
    }
    if not ask.switches.omit_status:
        shape["Status"] = STATUS.get(account.state, account.state)
    if not ask.switches.omit_state:
        shape["State"] = account.state
    if not ask.switches.omit_paths and account.parent_id:
        shape["Paths"] = [f"{ask.world.path(account.parent_id)}{account.account_id}/"]
    return shape


def unit_shape(ask: Ask, unit: Unit) -> dict[str, Any]:  # Any: JSON
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html."""
    shape = {"Id": unit.unit_id, "Arn": arn(ask, "ou", unit.unit_id), "Name": unit.name}
    if not ask.switches.omit_paths:
        shape["Path"] = ask.world.path(unit.unit_id)
    return shape


def parent_shape(ask: Ask, parent_id: str) -> dict[str, str]:
    is_root = parent_id == ask.world.organization.root_id
    return {"Id": parent_id, "Type": "ROOT" if is_root else "ORGANIZATIONAL_UNIT"}


def require_account(ask: Ask) -> Account:
    """Give the member that AccountId names."""
    account_id = ask.values.get("AccountId")
    if not isinstance(account_id, str) or not ACCOUNT_ID.fullmatch(account_id):
        raise _bad_pattern()
    if not ask.world.is_member(account_id):
        raise Refusal(400, "AccountNotFoundException", "You specified an account that doesn't exist.")
    return ask.world.accounts[account_id]


def require_unit(ask: Ask, member: str, code: str) -> Unit:
    """Give the root or unit that this member of the request names, or refuse with this code."""
    unit_id = ask.values.get(member)
    if not isinstance(unit_id, str) or not UNIT_ID.fullmatch(unit_id):
        raise _bad_pattern()
    unit = ask.world.units.get(unit_id)
    if unit is None or (member == "OrganizationalUnitId" and unit.parent_id is None):
        noun = "organizational unit" if member == "OrganizationalUnitId" else "parent"
        raise Refusal(
            400, code, f"You specified {'an' if noun[0] == 'o' else 'a'} {noun} that doesn't exist."
        )
    return unit


def _bad_pattern() -> Refusal:
    return invalid_input("INVALID_PATTERN", "You provided a value that does not match the required pattern.")
