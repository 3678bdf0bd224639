"""The tree of units at the side of the account list, each with the number of accounts in and below it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.http import QueryDict

from contacts.filter_bar import query_with
from contacts.filters import STANDALONE
from contacts.places import Place, accounts_by_place
from orgs.access import organizations_visible_to, units_visible_to
from orgs.models import Account, Organization, OrganizationalUnit

WHOLE = 60  # units that are shown all at once; of more, only the branch where somebody is
LEVEL = 30  # units of one branch, or found by name
FIND = "units"  # the part of a unit's name, in the URL


@dataclass
class UnitNode:
    """An organization, a unit, or the standalone accounts, with the accounts in and below it."""

    label: str
    icon: str
    href: str
    is_current: bool = False
    count: int = 0
    children: list["UnitNode"] = field(default_factory=list)
    more: int = 0  # units below it that are not shown


@dataclass(frozen=True)
class Tree:
    """What of the units is shown; where not all of them are, they can be found by name."""

    nodes: list[UnitNode]
    is_whole: bool
    text: str
    kept: list[tuple[str, str]]  # what the form that finds units carries along


class Unit(NamedTuple):
    """What the tree knows of a unit."""

    pk: int
    aws_id: str
    name: str
    parent_id: int | None
    organization_id: int


def unit_tree(user: Any, query: QueryDict) -> Tree:
    """Every organization with its units, then the standalone accounts; links keep the other filters."""
    owners = list(organizations_visible_to(user))
    rows = units_visible_to(user).order_by("name", "pk")
    units = [Unit(*row) for row in rows.values_list(*Unit._fields)]
    counts = accounts_by_place(user)
    branches = _Branches(units, counts, query)
    text = query.get(FIND, "").strip()
    nodes = branches.found(text) if text else [branches.of_owner(owner, len(owners)) for owner in owners]
    if (None, None) in counts and not text:
        nodes.append(_node("Standalone", "link-45deg", query, organization=STANDALONE))
        nodes[-1].count = counts[None, None]
    kept = [(name, value) for name, values in query.lists() if name not in (FIND, "page") for value in values]
    return Tree(nodes, branches.is_whole, text, kept)


class _Branches:
    """The units as a tree, of which only a part may be shown."""

    def __init__(self, units: list[Unit], counts: dict[Place, int], query: QueryDict) -> None:
        self._query = query
        self._units = {unit.pk: unit for unit in units}
        self._below: defaultdict[int | None, list[Unit]] = defaultdict(list)
        for unit in units:
            self._below[unit.parent_id].append(unit)
        self._totals: Counter[int] = Counter()
        self._of_owner: Counter[int | None] = Counter()
        for (owner, unit_pk), number in counts.items():
            self._of_owner[owner] += number
            for unit in self._line_of(unit_pk):
                self._totals[unit.pk] += number
        self.is_whole = len(units) <= WHOLE
        current = next((unit for unit in units if unit.aws_id == query.get("unit")), None)
        self._open = {unit.pk for unit in self._line_of(current.pk if current else None)}
        self._owner = current.organization_id if current else None

    def of_owner(self, owner: Organization, owners: int) -> UnitNode:
        """One organization; its root itself says nothing that its owner does not."""
        node = _node(str(owner), "building", self._query, organization=owner.aws_id)
        node.count = self._of_owner[owner.pk]
        is_open = self._owner == owner.pk or node.is_current or (self._owner is None and owners <= 3)
        if self.is_whole or is_open:
            units = [unit for unit in self._units.values() if unit.organization_id == owner.pk]
            tops = [unit for unit in units if unit.parent_id and self._is_top(unit.parent_id)]
            self._hang(node, tops)
        return node

    def _is_top(self, parent_pk: int) -> bool:
        """Whether the unit with this key is a root, or nothing that the person may see."""
        parent = self._units.get(parent_pk)
        return parent is None or parent.parent_id is None

    def found(self, text: str) -> list[UnitNode]:
        """The units with this in their name or with this id, those with most accounts first."""
        wanted = text.casefold()
        units = [u for u in self._units.values() if wanted in u.name.casefold() or wanted == u.aws_id]
        units.sort(key=lambda unit: -self._totals[unit.pk])
        return [self._node_of(unit) for unit in units[:LEVEL]]

    def _hang(self, node: UnitNode, units: list[Unit]) -> None:
        """Put units below a node: all, or those with most accounts and the way to where somebody is."""
        shown = units
        if not self.is_whole and len(units) > LEVEL:
            ranked = sorted(units, key=lambda unit: (unit.pk not in self._open, -self._totals[unit.pk]))
            chosen = {unit.pk for unit in ranked[:LEVEL]}
            shown = [unit for unit in units if unit.pk in chosen]
        node.more = len(units) - len(shown)
        for unit in sorted(shown, key=lambda unit: unit.name.lower()):
            child = self._node_of(unit)
            node.children.append(child)
            if self.is_whole or unit.pk in self._open:
                self._hang(child, self._below[unit.pk])

    def _node_of(self, unit: Unit) -> UnitNode:
        node = _node(unit.name, "folder2", self._query, unit=unit.aws_id)
        node.count = self._totals[unit.pk]
        return node

    def _line_of(self, pk: int | None) -> Iterable[Unit]:
        """The unit and all above it."""
        while unit := self._units.get(pk or 0):
            yield unit
            pk = unit.parent_id


def _node(label: str, icon: str, query: QueryDict, **chosen: str) -> UnitNode:
    """A node that filters by what is chosen; the current one when the list is filtered by just that."""
    scope = {"organization": None, "unit": None} | chosen
    is_current = all((query.get(name) or None) == value for name, value in scope.items())
    icon = "folder2-open" if is_current and icon == "folder2" else icon
    return UnitNode(label, icon, query_with(query, {FIND: None, **scope}), is_current)


def unit_names(account: Account) -> list[str]:
    """The way to the account: its organization, then the units from the top; the root is left out."""
    if account.organization is None:
        return ["Standalone"]
    ids = account.unit.path.strip("/").split("/") if account.unit else []
    names = dict(OrganizationalUnit.objects.filter(aws_id__in=ids[1:]).values_list("aws_id", "name"))
    return [str(account.organization), *(names.get(unit_id, unit_id) for unit_id in ids[1:])]
