"""Gives each request an id, and each reader their own time zone."""

import uuid
import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

Handler = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Sets request.request_id: the thread that ties a click to its audit events and its log lines."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id
        return response


class TimeZoneMiddleware:
    """Shows times in the zone the person chose, else in UTC."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = getattr(request.user, "time_zone", "")
        timezone.activate(zoneinfo.ZoneInfo(name or "UTC"))
        return self.get_response(request)
