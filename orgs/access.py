"""Who may do what. The only place that decides; pages and write functions ask here."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet

from audit.context import Context, Source
from orgs.models import Account, Organization
from portal.models import User


class Role(models.TextChoices):
    """The six roles. Each is a Django group of this name."""

    VIEWER = "Viewer", "Viewer"
    HELPDESK = "Helpdesk", "Helpdesk"
    EDITOR = "Editor", "Editor"
    APPROVER = "Approver", "Approver"
    AUDITOR = "Auditor", "Auditor"
    ADMINISTRATOR = "Administrator", "Administrator"


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


def rights_of(user: Any) -> frozenset[Right]:
    """Every right the user has; none for somebody who is not signed in or was deactivated."""
    if not getattr(user, "is_active", False) or not user.is_authenticated:
        return frozenset()
    if user.is_superuser:
        return frozenset(Right)
    if not hasattr(user, "_rights"):  # asked many times a request; roles do not change within one
        names = user.groups.values_list("name", flat=True)
        user._rights = frozenset().union(*(ROLE_RIGHTS[Role(n)] for n in names if n in Role.values))
    return user._rights


def roles_of(user: Any) -> list[Role]:
    """The user's roles, in the order of the roles."""
    names = set(user.groups.values_list("name", flat=True))
    return [role for role in Role if role in names]


def has_right(user: Any, right: Right) -> bool:
    """Whether the user may do this at all."""
    return right in rights_of(user)


def people_with(right: Right) -> QuerySet[User]:
    """The active people who have this right, by user name."""
    roles = [role for role, rights in ROLE_RIGHTS.items() if right in rights]
    has_role = Q(pk__in=User.objects.filter(groups__name__in=roles).values("pk"))
    return User.objects.filter(Q(is_superuser=True) | has_role, is_active=True).order_by("username")


def require(user: Any, right: Right) -> None:
    """Raise PermissionDenied unless the user has the right."""
    if not has_right(user, right):
        raise PermissionDenied(
            f"This needs the right “{right.label}”. Ask an administrator for a role that has it."
        )


def require_in(context: Context, right: Right) -> None:
    """Raise PermissionDenied unless the context may do this; the portal itself and its operator may.

    Commands without --as and workers have no actor: who runs them owns the machine. A page always has one.
    """
    if context.actor is not None or context.source == Source.PAGE:
        require(context.actor, right)


def visible_to(user: Any) -> QuerySet[Account]:
    """The accounts the user may see, those that left included."""
    if not has_right(user, Right.VIEW):
        return Account.objects.none()
    return Account.objects.all()


def organizations_visible_to(user: Any) -> QuerySet[Organization]:
    """The organizations the user may see."""
    if not has_right(user, Right.VIEW):
        return Organization.objects.none()
    return Organization.objects.all()


def can_edit(user: Any, account: Account, contact_type: str) -> bool:
    """Whether the user may change this contact. Says nothing about whether AWS would let us."""
    return has_right(user, Right.EDIT)


def require_can_edit(user: Any, account: Account, contact_type: str) -> None:
    """Raise PermissionDenied unless the user may change this contact."""
    if not can_edit(user, account, contact_type):
        raise PermissionDenied(f"You may not change the {contact_type} contact of account {account.aws_id}.")
