"""What every page's frame shows beside its content."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from contacts.approving import inbox_of
from contacts.finding import changes_visible_to
from contacts.models import OPEN
from contacts.review_filters import new_events
from orgs import access
from orgs.access import Right, has_right, rights_of, visible_to
from orgs.models import Role

HOUR, DAY = 3600, 86_400
COUNTED = 99  # of what is open, waits or is to be reviewed


@dataclass(frozen=True)
class Place:
    """One entry of the navigation."""

    label: str
    url: str
    icon: str
    current: bool
    count: int | str | None = None  # in words where there are more than are counted
    count_words: str = ""


@dataclass(frozen=True)
class ReadStatus:
    """How fresh the mirror is: of so many accounts, how many were read within the agreed time."""

    accounts: int
    fresh: int
    last_read_at: datetime | None
    span: str


# Label, url name, icon, right, and how the names of the views begin that lie in this place.
PLACES = (
    ("Overview", "contacts:overview", "grid-1x2", Right.VIEW, "contacts:overview"),
    (
        "Accounts",
        "contacts:account_list",
        "hdd-stack",
        Right.VIEW,
        "contacts:account contacts:contact contacts:bulk",
    ),
    ("Changes", "contacts:change_list", "arrow-left-right", Right.VIEW, "contacts:change contacts:drift"),
    ("Approvals", "contacts:approval_list", "person-check", Right.APPROVE, "contacts:approval"),
    ("Review", "contacts:review_list", "eye", Right.REVIEW, "contacts:review"),
    ("Audit", "contacts:audit_list", "journal-check", Right.AUDIT, "contacts:audit"),
    ("Organization", "orgs:organization_list", "diagram-3", Right.VIEW, "orgs:organization orgs:account"),
    (
        "People",
        "orgs:person_list",
        "people",
        Right.PEOPLE,
        "orgs:person orgs:group orgs:grant contacts:access",
    ),
    ("Access", "orgs:grant_list", "key", Right.REVIEW, "orgs:grant"),  # whoever manages people has it there
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: theme, rights, places, freshness. Each is worked out only where a template asks."""
    user = getattr(request, "user", None)
    read_status = cache(partial(read_status_of, user))
    return {
        "company": settings.COMPANY_NAME,
        "theme": getattr(user, "theme", "system"),
        "may": SimpleLazyObject(lambda: {right.value: True for right in rights_of(user)}),
        "roles": SimpleLazyObject(lambda: roles_of(user)),
        "places": SimpleLazyObject(lambda: places_of(request, read_status())),
        "read_status": read_status,
    }


def roles_of(user: Any) -> str:
    """The person's roles in words."""
    if user.is_superuser:
        return Role.ADMINISTRATOR.label
    return ", ".join(role.label for role in access.roles_of(user)) or "No role yet"


def read_status_of(user: Any) -> ReadStatus:
    """The freshness of what the person may see."""
    since = timezone.now() - timedelta(seconds=settings.CONTACT_FRESHNESS)
    accounts = visible_to(user).filter(left_at=None).order_by()
    # Each of the three is answered by an index, where one pass over all accounts is not.
    number = accounts.count()
    stale = accounts.filter(Q(contacts_read_at__lt=since) | Q(contacts_read_at=None)).count()
    last = accounts.aggregate(at=Max("contacts_read_at"))["at"]
    return ReadStatus(number, max(number - stale, 0), last, span_words(settings.CONTACT_FRESHNESS))


def span_words(seconds: float) -> str:
    """“hour”, “6 hours”, “20 minutes”: to stand after “in the last”."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (60, "minute")):
        if seconds >= size:
            number = round(seconds / size)
            return name if number == 1 else f"{number} {name}s"
    return f"{seconds:g} seconds"


def places_of(request: HttpRequest, read_status: ReadStatus) -> list[Place]:
    """The places that the person may open."""
    rights = rights_of(request.user)
    here = request.resolver_match.view_name if request.resolver_match else ""
    counts = _counts(request.user, read_status) if Right.VIEW in rights else {}
    places = []
    for label, name, icon, right, prefixes in PLACES:
        if right in rights and not (label == "Access" and Right.PEOPLE in rights):
            count, words = counts.get(label, (None, ""))
            is_here = here.startswith(tuple(prefixes.split()))
            places.append(Place(label, reverse(name), icon, is_here, count, words))
    return places


def _counts(user: Any, read_status: ReadStatus) -> dict[str, tuple[int | str, str]]:
    counts: dict[str, tuple[int | str, str]] = {"Accounts": (read_status.accounts, "accounts")}
    open_changes = changes_visible_to(user).filter(status__in=OPEN)
    if number := _up_to(open_changes):
        counts["Changes"] = (number, "open changes")
    if number := _up_to(inbox_of(user)):
        counts["Approvals"] = (number, "requests that wait for you")
    if has_right(user, Right.REVIEW) and (number := _up_to(new_events())):
        counts["Review"] = (number, "that nobody reviewed yet")
    return counts


def _up_to(rows: QuerySet) -> int | str:
    """How many there are: every page asks, so of many nobody counts all."""
    number = rows.order_by()[: COUNTED + 1].count()
    return f"{COUNTED}+" if number > COUNTED else number
