"""Giving and ending grants, and who is in which group; every change of them is an audit event."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, require_in
from orgs.contact_types import ContactType
from orgs.models import (
    AccessGrant,
    Account,
    Organization,
    OrganizationalUnit,
    ProviderMembership,
    Role,
)
from portal.models import User

Place = Organization | OrganizationalUnit | Account | None  # None: everywhere


def draft_grant(
    holder: User | Group,
    role: Role,
    *,
    place: Place = None,
    contact_types: Iterable[str] = (),
    ends_at: datetime | None = None,
) -> AccessGrant:
    """The grant as it would be given, not given yet; raises ValidationError by field."""
    if ends_at is not None and ends_at <= timezone.now():
        raise ValidationError({"ends_at": "The end lies in the past. Choose a later day, or none."})
    if isinstance(holder, User) and holder.is_former:
        raise ValidationError("This person left and is shown under another name. Make a new one instead.")
    grant = AccessGrant(
        role=Role(role),
        contact_types=_types(contact_types),
        ends_at=ends_at,
        **_held_by(holder),
        **_at(place),
    )
    grant.full_clean()
    return grant


def give_grant(
    holder: User | Group,
    role: Role,
    *,
    place: Place = None,
    contact_types: Iterable[str] = (),
    ends_at: datetime | None = None,
    context: Context,
) -> AccessGrant:
    """Give a person or a group a role; the one they have already, where it is the same.

    Raises PermissionDenied, and ValidationError by field.
    """
    require_in(context, Right.PEOPLE)
    grant = draft_grant(holder, role, place=place, contact_types=contact_types, ends_at=ends_at)
    with transaction.atomic():
        lock_administrators()
        if twin := _twin_of(grant):
            return twin
        grant.save(force_insert=True)
        _record(Action.GRANT_GIVEN, grant, context, after=grant_facts(grant))
    forget_grants(holder)
    return grant


def end_grant(grant: AccessGrant, *, context: Context) -> None:
    """Take it back now; its row stays, as history. An administrator always remains.

    Raises PermissionDenied, and ValidationError where nobody else would manage people.
    """
    require_in(context, Right.PEOPLE)
    with transaction.atomic():
        lock_administrators()
        grant = AccessGrant.objects.select_for_update().get(pk=grant.pk)
        if not grant.is_in_force:
            return
        if grant.role == Role.ADMINISTRATOR:
            require_administrator_without(grants=AccessGrant.objects.filter(pk=grant.pk), context=context)
        before = grant_facts(grant)
        grant.ends_at = timezone.now()
        grant.save(update_fields=["ends_at"])
        _record(Action.GRANT_ENDED, grant, context, before=before)
    forget_grants(grant.person)


def create_group(name: str, *, context: Context) -> Group:
    """Make a group of people; raises PermissionDenied, and ValidationError by field."""
    require_in(context, Right.PEOPLE)
    group = Group(name=name.strip())
    group.full_clean()
    with transaction.atomic():
        group.save(force_insert=True)
        record(Action.GROUP_CREATED, context, detail=_group_facts(group))
    return group


def add_member(group: Group, person: User, *, context: Context) -> None:
    """Let a person be in the group too; raises PermissionDenied, and ValidationError where they left."""
    require_in(context, Right.PEOPLE)
    if person.is_former:
        raise ValidationError("This person left and is shown under another name. Make a new one instead.")
    _change_members(group, lambda members: members | {person}, context)


def remove_member(group: Group, person: User, *, context: Context) -> None:
    """Let a person be in the group no longer. An administrator always remains."""
    require_in(context, Right.PEOPLE)
    _change_members(group, lambda members: members - {person}, context)


def delete_group(group: Group, *, context: Context) -> None:
    """Remove a group that nothing was ever given to, or whose grants have all ended."""
    require_in(context, Right.PEOPLE)
    with transaction.atomic():
        Group.objects.select_for_update().get(pk=group.pk)
        if AccessGrant.objects.in_force().filter(group=group).exists():
            raise ValidationError("The group still has grants. End them first.")
        before = {"members": _names(group.user_set.all())}
        facts = _group_facts(group)
        group.delete()
        record(Action.GROUP_DELETED, context, before=before, detail=facts)


def _change_members(group: Group, change: Callable[[set[User]], set[User]], context: Context) -> None:
    """The members as they are under the lock become those of change()."""
    with transaction.atomic():
        lock_administrators()
        Group.objects.select_for_update().get(pk=group.pk)
        members = set(group.user_set.all())
        people = change(members)
        if members == people:
            return
        leaving = group.user_set.filter(pk__in=[person.pk for person in members - people])
        if group.grants.in_force().filter(role=Role.ADMINISTRATOR).exists():
            require_administrator_without(members=(group, leaving), context=context)
        group.user_set.set(people)
        ProviderMembership.objects.filter(group=group).exclude(user__in=people).delete()
        facts = {"before": {"members": _names(members)}, "after": {"members": _names(people)}}
        record(Action.GROUP_CHANGED, context, detail=_group_facts(group), **facts)


def administrators() -> QuerySet[User]:
    """Everybody who is active and may manage people, without an end."""
    grants = AccessGrant.objects.filter(role=Role.ADMINISTRATOR, ends_at=None)
    return _administrators_by(grants)


def require_administrator_without(
    *,
    grants: QuerySet[AccessGrant] | None = None,
    members: tuple[Group, QuerySet[User]] | None = None,
    person: User | None = None,
    context: Context,
) -> None:
    """Raise ValidationError if, without these, nobody who is active would manage people without an end.

    Nobody takes this away from oneself either: another administrator does. The caller holds the lock.
    """
    left = AccessGrant.objects.filter(role=Role.ADMINISTRATOR, ends_at=None)
    if grants is not None:
        left = left.exclude(pk__in=grants.values("pk"))
    remaining = _administrators_by(left)
    if person is not None:
        remaining = remaining.exclude(pk=person.pk)
    if members is not None:
        group, leaving = members
        others = _administrators_by(left.exclude(group=group))
        staying = group.user_set.exclude(pk__in=leaving.values("pk"))
        remaining = remaining.filter(Q(pk__in=others.values("pk")) | Q(pk__in=staying.values("pk")))
    if not remaining.exists():
        raise ValidationError("This is the last administrator. Make another one first.")
    actor = context.actor
    if actor is not None and not actor.is_superuser and not remaining.filter(pk=actor.pk).exists():
        raise ValidationError("You cannot do this to yourself. Ask another administrator.")


def lock_administrators() -> None:
    """Two administrators who remove each other at the same moment come here one after the other."""
    list(AccessGrant.objects.select_for_update().filter(role=Role.ADMINISTRATOR).order_by("pk"))


def grant_facts(grant: AccessGrant) -> dict[str, Any]:
    """The grant for an event: ids and names, as text."""
    return {
        "role": grant.role,
        "where": grant.place_words,
        "contact_types": list(grant.contact_types) or "all",
        "ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
    }


def forget_grants(holder: Any) -> None:
    """Let a person's rights be looked up anew in this process."""
    if holder is not None:
        holder.__dict__.pop("_grants", None)


def _administrators_by(grants: QuerySet[AccessGrant]) -> QuerySet[User]:
    by_group = User.objects.filter(groups__in=grants.values("group")).values("pk")
    has_it = Q(is_superuser=True) | Q(pk__in=grants.values("person")) | Q(pk__in=by_group)
    return User.objects.filter(has_it, is_active=True)


def _held_by(holder: User | Group) -> dict[str, User | Group]:
    return {"person" if isinstance(holder, User) else "group": holder}


def _at(place: Place) -> dict[str, Place]:
    if place is None:
        return {}
    names = {Organization: "organization", OrganizationalUnit: "unit", Account: "account"}
    return {names[type(place)]: place}


def _types(contact_types: Iterable[str]) -> list[str]:
    """In AWS's order; all of them are the same as none named."""
    wanted = set(contact_types)
    unknown = sorted(wanted - set(ContactType.values))
    return (
        [] if wanted >= set(ContactType.values) else [t for t in ContactType.values if t in wanted] + unknown
    )


def _twin_of(grant: AccessGrant) -> AccessGrant | None:
    """The same grant, in force: a double click gives it once."""
    same = AccessGrant.objects.in_force().filter(
        person=grant.person,
        group=grant.group,
        role=grant.role,
        organization=grant.organization,
        unit=grant.unit,
        account=grant.account,
        contact_types=grant.contact_types,
        ends_at=grant.ends_at,
    )
    return same.first()


def _record(action: Action, grant: AccessGrant, context: Context, **facts: Any) -> None:  # Any: event columns
    detail = {"grant_id": grant.pk, "holder": grant.holder}
    if grant.person:
        detail |= {"user_id": grant.person.pk, "user": grant.person.username}
    record(action, context, detail=detail, **facts)


def _group_facts(group: Group) -> dict[str, Any]:
    return {"group_id": group.pk, "group": group.name}


def _names(people: Iterable[User]) -> list[str]:
    return sorted(person.username for person in people)
