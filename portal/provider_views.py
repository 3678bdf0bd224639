"""To the company's identity provider and back: to sign in, and to confirm that it is still the same person.

A form's answer may not lead to another host (form-action of the Content-Security-Policy, which browsers hold
against every redirect after it). So people leave by a link, and nothing else is ever started by a GET.
"""

import logging
import time
from typing import Any

import requests
from allauth.account.adapter import get_adapter as account_adapter
from allauth.account.internal.decorators import login_not_required
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.identity_provider import IdentityProvider

logger = logging.getLogger(__name__)
SINCE = "confirming_since"
ASK_AGAIN = {"prompt": "login", "max_age": "0"}
BAD_GATEWAY = 502


@login_not_required
@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Sign in there, and come back to where one wanted to go."""
    return _leave(request, AuthProcess.LOGIN, next_url=get_next_redirect_url(request))


@never_cache
@require_safe
def confirm(request: HttpRequest) -> HttpResponse:
    """Say why, and offer the way to the provider."""
    methods = account_adapter(request).get_reauthentication_methods(request.user)
    if "provider" not in {method["id"] for method in methods}:
        raise Http404
    query = urlencode({"next": get_next_redirect_url(request) or "/"})
    context = {
        "provider": settings.IDENTITY_PROVIDER,
        "leave_url": f"{reverse('provider_confirm_start')}?{query}",
        "reauthentication_alternatives": [
            method | {"url": f"{method['url']}?{query}"} for method in methods if method["id"] != "provider"
        ],
    }
    return render(request, "account/confirm_at_provider.html", context)


@never_cache
@require_safe
def confirm_start(request: HttpRequest) -> HttpResponse:
    """Have the provider ask once more; orgs/provider.py looks at what it says."""
    query = urlencode({"next": get_next_redirect_url(request) or "/"})
    return _leave(
        request,
        AuthProcess.REDIRECT,
        next_url=f"{reverse('provider_confirm_done')}?{query}",
        data={SINCE: time.time()},
        auth_params=dict(ASK_AGAIN),
    )


@never_cache
@require_safe
def confirm_done(request: HttpRequest) -> HttpResponse:
    """Go on with what waited. Whether enough was confirmed, its own view decides."""
    return resume_request(request) or HttpResponseRedirect("/")


def provider_or_404() -> IdentityProvider:
    """The provider that is configured."""
    if settings.IDENTITY_PROVIDER is None:
        raise Http404
    return settings.IDENTITY_PROVIDER


def _leave(request: HttpRequest, process: str, **facts: Any) -> HttpResponse:
    provider = get_adapter(request).get_provider(request, provider_or_404().id)
    try:
        return provider.redirect(request, process, **facts)
    except (requests.RequestException, OAuth2Error, KeyError) as error:
        logger.warning("the identity provider does not say where to sign in: %s", type(error).__name__)
        return render(request, "socialaccount/authentication_error.html", status=BAD_GATEWAY)
