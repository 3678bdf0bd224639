"""Groups that the identity provider puts people into; those that people here chose are left alone."""

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.db import transaction

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.grants import forget_grants
from orgs.models import ProviderMembership
from portal.models import User


def renew_groups(user: User, names: Iterable[str], *, context: Context) -> None:
    """Put a person into the groups of these names that exist here, and out of those the provider took back.

    Who is in a group by hand stays there, whatever the provider says.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two sign-ins at once come one after the other
        wanted = {group.pk: group for group in Group.objects.filter(name__in=set(names))}
        before = dict(user.groups.values_list("pk", "name"))
        lent = ProviderMembership.objects.filter(user=user)
        gone = [pk for pk in lent.values_list("group_id", flat=True) if pk not in wanted]
        new = [pk for pk in wanted if pk not in before]
        lent.filter(group_id__in=gone).delete()
        user.groups.remove(*gone)
        user.groups.add(*new)
        ProviderMembership.objects.bulk_create(
            [ProviderMembership(user=user, group_id=pk) for pk in new], ignore_conflicts=True
        )
        after = dict(user.groups.values_list("pk", "name"))
        if after != before:
            _record(user, before.values(), after.values(), context)
    forget_grants(user)


def _record(user: User, before: Iterable[str], after: Iterable[str], context: Context) -> None:
    record(
        Action.GROUPS_RENEWED,
        context,
        detail={"user_id": user.pk, "user": user.username},
        before={"groups": sorted(before)},
        after={"groups": sorted(after)},
    )
