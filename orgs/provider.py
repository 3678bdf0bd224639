"""People who come from the company's identity provider: known by their subject, made at the first sign-in."""

import logging
import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import render

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.provider_claims import CLOCK_SKEW, Claims, ProviderRefused, claims_of
from orgs.provider_groups import renew_groups
from orgs.sign_ins import record_seldom, sign_in_context
from portal.confirming import PROVIDER_TIME
from portal.models import User
from portal.provider_views import SINCE, provider_or_404

logger = logging.getLogger(__name__)
FORBIDDEN = 403
OTHER_PERSON = "The provider signed in somebody else than the person who is signed in here."
NOT_ASKED_AGAIN = "The provider did not say that it asked you again just now (claim auth_time)."


class ProviderAdapter(DefaultSocialAccountAdapter):
    """What the portal does with an answer of the provider. Nothing of it is kept but the subject."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def list_apps(self, request: HttpRequest, **wanted: Any) -> list[SocialApp]:
        """The provider of the settings; a row of the database could bring in another one."""
        return [app for app in super().list_apps(request, **wanted) if app.pk is None]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        try:
            claims = _take_claims(sociallogin)
            if sociallogin.state.get("process") == AuthProcess.REDIRECT:
                _confirm(request, sociallogin, claims)
            elif sociallogin.state.get("process") == AuthProcess.LOGIN:
                _admit(request, sociallogin, claims)
            else:
                raise ProviderRefused("Nothing else than signing in is offered here.")
        except ProviderRefused as refusal:
            raise ImmediateHttpResponse(_refused(request, sociallogin, refusal)) from refusal

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **_: Any
    ) -> None:
        """What failed between the provider and us goes into the log; the person reads a page."""
        logger.warning("sign-in by the provider failed: %s %s", error, type(exception).__name__)
        record_seldom(request, {"step": "provider", "cause": str(error)})


def _take_claims(sociallogin: SocialLogin) -> Claims:
    """The claims; from here on neither they nor the provider's token reach the database."""
    account = sociallogin.account
    raw, account.extra_data, sociallogin.token = account.extra_data, {}, None
    if account.pk:
        account.save(update_fields=["extra_data"])
    claims = claims_of(raw, groups_claim=provider_or_404().groups_claim)
    sociallogin.state[PROVIDER_TIME] = claims.authenticated_at
    return claims


def _admit(request: HttpRequest, sociallogin: SocialLogin, claims: Claims) -> None:
    """Renew the groups of a person who is known, or make one who has at least one group of ours."""
    with transaction.atomic():
        if not sociallogin.is_existing:
            _make_person(request, sociallogin, claims)
        user = sociallogin.user
        if user.is_active:
            renew_groups(user, claims.groups, context=sign_in_context(request, user))


def _make_person(request: HttpRequest, sociallogin: SocialLogin, claims: Claims) -> None:
    if not Group.objects.filter(name__in=claims.groups).exists():
        raise ProviderRefused(
            "None of your groups has access to this portal. Ask an administrator of the portal.",
            cause="no group of ours",
        )
    if User.objects.filter(Q(username__iexact=claims.username) | _same_email(claims.email)).exists():
        raise ProviderRefused(
            "Somebody with your user name or e-mail address is here already, and is not linked to the "
            "provider. Ask the operator of the portal to link you.",
            cause="name or e-mail is taken",
        )
    user = User(
        username=claims.username,
        first_name=claims.first_name[:150],
        last_name=claims.last_name[:150],
        email=claims.email,
    )
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise ProviderRefused(
            "The provider gives you a user name or an e-mail address that the portal cannot use.",
            cause=f"unusable: {', '.join(error.message_dict)}",
        ) from error
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise ProviderRefused(
            "Somebody signed in for the first time with your user name in this very moment. Sign in again.",
            cause="made meanwhile",
        ) from error
    sociallogin.connect(request, user)
    _record_new(request, sociallogin, user)


def _record_new(request: HttpRequest, sociallogin: SocialLogin, user: User) -> None:
    after = {"username": user.username, "email": user.email, "provider": sociallogin.account.provider}
    detail = {"user_id": user.pk, "user": user.username, "subject": sociallogin.account.uid}
    record(Action.USER_CREATED, sign_in_context(request, user), detail=detail, after=after)


def _same_email(email: str) -> Q:
    return Q(email__iexact=email) if email else Q(pk=None)


def _confirm(request: HttpRequest, sociallogin: SocialLogin, claims: Claims) -> None:
    """Take note that the provider asked the very same person again, after we wanted it to."""
    if not request.user.is_authenticated or sociallogin.user != request.user:
        raise ProviderRefused(OTHER_PERSON, cause="another person")
    since = (sociallogin.state.get("data") or {}).get(SINCE, time.time())
    if claims.authenticated_at < since - CLOCK_SKEW:
        raise ProviderRefused(NOT_ASKED_AGAIN, cause="did not ask again")
    account = sociallogin.account
    record_authentication(
        request,
        sociallogin.user,
        "socialaccount",
        provider=account.provider,
        uid=account.uid,
        reauthenticated=True,
    )
    request.session[PROVIDER_TIME] = claims.authenticated_at


def _refused(request: HttpRequest, sociallogin: SocialLogin, refusal: ProviderRefused) -> Any:
    """The page that says why, and the event; the subject lets an operator link the person."""
    detail = {"step": "provider", "cause": refusal.cause, "subject": sociallogin.account.uid}
    if sociallogin.is_existing:
        detail |= {"user_id": sociallogin.user.pk, "user": sociallogin.user.username}
    context: Context = sign_in_context(request, None)
    record(Action.SIGN_IN_FAILED, context, detail=detail)
    page = {"refusal": refusal, "provider": settings.IDENTITY_PROVIDER, "subject": sociallogin.account.uid}
    return render(request, "socialaccount/refused.html", page, status=FORBIDDEN)
