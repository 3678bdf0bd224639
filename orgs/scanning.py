"""Reads all accounts and units of an organization from AWS; writes nothing."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

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
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="units") as beside:
        listing = _UnitListing(caller, take, beside)
        try:
            accounts = _by_id(listing.along(aws_organizations.list_accounts(caller, take)), seen)
            if all(account.unit_path for account in accounts.values()):
                return accounts, listing.units_named_by(accounts.values())
        finally:
            beside.shutdown(wait=False, cancel_futures=True)
    return _walk(caller, take)


def _by_id(facts: Iterable[AccountFacts], seen: Seen) -> dict[str, AccountFacts]:
    """ListAccounts is no snapshot: an account may come twice."""
    accounts = {}
    for account in facts:
        if account.aws_id not in accounts:
            seen(1)
        accounts[account.aws_id] = account
    return accounts


class _UnitListing:
    """Lists units while accounts are listed, because AWS has a quota for each of the two.

    One call for each unit that has units below, as soon as an account's path names it.
    """

    def __init__(self, caller: Caller, take: Take, beside: Executor) -> None:
        self._caller, self._take, self._beside = caller, take, beside
        self._known_paths: set[str] = set()
        self._children: dict[str, Future[list[UnitFacts]]] = {}
        self._roots: Future[list[UnitFacts]] | None = None

    def along(self, accounts: Iterable[AccountFacts]) -> Iterator[AccountFacts]:
        """The accounts as they come, while the units on their paths are asked for."""
        for account in accounts:
            if account.unit_path and account.unit_path not in self._known_paths:
                self._known_paths.add(account.unit_path)
                self._list_parents(_unnamed({account.unit_path}))
            yield account

    def units_named_by(self, accounts: Iterable[AccountFacts]) -> dict[str, UnitFacts]:
        """The units on the accounts' paths and their siblings, each where its parent is now."""
        units = _unnamed({account.unit_path for account in accounts})
        if self._roots:
            units |= {root.aws_id: root for root in self._roots.result()}
        for parent in sorted((units[each] for each in self._children if each in units), key=_depth):
            for unit in self._children[parent.aws_id].result():
                path = f"{units[parent.aws_id].path}{unit.aws_id}/"
                units[unit.aws_id] = replace(unit, path=path)
        return units

    def _list_parents(self, units: dict[str, UnitFacts]) -> None:
        if self._roots is None:
            self._roots = self._beside.submit(aws_organizations.list_roots, self._caller, self._take)
        for unit in units.values():
            parent = units.get(unit.parent_id or "")
            if parent and parent.aws_id not in self._children:
                self._children[parent.aws_id] = self._beside.submit(
                    aws_organizations.list_units, self._caller, parent, self._take
                )


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
