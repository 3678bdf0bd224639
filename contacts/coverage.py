"""How much of what we own has its contacts: by type, and by unit as a heat table."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from contacts.finding import contacts_visible_to
from contacts.models import ContactStatus, ContactType
from contacts.places import Place, accounts_by_place
from orgs.access import Right, organizations_visible_to, scope_of, units_visible_to
from orgs.models import Organization

# Percent from which a cell is this warm or cooler; less is 4.
HEAT = ((100, 0), (95, 1), (85, 2), (60, 3))
MOST_ROWS = 40  # of units: of more, only those below a root, the largest first
ROOT, TOP, CHILD = 1, 2, 3  # units by the number of parts in their path, as far as they are seen

# Of the contacts of one type: all that may be seen, those that are set, those that are not.
NUMBERS = {
    "seen": Count("pk"),
    "are_set": Count("pk", filter=Q(status=ContactStatus.SET)),
    "are_absent": Count("pk", filter=Q(status=ContactStatus.ABSENT)),
}
NOTHING = [0, 0, 0]


@dataclass(frozen=True)
class Tally:
    """How many contacts of one type are set, not set and unknown; the query leads to the list."""

    contact_type: ContactType
    accounts: int
    set: int
    absent: int
    query: dict[str, str] = field(default_factory=dict)

    @property
    def unknown(self) -> int:
        return self.accounts - self.set - self.absent

    @property
    def percent(self) -> int:
        """Whole percent; 100 only when all are set, and 0 only when none is."""
        if self.set == self.accounts:
            return 100
        return min(99, max(1 if self.set else 0, round(100 * self.set / self.accounts)))

    @property
    def is_unknown(self) -> bool:
        """Nothing is known yet: that is no lack of contacts, and must not look like one."""
        return not self.set and not self.absent

    @property
    def heat(self) -> int:
        return next((level for limit, level in HEAT if self.percent >= limit), 4)

    @property
    def words(self) -> str:
        return f"{self.set:,} set, {self.absent:,} not set, {self.unknown:,} unknown"

    @property
    def url(self) -> str:
        """What is missing; where nothing is, what is set."""
        return self._url_of("set" if self.set == self.accounts else "missing")

    @property
    def urls(self) -> dict[str, str]:
        """The list of each status."""
        return {status: self._url_of(status) for status in ContactStatus.values}

    def _url_of(self, contact: str) -> str:
        query = self.query | {"type": self.contact_type.value, "contact": contact}
        return f"{reverse('contacts:account_list')}?{urlencode(query)}"


@dataclass(frozen=True)
class HeatRow:
    """An organization, a unit with everything below it, or the standalone accounts."""

    label: str
    accounts: int
    cells: list[Tally]
    depth: int

    @property
    def is_organization(self) -> bool:
        return self.depth == ROOT

    @property
    def is_child(self) -> bool:
        return self.depth == CHILD


@dataclass(frozen=True)
class Coverage:
    """The whole picture."""

    accounts: int
    standalone: int
    organizations: list[Organization]
    types: list[Tally]
    rows: list[HeatRow]
    is_partial: bool = False  # there are more units than the rows show


class _Counts:
    """Accounts, and contacts by type and status, for each organization and unit: two queries."""

    def __init__(self, user: Any) -> None:
        self.accounts = accounts_by_place(user)
        scope = scope_of(user, Right.VIEW)
        self.types, self.has_all_types = [ContactType(name) for name in scope.types], scope.has_all_types
        contacts = contacts_visible_to(user).filter(account__left_at=None).order_by()
        grouped = contacts.values_list("account__organization_id", "account__unit_id", "contact_type")
        self.contacts = {
            ((owner, unit), contact_type): numbers
            for owner, unit, contact_type, *numbers in grouped.annotate(**NUMBERS)
        }

    def tallies(self, places: Iterable[Place], query: dict[str, str] | None = None) -> list[Tally]:
        """One tally a type over these places; an account whose contacts have no row yet counts as unknown."""
        places = [place for place in places if place in self.accounts]
        accounts = sum(self.accounts[place] for place in places)
        return [self._tally(contact_type, accounts, places, query or {}) for contact_type in self.types]

    def _tally(
        self, contact_type: ContactType, accounts: int, places: list[Place], query: dict[str, str]
    ) -> Tally:
        """Where types limit what may be seen, only the accounts count whose contact of this type is seen."""
        found = [self.contacts.get((place, contact_type), NOTHING) for place in places]
        seen, are_set, are_absent = map(sum, zip(NOTHING, *found, strict=True))
        number = accounts if self.has_all_types else seen
        return Tally(contact_type, number, are_set, are_absent, query)

    def row(self, label: str, places: Iterable[Place], query: dict[str, str], depth: int) -> list[HeatRow]:
        """One row of the heat table; none where there is no account."""
        places = list(places)
        accounts = sum(self.accounts.get(place, 0) for place in places)
        return [HeatRow(label, accounts, self.tallies(places, query), depth)] if accounts else []


class Unit(NamedTuple):
    """What the heat table knows of a unit."""

    pk: int
    aws_id: str
    name: str
    path: str
    organization_id: int


class _Units:
    """The units of the organizations, and which of them the heat table has room for."""

    def __init__(self, user: Any, counts: _Counts) -> None:
        units = [Unit(*row) for row in units_visible_to(user).values_list(*Unit._fields)]
        self.names = {unit.path: unit.name.lower() for unit in units}
        self.below: defaultdict[str, list[Place]] = defaultdict(list)
        for unit in units:
            for ancestor in _ancestors(unit.path):
                self.below[ancestor].append((unit.organization_id, unit.pk))
        self.shown = [unit for unit in units if self.depth(unit) in (TOP, CHILD)]
        self.is_partial = len(self.shown) > MOST_ROWS
        if self.is_partial:
            tops = [unit for unit in self.shown if self.depth(unit) == TOP]
            tops.sort(key=lambda unit: -sum(counts.accounts.get(place, 0) for place in self.below[unit.path]))
            self.shown = tops[:MOST_ROWS]

    def depth(self, unit: Unit) -> int:
        """How far the unit lies below the top of what is seen of its organization."""
        return ROOT + sum(path in self.names for path in _ancestors(unit.path))

    def of(self, owner: Organization) -> list[Unit]:
        """Those of one organization: the units below its root, each followed by its children."""
        units = [unit for unit in self.shown if unit.organization_id == owner.pk]
        return sorted(units, key=lambda unit: [self.names.get(path, "") for path in _ancestors(unit.path)])


def coverage_of(user: Any) -> Coverage:
    """Coverage of what the user may see, accounts that left aside; four queries however many accounts."""
    counts = _Counts(user)
    organizations = list(organizations_visible_to(user))
    units = _Units(user, counts)
    standalone = [place for place in counts.accounts if place[0] is None]
    rows = [row for owner in organizations for row in _rows(counts, owner, units)]
    return Coverage(
        accounts=sum(counts.accounts.values()),
        standalone=sum(counts.accounts[place] for place in standalone),
        organizations=organizations,
        types=counts.tallies(counts.accounts),
        rows=rows + counts.row("Standalone", standalone, {"organization": "standalone"}, TOP),
        is_partial=units.is_partial,
    )


def _rows(counts: _Counts, owner: Organization, units: _Units) -> list[HeatRow]:
    """The organization, then its units."""
    everything = [place for place in counts.accounts if place[0] == owner.pk]
    rows = counts.row(str(owner), everything, {"organization": owner.aws_id}, ROOT)
    for unit in units.of(owner):
        rows += counts.row(unit.name, units.below[unit.path], {"unit": unit.aws_id}, units.depth(unit))
    return rows


def _ancestors(path: str) -> list[str]:
    """The paths from the unit below the root down to the unit itself."""
    ends = [place for place, letter in enumerate(path, start=1) if letter == "/"]
    return [path[:end] for end in ends[1:]]
