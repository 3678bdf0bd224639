"""Sign-ins in the audit: Django's and the sign-in library's signals become events."""

import time
import uuid
from typing import Any
from urllib.parse import quote

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_changed
from allauth.account.signals import user_logged_in as fully_signed_in
from allauth.mfa import signals as second_step
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest

from audit.context import Context, Source
from audit.log import record
from audit.models import Action
from portal.adapters import sign_in_stopped
from portal.confirming import PROVIDER_TIME
from portal.middleware import SEEN_AT
from portal.models import User

# People type passwords into the field for the name, so only a name we know is written down.
UNKNOWN_NAME = "unknown name"
SELDOM = 60  # seconds; whoever floods the door shall not flood the audit


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:  # Any: what else a signal carries
    ways = [_way_of(record) for record in get_authentication_records(request, user)]
    detail = {"user_id": user.pk, "user": user.username, "by": ways}
    record(Action.SIGNED_IN, sign_in_context(request, user), detail=detail)


@receiver(fully_signed_in)
def _session_begins(request: HttpRequest, sociallogin: Any = None, **_: Any) -> None:
    """The list of sessions shows it from now on; and when the provider asked is kept with it."""
    request.session[SEEN_AT] = time.time()
    if sociallogin is not None:
        request.session[PROVIDER_TIME] = sociallogin.state.get(PROVIDER_TIME, 0)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        _record(Action.SIGNED_OUT, request, user)


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    detail = _named_in(credentials) | {"step": "password"}
    record(Action.SIGN_IN_FAILED, sign_in_context(request, None), detail=detail)


@receiver(sign_in_stopped)
def note_stopped(request: HttpRequest, credentials: dict[str, Any] | None = None, **_: Any) -> None:
    """Too many tries: one event a minute for each name and address, however many tries there are."""
    record_seldom(request, _named_in(credentials or {}) | {"step": "too many tries"})


def record_seldom(request: HttpRequest, detail: dict[str, Any]) -> None:
    """A failure that costs nothing to bring about: one event a minute for each address and detail."""
    context = sign_in_context(request, None)
    kind = quote(":".join(str(fact) for fact in detail.values()))
    if cache.add(f"sign-in-failed:{context.ip}:{kind}", 1, timeout=SELDOM):
        record(Action.SIGN_IN_FAILED, context, detail=detail)


@receiver(second_step.authentication_failed)
def _code_failed(request: HttpRequest, user: User, **_: Any) -> None:
    detail = {"user_id": user.pk, "user": user.username, "step": "code"}
    record(Action.SIGN_IN_FAILED, sign_in_context(request, None), detail=detail)


@receiver(password_changed)
def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    _record(Action.PASSWORD_CHANGED, request, user)


@receiver(second_step.authenticator_added)
def _added(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:  # Any: allauth's model
    _record(Action.SIGN_IN_CHANGED, request, user, after={"added": authenticator.type})


@receiver(second_step.authenticator_removed)
def _removed(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _record(Action.SIGN_IN_CHANGED, request, user, after={"removed": authenticator.type})


@receiver(second_step.authenticator_reset)
def _renewed(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _record(Action.SIGN_IN_CHANGED, request, user, after={"renewed": authenticator.type})


def _named_in(credentials: dict[str, Any]) -> dict[str, Any]:
    """The user that somebody claims to be, for an event's detail."""
    user = User.objects.filter(username=credentials.get("username", "")).first()
    return {"user_id": user.pk, "user": user.username} if user else {"user": UNKNOWN_NAME}


def _record(action: Action, request: HttpRequest, user: User, **facts: dict) -> None:
    record(
        action, sign_in_context(request, user), detail={"user_id": user.pk, "user": user.username}, **facts
    )


def _way_of(proof: dict[str, Any]) -> str:
    """“password”, “totp”, “recovery_codes”, “webauthn”, or “provider”."""
    if proof["method"] == "socialaccount":
        return "provider"
    return proof.get("type") or proof["method"]


def sign_in_context(request: HttpRequest | None, actor: User | None) -> Context:
    """The actor is given: while somebody signs in or out, request.user may be nobody."""
    return Context(
        actor=actor,
        source=Source.PAGE,
        request_id=getattr(request, "request_id", None) or uuid.uuid4().hex,
        ip=getattr(request, "client_ip", None),
    )
