"""Refused attempts in the audit: every 403 that somebody signed in gets, by whatever view or middleware."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit.context import page_context
from audit.log import record
from audit.models import Action

FORBIDDEN = 403


class RefusalMiddleware:
    """Records who was refused what; the address and the method, never what was sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == FORBIDDEN and request.user.is_authenticated:
            detail = {"method": request.method, "path": request.path}
            record(Action.ACCESS_REFUSED, page_context(request), detail=detail)
        return response
