"""What the review holds, in groups: each with how many, as a link that shows only those."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import Count
from django.http import QueryDict

from audit.context import Source
from audit.models import Action
from audit.queries import AuditEventQuerySet
from contacts.filter_bar import query_with
from contacts.models import ChangeSet, ChangeStatus, ContactType, Decision, PlannedChange
from contacts.review_filters import KINDS, LOOKS, broke_glass, ended_as, outside_hours, timed
from orgs.models import OrganizationalUnit

COUNTED = 10_000
SHOWN = 8
MOST_ROWS = 50_000  # planned changes that are looked through for units and types
PAIR_FROM = 3  # as many sets that one asked for and the other approved stand out


@dataclass(frozen=True)
class GroupLink:
    """One group: its words, how many, and the query string that shows it, or shows all again."""

    label: str
    count: str
    href: str
    is_on: bool


@dataclass(frozen=True)
class Group:
    """Links of one kind."""

    label: str
    links: list[GroupLink]


@dataclass(frozen=True)
class Found:
    """What of one event the groups count."""

    pk: int
    action: str
    actor_id: int | None
    source: str
    contact_type: str
    unit_path: str
    change_set_id: int | None


class Links:
    """Makes the links of one list: they narrow what it shows now, or take that back."""

    def __init__(self, query: QueryDict, more: str) -> None:
        self._query, self._more = query, more

    def link(self, name: str, value: str, label: str, number: int) -> GroupLink | None:
        """Nothing for an empty group."""
        if not number:
            return None
        is_on = self._query.get(name) == value
        href = query_with(self._query, {name: None if is_on else value})
        return GroupLink(label, f"{number:,}{self._more}", href, is_on)


def groups_of(events: AuditEventQuerySet, query: QueryDict) -> list[Group]:
    """The groups of these events, of the newest 10,000 at most; in at most twelve queries."""
    newest = events.order_by("-pk")[: COUNTED + 1]
    found = [Found(*row) for row in newest.values_list(*Found.__annotations__)]
    links = Links(query, "+" if len(found) > COUNTED else "")
    kinds = [
        ("kind", name, label, sum(event.action in actions for event in found))
        for name, (label, actions) in KINDS.items()
    ]
    types, units = _types_and_units(found)
    groups = {
        "What": kinds,
        "Look at": _looks(events, found),
        "Approved by the same pair": _pairs(found),
        "Person": _people(found),
        "Unit": _units(units),
        "Contact type": [("type", kind.value, kind.label, types[kind.value]) for kind in ContactType],
        "Door": _doors(found),
    }
    linked = [(label, [links.link(*part) for part in parts]) for label, parts in groups.items()]
    return [Group(label, [link for link in made if link]) for label, made in linked if any(made)]


Part = tuple[str, str, str, int]  # the field of the filter, its value, the words, how many


def _looks(events: AuditEventQuerySet, found: list[Found]) -> list[Part]:
    if not found:
        return []
    counted = timed(events.filter(pk__gte=found[-1].pk)).order_by()
    conditions = {
        "hours": outside_hours(),
        "failed": ended_as(ChangeStatus.FAILED),
        "conflict": ended_as(ChangeStatus.CONFLICT),
        "glass": broke_glass(),
    }
    numbers = counted.aggregate(**{look: Count("pk", filter=held) for look, held in conditions.items()})
    return [("look", name, LOOKS[name], number) for name, number in numbers.items()]


def _pairs(found: list[Found]) -> list[Part]:
    """Who asked and who approved, where the same two did it several times."""
    sets = ChangeSet.objects.filter(pk__in=_set_pks(found), decision=Decision.APPROVED).order_by()
    pairs = sets.values_list("requested_by", "decided_by").annotate(number=Count("pk"))
    standing_out = list(pairs.filter(number__gte=PAIR_FROM).order_by("-number")[:SHOWN])
    people = get_user_model().objects.in_bulk({pk for *pair, _ in standing_out for pk in pair})
    return [
        (
            "pair",
            f"{asked}-{approved}",
            f"{people[asked].label}, approved by {people[approved].label}",
            number,
        )
        for asked, approved, number in standing_out
    ]


def _people(found: list[Found]) -> list[Part]:
    numbers = Counter(event.actor_id for event in found if event.actor_id)
    people = get_user_model().objects.in_bulk([pk for pk, _ in numbers.most_common(SHOWN)])
    ranked = [(people[pk], number) for pk, number in numbers.most_common(SHOWN) if pk in people]
    return [("person", person.username, person.label, number) for person, number in ranked]


def _doors(found: list[Found]) -> list[Part]:
    numbers = Counter(event.source for event in found)
    return [("source", door.value, door.label, numbers[door.value]) for door in Source]


def _units(numbers: Counter[str]) -> list[Part]:
    """The units with most of it; each counts what is below it."""
    named = OrganizationalUnit.objects.filter(path__in=numbers).values_list("path", "aws_id", "name")
    units = sorted(named, key=lambda unit: (-numbers[unit[0]], unit[0]))
    return [("unit", aws_id, name, numbers[path]) for path, aws_id, name in units[:SHOWN]]


def _types_and_units(found: list[Found]) -> tuple[Counter[str], Counter[str]]:
    """How many events and sets touch each contact type, and each unit with all below it."""
    types = Counter(event.contact_type for event in found if event.action != Action.SET_SUBMITTED)
    paths = [event.unit_path for event in found if event.action != Action.SET_SUBMITTED]
    touched = PlannedChange.objects.filter(change_set__in=_small_enough(_set_pks(found))).order_by()
    of_sets = set(touched.values_list("change_set", "contact_type").distinct())
    types.update(contact_type for _, contact_type in of_sets)
    units = Counter(unit for path in paths for unit in _line_of(path))
    in_sets = set(touched.values_list("change_set", "account__unit").distinct())
    paths_of = dict(
        OrganizationalUnit.objects.filter(pk__in={pk for _, pk in in_sets}).values_list("pk", "path")
    )
    lines = {pk: _line_of(path) for pk, path in paths_of.items()}
    units.update(unit for _, unit in {(pk, unit) for pk, place in in_sets for unit in lines.get(place, ())})
    return types, units


def _set_pks(found: list[Found]) -> list[int]:
    """The change sets, newest first."""
    return [e.change_set_id for e in found if e.action == Action.SET_SUBMITTED and e.change_set_id]


def _small_enough(pks: list[int]) -> Iterator[int]:
    """The newest sets, as long as their plans are not too much to look through."""
    counts = dict(ChangeSet.objects.filter(pk__in=pks).values_list("pk", "counts"))
    rows = 0
    for pk in pks:
        rows += sum(counts.get(pk, {}).values())
        if rows > MOST_ROWS:
            return
        yield pk


def _line_of(path: str) -> list[str]:
    """The unit with all above it but the root: “r-1/a/b/” is “r-1/a/” and “r-1/a/b/”."""
    parts = path.strip("/").split("/")
    return ["/".join(parts[:end]) + "/" for end in range(2, len(parts) + 1)]
