"""Who holds a role that asks for a second step sets one up before anything else."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from orgs.access import roles_of
from portal.adapters import came_by_provider

# Enough to set one up, to prove that it is oneself, and to leave.
OPEN_WITHOUT = {
    "mfa_index",
    "mfa_activate_totp",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "provider_confirm",
    "provider_confirm_start",
    "provider_confirm_done",
    "openid_connect_callback",
    "account_logout",
}
WORDS = "Your role needs a second step at sign-in. Set one up to go on."


class SecondFactorMiddleware:
    """Leads such people to their set-up, whatever they asked for; nothing of it is done."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.view_name in OPEN_WITHOUT or not lacks_second_factor(request):
            return None
        response = redirect("mfa_index")
        if request.headers.get("HX-Request"):  # a part of a page: the whole page has to go
            return HttpResponseClientRedirect(response.url)
        messages.warning(request, WORDS)
        return response


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether the person needs a second step and this session rests on none."""
    return needs_second_factor(request.user) and not _has_one(request)


def needs_second_factor(user: Any) -> bool:
    """Whether one of the person's roles asks for it; superusers have every role."""
    if not settings.SECOND_FACTOR_ROLES or not user.is_authenticated:
        return False
    return user.is_superuser or any(role.value in settings.SECOND_FACTOR_ROLES for role in roles_of(user))


def _has_one(request: HttpRequest) -> bool:
    provider = settings.IDENTITY_PROVIDER
    if provider and provider.asks_second_factor and came_by_provider(request, request.user):
        return True
    return has_second_factor(request.user)


def has_second_factor(user: Any) -> bool:
    """Whether the person has set one up here; the identity provider may ask for another."""
    return is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
