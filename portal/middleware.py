"""What each request and answer gets: an id, the sender's address, headers, a time zone; sessions are seen."""

import ipaddress
import time
import uuid
import zoneinfo
from collections.abc import Callable
from http import HTTPStatus

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.logs import current_request_id

Handler = Callable[[HttpRequest], HttpResponse]

# Pages hold contacts. What a page may use of a device: the clipboard for copying ids, and passkeys.
_NO_DEVICES = [
    *("accelerometer", "camera", "display-capture", "fullscreen", "geolocation", "gyroscope", "hid"),
    *("magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
]
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _NO_DEVICES),
}


class PortalRequest(HttpRequest):
    """A request as views get it."""

    request_id: str
    client_ip: str | None


class RequestIdMiddleware:
    """Sets client_ip, and request_id, which ties a click to its audit events and log lines."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex
        request.client_ip = client_ip(request)
        token = current_request_id.set(request.request_id)
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(token)
        response["X-Request-Id"] = request.request_id
        return response


class HeadersMiddleware:
    """Tells browsers to keep no page, to share none with other sites, and to lend pages no devices."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class NulMiddleware:
    """Refuses an address with a NUL: PostgreSQL can hold no such text, so nothing of ours is meant."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("The address holds a character that no address has.")
        return self.get_response(request)


class WrongMethodMiddleware:
    """Gives whoever opens the address of a form a page that says so; after a mistake it stands in the bar."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method != "GET" or response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        page = render(request, "405.html", status=response.status_code)
        page.headers["Allow"] = response.headers["Allow"]
        return page


class TimeZoneMiddleware:
    """Shows times in the zone the person chose, else in UTC."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = getattr(request.user, "time_zone", "")
        timezone.activate(zoneinfo.ZoneInfo(name or "UTC"))
        return self.get_response(request)


SEEN_AT = "seen_at"
SEEN_EVERY = 300  # seconds; the library's own middleware writes at each request


class LastSeenMiddleware:
    """Notes now and then when, from where and with what a session was used; sign-in makes its row."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._is_due(request):
            request.session[SEEN_AT] = time.time()
            UserSession.objects.create_from_request(request)
        return self.get_response(request)

    def _is_due(self, request: HttpRequest) -> bool:
        if not request.user.is_authenticated or SEEN_AT not in request.session:
            return False
        return time.time() - request.session[SEEN_AT] > SEEN_EVERY


def client_ip(request: HttpRequest) -> str | None:
    """The sender's address as the trusted proxies report it; None where it cannot be known.

    Each proxy appends the address it saw to X-Forwarded-For, so with two of them the second entry from the
    right is the sender's; whatever stands further left was written by the sender.
    """
    count = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    if not count:
        return _address(request.META.get("REMOTE_ADDR", ""))
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return _address(hops[-count].strip()) if len(hops) >= count else None


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
