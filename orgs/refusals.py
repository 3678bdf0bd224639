"""Refused attempts in the audit: every 403, and every 429, by whatever view or middleware."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from audit.context import page_context
from audit.log import record
from audit.models import Action
from orgs.access import NotAllowed
from orgs.sign_ins import note_stopped

FORBIDDEN, TOO_MANY_REQUESTS = 403, 429


class RefusalMiddleware:
    """Records who was refused what; the address and the method, never what was sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Let the page that says no lead to the one that says why."""
        if isinstance(exception, NotAllowed):
            request.why_query = urlencode(exception.asked)  # type: ignore[attr-defined]  # for 403.html

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code in (FORBIDDEN, TOO_MANY_REQUESTS) and request.user.is_authenticated:
            detail = {"method": request.method, "path": request.path}
            record(Action.ACCESS_REFUSED, page_context(request), detail=detail)
        elif response.status_code == TOO_MANY_REQUESTS:
            note_stopped(request)
        return response
