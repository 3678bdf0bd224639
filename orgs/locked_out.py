"""What the operator can do for somebody who cannot get in; each leaves its event."""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.sessions import drop_sessions
from portal.models import User


def link_to_provider(user: User, subject: str, *, context: Context) -> None:
    """Let a person in as this subject of the identity provider from now on, and as no other.

    Raises ValidationError without a provider, for who left, and for a subject that is somebody else's.
    """
    provider = settings.IDENTITY_PROVIDER
    if provider is None:
        raise ValidationError("No identity provider is configured. Set OIDC_ISSUER first.")
    if user.is_former:
        raise ValidationError("This person left and is shown under another name. Make a new one instead.")
    with transaction.atomic():
        links = SocialAccount.objects.select_for_update().filter(provider=provider.id)
        holder = links.filter(uid=subject).first()
        if holder and holder.user_id != user.pk:
            raise ValidationError(f"This subject is linked to {holder.user.username} already.")
        links.filter(user=user).exclude(uid=subject).delete()
        if holder is None:
            SocialAccount.objects.create(user=user, provider=provider.id, uid=subject)
        detail = {"user_id": user.pk, "user": user.username}
        after = {"provider": provider.id, "subject": subject}
        record(Action.PROVIDER_LINKED, context, detail=detail, after=after)


def forget_second_step(user: User, *, context: Context) -> int:
    """Remove somebody's authenticator app, passkeys and recovery codes, and end their sessions; how many."""
    with transaction.atomic():
        removed, _ = Authenticator.objects.filter(user=user).delete()
        if removed:
            drop_sessions(user)
            detail = {"user_id": user.pk, "user": user.username}
            record(Action.SIGN_IN_CHANGED, context, detail=detail, after={"removed": "everything"})
    return removed
