"""Reads all accounts and units of an organization from AWS; writes nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orgs.models import AccountState, Organization, Standing
from orgs.standing import View, look
from portal import aws, aws_organizations
from portal.aws import Refused
from portal.aws_facts import AccountFacts, Caller, UnitFacts
from portal.aws_organizations import Take
from portal.causes import Cause

Seen = Callable[[int], None]


@dataclass(frozen=True)
class Scan:
    """What AWS showed. Only a full scan may count an account as missing."""

    view: View
    accounts: dict[str, AccountFacts]
    units: dict[str, UnitFacts]
    is_full: bool = True


def scan(organization: Organization, take: Take, seen: Seen) -> Scan:
    """Read everything once; seen(n) is told of n more accounts. Raises AwsError; half a scan is no scan."""
    view = _look_again(organization, take)
    try:
        accounts, units = _read(organization.caller, take, seen)
    except Refused:
        if view.standing != Standing.MEMBER:
            raise
        return _own_account_only(organization, view)
    if view.facts.management_account_id not in accounts:
        raise Refused(Cause.UNEXPECTED, operation="ListAccounts")
    return Scan(view, accounts, units)


def _look_again(organization: Organization, take: Take) -> View:
    """The organization must still be the one that was connected, and we who we were."""
    if aws.who_am_i(organization.caller).account_id != organization.caller_account_id:
        raise Refused(Cause.WRONG_ACCOUNT, operation="GetCallerIdentity")
    view = look(organization.caller, take)
    if view is None:
        raise Refused(Cause.NO_ORGANIZATION, operation="DescribeOrganization")
    if view.facts.aws_id != organization.aws_id:
        raise Refused(Cause.WRONG_ACCOUNT, operation="DescribeOrganization")
    return view


def _own_account_only(organization: Organization, view: View) -> Scan:
    """A plain member may list nobody, but its credentials work, so it is there and active."""
    own = AccountFacts(organization.caller_account_id, "", "", AccountState.ACTIVE, "", None)
    return Scan(view, {own.aws_id: own}, {}, is_full=False)


def _read(caller: Caller, take: Take, seen: Seen) -> tuple[dict[str, AccountFacts], dict[str, UnitFacts]]:
    accounts = _by_id(aws_organizations.list_accounts(caller, take), seen)
    if all(account.unit_path for account in accounts.values()):
        return accounts, _units_named_by(accounts.values(), caller, take)
    return _walk(caller, take)


def _by_id(facts: Iterable[AccountFacts], seen: Seen) -> dict[str, AccountFacts]:
    """ListAccounts is no snapshot: an account may come twice."""
    accounts = {}
    for account in facts:
        if account.aws_id not in accounts:
            seen(1)
        accounts[account.aws_id] = account
    return accounts


def _units_named_by(accounts: Iterable[AccountFacts], caller: Caller, take: Take) -> dict[str, UnitFacts]:
    """The units on the accounts' paths and their siblings: one call for each unit that has units below."""
    units = _unnamed({account.unit_path for account in accounts})
    units |= {root.aws_id: root for root in aws_organizations.list_roots(caller, take)}
    parents = {unit.parent_id for unit in units.values() if unit.parent_id}
    for parent in sorted((units[parent_id] for parent_id in parents), key=_depth):
        units |= {
            unit.aws_id: unit for unit in aws_organizations.list_units(caller, units[parent.aws_id], take)
        }
    return units


def _unnamed(paths: set[str]) -> dict[str, UnitFacts]:
    """Each unit on these paths under its own id: what stays of one that moves away while we read."""
    units = {}
    for path in paths:
        steps = path.strip("/").split("/")
        for depth, unit_id in enumerate(steps):
            parent_id = steps[depth - 1] if depth else None
            units[unit_id] = UnitFacts(unit_id, unit_id, parent_id, "/".join(steps[: depth + 1]) + "/")
    return units


def _walk(caller: Caller, take: Take) -> tuple[dict[str, AccountFacts], dict[str, UnitFacts]]:
    """The whole tree, for an AWS that sends no Paths."""
    accounts, units = {}, {}
    waiting = aws_organizations.list_roots(caller, take)
    while waiting:
        unit = waiting.pop()
        units[unit.aws_id] = unit
        for account in aws_organizations.list_accounts_for_parent(caller, unit, take):
            accounts[account.aws_id] = account
        waiting += aws_organizations.list_units(caller, unit, take)
    return accounts, units


def _depth(unit: UnitFacts) -> int:
    return unit.path.count("/")
