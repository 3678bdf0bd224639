"""Before what matters most people confirm that it is them, unless they signed in or confirmed lately."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpRequest

PROVIDER_TIME = "provider_authenticated_at"
# Never kept between the asking and the confirming: a session is a row of the database.
SECRETS = ("password", "password1", "password2", "oldpassword")
View = TypeVar("View", bound=Callable[..., Any])


def must_confirm(request: HttpRequest) -> bool:
    """Whether the last time that the person proved who they are is too long ago."""
    if not settings.CONFIRM_AFTER:
        return False
    return time.time() - _proved_at(request) > settings.CONFIRM_AFTER


def confirmed(view: View) -> View:
    """What this view does on a POST waits until the person has confirmed; it goes on with what was sent."""
    return confirmed_where(lambda request: True)(view)


def confirmed_where(asks: Callable[[HttpRequest], bool]) -> Callable[[View], View]:
    """As confirmed(), for those POSTs alone of which asks() is true."""

    def decorate(view: View) -> View:
        @wraps(view)
        def first_confirm(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method == "POST" and asks(request) and must_confirm(request):
                set_aside(request)
                raise ReauthenticationRequired
            return view(request, *args, **kwargs)

        return cast(View, first_confirm)

    return decorate


def breaks_glass(request: HttpRequest) -> bool:
    """Whether the form asks to act before an approval."""
    return "break_glass" in request.POST


def _proved_at(request: HttpRequest) -> float:
    """The moment (seconds since 1970) of the latest proof; 0 without one.

    Being sent through an identity provider proves nothing new: only the provider knows when it asked last.
    """
    at = float(request.session.get(PROVIDER_TIME, 0))
    for record in get_authentication_records(request, cast(Any, request.user)):
        if record.get("method") != "socialaccount":
            at = max(at, record["at"])
    return at


def set_aside(request: HttpRequest) -> None:
    """The library keeps the request in the session and goes on with it later; make it fit to be kept.

    Secrets are left out, so that their fields are asked for again. So are cookies, which were read by now and
    would open what is not this session's. The query stays in GET; in the address it would keep the library
    from knowing the request again.
    """
    kept = request.POST.copy()
    for name in SECRETS:
        kept.pop(name, None)
    request.POST = kept  # type: ignore[assignment]  # what the stubs want cannot be written to
    request.META["QUERY_STRING"] = ""
    request.META.pop("HTTP_COOKIE", None)
