"""The tree of units at the side of the account list, each with the number of accounts in and below it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.http import QueryDict

from contacts.filter_bar import query_with
from contacts.filters import STANDALONE
from orgs.access import organizations_visible_to, visible_to
from orgs.models import Account, OrganizationalUnit


@dataclass
class UnitNode:
    """An organization, a unit, or the standalone accounts, with the accounts in and below it."""

    label: str
    icon: str
    href: str
    is_current: bool = False
    count: int = 0
    children: list["UnitNode"] = field(default_factory=list)


def unit_tree(user: Any, query: QueryDict) -> list[UnitNode]:
    """Every organization with its units, then the standalone accounts; links keep the other filters."""
    accounts = visible_to(user).filter(left_at=None)
    counts: dict[tuple[int | None, int | None], int] = {
        (row["organization_id"], row["unit_id"]): row["n"]
        for row in accounts.order_by().values("organization_id", "unit_id").annotate(n=Count("pk"))
    }
    units = list(OrganizationalUnit.objects.filter(organization__in=organizations_visible_to(user)))
    nodes = []
    for owner in organizations_visible_to(user):
        in_units = Counter({unit_pk: n for (owner_pk, unit_pk), n in counts.items() if owner_pk == owner.pk})
        node = _node(str(owner), "building", query, organization=owner.aws_id)
        node.count = in_units.total()
        node.children = _children([u for u in units if u.organization_id == owner.pk], in_units, query)
        nodes.append(node)
    if (None, None) in counts:
        nodes.append(_node("Standalone", "link-45deg", query, organization=STANDALONE))
        nodes[-1].count = counts[None, None]
    return nodes


def _node(label: str, icon: str, query: QueryDict, **chosen: str) -> UnitNode:
    """A node that filters by what is chosen; the current one when the list is filtered by just that."""
    scope = {"organization": None, "unit": None} | chosen
    is_current = all((query.get(name) or None) == value for name, value in scope.items())
    icon = "folder2-open" if is_current and icon == "folder2" else icon
    return UnitNode(label, icon, query_with(query, scope), is_current)


def _children(units: Iterable[OrganizationalUnit], counts: Counter, query: QueryDict) -> list[UnitNode]:
    """The units under the roots of one organization; a root itself says nothing that its owner does not."""
    nodes: dict[int, UnitNode] = {}
    tops = []
    for unit in sorted(units, key=lambda unit: (unit.path.count("/"), unit.name.lower())):
        node = nodes[unit.pk] = _node(unit.name, "folder2", query, unit=unit.aws_id)
        node.count = counts[unit.pk]
        parent = nodes.get(unit.parent_id or 0)
        if parent is not None:
            parent.children.append(node)
        elif unit.parent_id is None:
            tops.append(node)
    for top in tops:
        _add_up(top)
    return [child for top in tops for child in top.children]


def _add_up(node: UnitNode) -> int:
    """Count what is below too."""
    node.count += sum(_add_up(child) for child in node.children)
    return node.count


def unit_names(account: Account) -> list[str]:
    """The way to the account: its organization, then the units from the top; the root is left out."""
    if account.organization is None:
        return ["Standalone"]
    ids = account.unit.path.strip("/").split("/") if account.unit else []
    names = dict(OrganizationalUnit.objects.filter(aws_id__in=ids[1:]).values_list("aws_id", "name"))
    return [str(account.organization), *(names.get(unit_id, unit_id) for unit_id in ids[1:])]
