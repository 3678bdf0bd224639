"""Whether somebody's grants cover every contact of a change set."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q

from contacts.models import ChangeSet, PlannedChange
from orgs.access import Right, people_with, scope_of, scopes_of
from orgs.scope import Scope
from portal.models import User


def sets_within(scope: Scope) -> Q:
    """Change sets with no contact outside the scope; for a filter of change sets.

    Lines that name no account that we know count for nothing.
    """
    if scope.is_everything:
        return Q()
    rows = PlannedChange.objects.filter(change_set=OuterRef("pk"), account__isnull=False).order_by()
    inside = scope.contacts("account__", type_field="contact_type")
    return Q(Exists(rows.filter(inside))) & ~Q(Exists(rows.exclude(inside)))


def is_within(change_set: ChangeSet, scope: Scope) -> bool:
    """Whether no contact of this one lies outside; no query where the scope is everything or nothing."""
    if scope.is_everything or not scope.parts:
        return scope.is_everything
    return ChangeSet.objects.filter(sets_within(scope), pk=change_set.pk).exists()


def has_right_to(user: Any, right: Right, change_set: ChangeSet) -> bool:
    """Whether the user has this right for every contact of the set."""
    return is_within(change_set, scope_of(user, right))


def require_right_to(user: Any, right: Right, change_set: ChangeSet) -> None:
    """Raise PermissionDenied unless the user has this right for every contact of the set."""
    if not has_right_to(user, right, change_set):
        raise PermissionDenied(f"This needs the right “{right.label}” for every contact of the change set.")


def may_touch(user: Any, right: Right, change_set: ChangeSet) -> bool:
    """Whether the user has this right for a contact of the set at least."""
    scope = scope_of(user, right)
    if scope.is_everything or not scope.parts:
        return scope.is_everything
    inside = scope.contacts("account__", type_field="contact_type")
    return change_set.rows.filter(inside, account__isnull=False).exists()


def people_over(change_set: ChangeSet, right: Right) -> list[User]:
    """The active people who have this right for every contact of the set, by user name."""
    people = list(people_with(right))
    scopes = scopes_of(people, right)
    judged = {scope: is_within(change_set, scope) for scope in set(scopes.values())}
    return [person for person in people if judged[scopes[person.pk]]]
