"""Who may do what, and where. The only place that decides; pages and write functions ask here."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet

from audit.context import Context, Source
from orgs.models import AccessGrant, Account, Organization, OrganizationalUnit, Role
from orgs.scope import EVERYTHING, Part, Scope, any_of
from portal.models import User


class Right(models.TextChoices):
    """What a role may allow."""

    VIEW = "view", "See accounts and contacts"
    EDIT = "edit", "Change contacts"
    CHECK = "check", "Have AWS read now"
    EXPORT = "export", "Export contacts"
    APPROVE = "approve", "Approve changes of others"
    RULES = "rules", "Set the rules of approval"
    BREAK_GLASS = "break_glass", "Act before approval in an emergency"
    AUDIT = "audit", "Read the audit"
    EXPORT_AUDIT = "export_audit", "Export the audit"
    REVIEW = "review", "Review what was done, and sign it off"
    CONNECT = "connect", "Connect organizations and accounts"
    PEOPLE = "people", "Manage people"


_READ = {Right.VIEW, Right.CHECK, Right.EXPORT}
ROLE_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.VIEW}),
    Role.HELPDESK: frozenset(_READ | {Right.EDIT}),
    Role.EDITOR: frozenset(_READ | {Right.EDIT, Right.AUDIT}),
    Role.APPROVER: frozenset(_READ | {Right.AUDIT, Right.APPROVE}),
    Role.AUDITOR: frozenset(_READ | {Right.AUDIT, Right.EXPORT_AUDIT, Right.REVIEW}),
    Role.ADMINISTRATOR: frozenset(Right),
}
# These are about the portal as a whole, so only a grant without limits gives them.
WHOLE = frozenset({Right.RULES, Right.BREAK_GLASS, Right.REVIEW, Right.CONNECT, Right.PEOPLE})


class NotAllowed(PermissionDenied):
    """Raised where a right is missing; asked is the question that the page Why? answers."""

    def __init__(self, text: str, **asked: str) -> None:
        super().__init__(text)
        self.asked = asked


class Lack(models.TextChoices):
    """Why a grant does not give somebody a right; orgs/explaining.py tells people."""

    ENDED = "ended", "It has ended."
    ROLE = "role", "The role does not have this right."
    LIMITS = "limits", "This right needs a grant without limits."
    PLACE = "place", "It holds in another place."
    TYPE = "type", "It holds for other contact types."


def grants_of(user: Any) -> list[AccessGrant]:  # Any: a user or nobody
    """What the person was given, oneself or by a group, and what holds now."""
    if not hasattr(user, "_grants"):  # asked many times a request; grants do not change within one
        user._grants = list(AccessGrant.objects.of(user).in_force().select_related("unit"))
    return user._grants


def scope_of(user: Any, right: Right) -> Scope:
    """Where the user has this right; nowhere for somebody who is not signed in or was deactivated."""
    if not getattr(user, "is_active", False) or not user.is_authenticated:
        return Scope(())
    if user.is_superuser:
        return Scope((EVERYTHING,))
    parts = [Part.of(grant) for grant in grants_of(user) if lack_of(grant, right) is None]
    return Scope(tuple(dict.fromkeys(parts)))


def lack_of(grant: AccessGrant, right: Right) -> Lack | None:
    """Why the grant gives this right nowhere; None where it gives it in its part."""
    if right not in ROLE_RIGHTS[Role(grant.role)]:
        return Lack.ROLE
    return Lack.LIMITS if right in WHOLE and not grant.is_everywhere else None


def rights_of(user: Any) -> frozenset[Right]:
    """Every right that the user has anywhere."""
    return frozenset(right for right in Right if scope_of(user, right).parts)


def roles_of(user: Any) -> list[Role]:
    """The user's roles, wherever they hold, in the order of the roles."""
    names = {grant.role for grant in grants_of(user)}
    return [role for role in Role if role in names]


def role_names_of(people: Iterable[User]) -> dict[int, list[str]]:
    """The roles of many people by their keys, each in the order of the roles; for lists."""
    keys = [person.pk for person in people]
    grants = AccessGrant.objects.in_force().order_by()
    own = grants.filter(person__in=keys).values_list("person", "role")
    by_group = grants.filter(group__user__in=keys).values_list("group__user", "role")
    found: dict[int, set[str]] = {key: set() for key in keys}
    for key, role in own.union(by_group):
        found.get(key, set()).add(role)
    return {key: [role.label for role in Role if role in names] for key, names in found.items()}


def has_right(user: Any, right: Right) -> bool:
    """Whether the user may do this anywhere at all."""
    return bool(scope_of(user, right).parts)


def people_with(right: Right) -> QuerySet[User]:
    """The active people who have this right somewhere, by user name."""
    return _holders(_grants_with(right), whole=right in WHOLE)


def scopes_of(people: Iterable[User], right: Right) -> dict[int, Scope]:
    """Where each of these active people has the right, by their keys; for mails and lists."""
    parts: dict[int, list[Part]] = {
        person.pk: [EVERYTHING] if person.is_superuser else [] for person in people
    }
    grants = list(_grants_with(right).select_related("unit"))
    members = _members_of({grant.group_id for grant in grants if grant.group_id})
    for grant in grants:
        if lack_of(grant, right) is None:
            for key in [grant.person_id] if grant.person_id else members[grant.group_id]:
                parts.get(key, []).append(Part.of(grant))
    return {key: Scope(tuple(dict.fromkeys(found))) for key, found in parts.items()}


def _members_of(groups: set[int]) -> dict[int | None, list[int]]:
    """The people of each group, by keys; no query where there is no group."""
    members: dict[int | None, list[int]] = {key: [] for key in groups}
    pairs = User.groups.through.objects.filter(group__in=groups) if groups else ()
    for pair in pairs:
        members[pair.group_id].append(pair.user_id)
    return members


def people_with_role(role: Role) -> QuerySet[User]:
    """The active people who have this role somewhere, superusers aside."""
    return _holders(AccessGrant.objects.in_force().filter(role=role)).exclude(is_superuser=True)


def _grants_with(right: Right) -> QuerySet[AccessGrant]:
    roles = [role for role, rights in ROLE_RIGHTS.items() if right in rights]
    return AccessGrant.objects.in_force().filter(role__in=roles)


def _holders(grants: QuerySet[AccessGrant], *, whole: bool = False) -> QuerySet[User]:
    if whole:
        grants = grants.filter(pk__in=AccessGrant.objects.everywhere().values("pk"))
    is_holder = Q(pk__in=grants.values("person")) | Q(
        pk__in=User.objects.filter(groups__in=grants.values("group")).values("pk")
    )
    return User.objects.filter(Q(is_superuser=True) | is_holder, is_active=True).order_by("username")


def require(user: Any, right: Right) -> None:
    """Raise PermissionDenied unless the user has the right somewhere."""
    if not has_right(user, right):
        text = f"This needs the right “{right.label}”. Ask an administrator for a role that has it."
        raise NotAllowed(text, right=right)


def require_in(context: Context, right: Right) -> None:
    """Raise PermissionDenied unless the context may do this; the portal itself and its operator may.

    Commands without --as and workers have no actor: who runs them owns the machine. A page always has one.
    """
    if context.actor is not None or context.source == Source.PAGE:
        require(context.actor, right)


def accounts_with(user: Any, right: Right) -> QuerySet[Account]:
    """The accounts for which the user has this right, of one contact at least; those that left included."""
    return Account.objects.filter(scope_of(user, right).accounts())


def visible_to(user: Any) -> QuerySet[Account]:
    """The accounts the user may see, those that left included."""
    return accounts_with(user, Right.VIEW)


def organizations_visible_to(user: Any) -> QuerySet[Organization]:
    """The organizations of which the user may see a part."""
    parts = scope_of(user, Right.VIEW).parts
    if any(part.account is None and part.organization is None for part in parts):
        return Organization.objects.all()
    accounts = Account.objects.filter(pk__in=[part.account for part in parts if part.account])
    named = [part.organization for part in parts if part.organization]
    return Organization.objects.filter(Q(pk__in=named) | Q(pk__in=accounts.values("organization")))


def whole_organizations_visible_to(user: Any) -> QuerySet[Organization]:
    """The organizations that the user may see as a whole: their checks, figures and credentials' names."""
    wholes = [part for part in scope_of(user, Right.VIEW).parts if not (part.account or part.unit_path)]
    if any(part.organization is None for part in wholes):
        return Organization.objects.all()
    return Organization.objects.filter(pk__in=[part.organization for part in wholes])


def sees_whole(user: Any, organization_pk: int | None) -> bool:
    """The same for one organization, by its key; it asks no database."""
    wholes = [part for part in scope_of(user, Right.VIEW).parts if not (part.account or part.unit_path)]
    return any(part.organization in (None, organization_pk) for part in wholes)


def units_visible_to(user: Any) -> QuerySet[OrganizationalUnit]:
    """The units of which the user may see everything, from the top of each part on."""
    conditions = []
    for part in scope_of(user, Right.VIEW).parts:
        if not part.account:
            inside = Q() if part.organization is None else Q(organization=part.organization)
            conditions.append(inside & Q(path__startswith=part.unit_path) if part.unit_path else inside)
    return OrganizationalUnit.objects.filter(any_of(conditions))


def can(user: Any, right: Right, account: Account, contact_type: str = "") -> bool:
    """Whether the user has the right for this account; with a type, for that contact of it."""
    return scope_of(user, right).covers(account, contact_type)


def require_can(user: Any, right: Right, account: Account, contact_type: str = "") -> None:
    """Raise PermissionDenied unless the user has the right for this account, or for that contact of it."""
    if not can(user, right, account, contact_type):
        raise PermissionDenied(f"This needs the right “{right.label}” for account {account.aws_id}.")


def can_edit(user: Any, account: Account, contact_type: str) -> bool:
    """Whether the user may change this contact. Says nothing about whether AWS would let us."""
    return can(user, Right.EDIT, account, contact_type)


def require_can_edit(user: Any, account: Account, contact_type: str) -> None:
    """Raise PermissionDenied unless the user may change this contact."""
    if not can_edit(user, account, contact_type):
        text = f"You may not change the {contact_type} contact of account {account.aws_id}."
        raise NotAllowed(text, right=Right.EDIT, account=account.aws_id, contact_type=contact_type)
