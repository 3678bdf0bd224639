"""The list of grants: its filters, and its way out as a file that says who may do what."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils import timezone

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, has_right, require
from orgs.contact_types import ContactType
from orgs.finding import PlaceFinder, ways_of
from orgs.models import AccessGrant, Account, Organization, OrganizationalUnit
from orgs.models.grants import AccessGrantQuerySet
from portal.models import User

SOON = timedelta(days=30)
CHUNK = 200
COLUMNS = (
    *("Grant", "UserName", "Person", "Active", "ByGroup", "Role"),
    *("Where", "PlaceId", "PlaceName", "Path", "ContactTypes", "GivenAt", "EndsAt", "State"),
)


def require_may_review_grants(user: Any) -> None:
    """Raise PermissionDenied unless the user may see who has which access: to manage, or to review it."""
    if not has_right(user, Right.REVIEW):
        require(user, Right.PEOPLE)


def grants_listed(wanted: Mapping[str, str]) -> AccessGrantQuerySet:
    """The grants that meet the filters; in force unless the state asks for others."""
    grants = AccessGrant.objects.all()
    for name, value in {"state": "", **wanted}.items():
        grants = _FILTERS[name](grants, value)
    return grants.with_places().order_by("person__username", "group__name", "role", "pk")


def export_grants(wanted: Mapping[str, str], *, context: Context) -> Iterator[list[object]]:
    """Rows for a file, header first: one for each person and grant. It is written down before it begins."""
    require_may_review_grants(context.actor)
    pks = list(grants_listed(wanted).values_list("pk", flat=True))
    record(Action.GRANTS_EXPORTED, context, detail={"grants": len(pks), "filters": dict(wanted)})
    return _rows(pks)


def _rows(pks: list[int]) -> Iterator[list[object]]:
    """In pieces: no cursor stays open for as long as somebody downloads."""
    yield list(COLUMNS)
    members = Prefetch("group__user_set", User.objects.order_by("username"))
    for start in range(0, len(pks), CHUNK):
        piece = pks[start : start + CHUNK]
        found = AccessGrant.objects.with_places().prefetch_related(members).in_bulk(piece)
        ways = ways_of(unit for grant in found.values() if (unit := _unit_of(grant)))
        for pk in piece:
            if pk in found:
                yield from _rows_of(found[pk], ways)


def _rows_of(grant: AccessGrant, ways: Mapping[int, str]) -> Iterator[list[object]]:
    place = grant.account or grant.unit or grant.organization
    unit = _unit_of(grant)
    kind = type(place).__name__ if place else "Everywhere"
    path = f"{ways[unit.pk]} / {unit.name}" if unit else ""
    facts = [
        *(kind, getattr(place, "aws_id", ""), getattr(place, "name", ""), path),
        " ".join(grant.contact_types or ContactType.values),
        f"{grant.given_at:%Y-%m-%dT%H:%M:%SZ}",
        f"{grant.ends_at:%Y-%m-%dT%H:%M:%SZ}" if grant.ends_at else "",
        "in force" if grant.is_in_force else "ended",
    ]
    people = [grant.person] if grant.person else list(grant.group.user_set.all()) if grant.group else []
    group = grant.group.name if grant.group else ""
    for person in people:
        active = "yes" if person.is_active else "no"
        yield [grant.pk, person.username, person.label, active, group, grant.role, *facts]
    if not people:
        yield [grant.pk, "", "", "", group, grant.role, *facts]


def _unit_of(grant: AccessGrant) -> OrganizationalUnit | None:
    return grant.account.unit if grant.account else grant.unit


def _by_text(grants: AccessGrantQuerySet, text: str) -> AccessGrantQuerySet:
    """Each word occurs in the name of the person, the group or the place."""
    people = [f"person__{name}" for name in ("username", "first_name", "last_name", "email")]
    places = [
        f"{place}__{name}" for place in ("organization", "unit", "account") for name in ("name", "aws_id")
    ]
    for word in text.split():
        anywhere = ((f"{field}__icontains", word) for field in (*people, "group__name", *places))
        grants = grants.filter(Q(*anywhere, _connector=Q.OR))
    return grants


def _by_person(grants: AccessGrantQuerySet, username: str) -> AccessGrantQuerySet:
    member = User.groups.through.objects.filter(user__username=username, group=OuterRef("group"))
    return grants.filter(Q(person__username=username) | Exists(member))


def _by_place(grants: AccessGrantQuerySet, aws_id: str) -> AccessGrantQuerySet:
    """Those that hold for it: given there, or further up; a place that is unknown has none."""
    place = PlaceFinder().get(aws_id)
    if place is None:
        return grants.none()
    everywhere = Q(organization=None, unit=None, account=None)
    if isinstance(place, Organization):
        return grants.filter(everywhere | Q(organization=place))
    unit = place if isinstance(place, OrganizationalUnit) else place.unit
    above = unit.path.strip("/").split("/") if unit else []
    holds = everywhere | Q(organization=place.organization_id or 0) | Q(unit__aws_id__in=above)
    return grants.filter(holds | Q(account=place) if isinstance(place, Account) else holds)


def _by_type(grants: AccessGrantQuerySet, contact_type: str) -> AccessGrantQuerySet:
    """Those for this type. The list is short text in both databases: SQLite knows no containment."""
    return grants.filter(Q(contact_types=[]) | Q(contact_types__icontains=f'"{contact_type}"'))


def _by_where(grants: AccessGrantQuerySet, kind: str) -> AccessGrantQuerySet:
    if kind == "everywhere":
        return grants.filter(organization=None, unit=None, account=None)
    return grants.filter(**{f"{kind}__isnull": False})


def _by_state(grants: AccessGrantQuerySet, state: str) -> AccessGrantQuerySet:
    if state == "ended":
        return grants.ended()
    grants = grants.in_force()
    if state == "soon":
        return grants.filter(ends_at__lte=timezone.now() + SOON)
    return grants.filter(ends_at=None) if state == "open" else grants


_FILTERS: dict[str, Callable[[AccessGrantQuerySet, str], AccessGrantQuerySet]] = {
    "q": _by_text,
    "role": lambda grants, value: grants.filter(role=value),
    "type": _by_type,
    "where": _by_where,
    "state": _by_state,
    "person": _by_person,
    "place": _by_place,
}
