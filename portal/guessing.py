"""Guessing passwords is slowed down by limits that nobody can turn against somebody else.

A browser that signed in as a person before carries a signed cookie, and has a limit of its own for that
person. So what others try, at the same address or elsewhere, never stops it.
"""

import secrets

from allauth.account.internal.userkit import get_user_by_username
from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from portal.models import User

# Failures: those that succeed are given back.
PER_KNOWN_DEVICE = "10/5m/key"
PER_ADDRESS = "20/m/ip"
PER_NAME_AND_ADDRESS = "5/5m/key"
PER_NAME = "50/15m/key"
REMEMBERED_FOR = 180 * 86_400  # seconds
REMEMBERED_PEOPLE = 5  # in one browser
SALT = "portal.known-device"


def take_try(request: HttpRequest, name: str) -> RateLimitUsage | None:
    """Count one try for this name, or return None when it is one too many."""
    usage = RateLimitUsage([])
    for step, rate, key in _limits(request, name.strip().lower()):
        taken = ratelimit.consume(request, app="portal", action=step, config={step: rate}, key=key)
        if taken is None:
            return None
        usage.usage += taken.usage
    return usage


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Mark this browser as one in which the person has signed in."""
    devices = _devices(request)
    device = devices.pop(user.pk, None) or secrets.token_urlsafe(16)
    newest_first = [(user.pk, device), *devices.items()][:REMEMBERED_PEOPLE]
    response.set_cookie(
        settings.KNOWN_DEVICE_COOKIE,
        signing.dumps(newest_first, salt=SALT),
        max_age=REMEMBERED_FOR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _limits(request: HttpRequest, name: str) -> list[tuple[str, str, str]]:
    """What counts this try: for each limit a name, its rate and its key."""
    user = get_user_by_username(name)
    device = _devices(request).get(user.pk) if user else None
    if device:
        return [("known-device", PER_KNOWN_DEVICE, device)]
    return [
        ("address", PER_ADDRESS, ""),
        ("name-and-address", PER_NAME_AND_ADDRESS, f"{name} {ratelimit.get_ip(request)}"),
        ("name", PER_NAME, name),
    ]


def _devices(request: HttpRequest) -> dict[int, str]:
    """The people who signed in with this browser, each with the browser's number for them."""
    value = request.COOKIES.get(settings.KNOWN_DEVICE_COOKIE, "")
    try:
        return dict(signing.loads(value, salt=SALT, max_age=REMEMBERED_FOR))
    except signing.BadSignature:  # absent, forged or too old
        return {}
