"""Who left: their name goes from pages and from the table of people; the audit keeps it under its seals."""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import transaction

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, require_in
from portal.models import User


def name_of_former(user: User) -> str:
    """What the person will be called."""
    return f"Former member {user.pk}"


def hide_name(user: User, *, context: Context) -> None:
    """Call a person who left “Former member 12” from now on, for good. Their events are not touched.

    Raises PermissionDenied, and ValidationError unless the person was deactivated before.
    """
    require_in(context, Right.PEOPLE)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if user.is_active:
            raise ValidationError("Deactivate this person first: only who left is shown under another name.")
        if user.is_former:
            return
        user.is_former = True
        user.username, user.email, user.time_zone = f"former-member-{user.pk}", "", ""
        user.first_name, _, user.last_name = name_of_former(user).rpartition(" ")
        user.set_unusable_password()
        user.full_clean()
        user.save()
        Authenticator.objects.filter(user=user).delete()
        SocialAccount.objects.filter(user=user).delete()  # else who comes back would still be this person
        detail = {"user_id": user.pk, "user": user.username}
        record(Action.USER_CHANGED, context, detail=detail, after={"is_former": True})
