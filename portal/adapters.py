"""allauth's switches that are code: nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.dispatch import Signal
from django.http import HttpRequest
from django.urls import reverse

from portal.middleware import PortalRequest

# Somebody tried too often and is not even asked; allauth tells nobody. Arguments: request, credentials.
sign_in_stopped = Signal()


class AccountAdapter(DefaultAccountAdapter):
    """Administrators make the users; the sign-up page is closed."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "User name and password do not match.",
        "too_many_login_attempts": "Too many tries. Signing in pauses for a few minutes.",
        "enter_current_password": "This is not your current password.",
        "incorrect_password": "This is not your password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Say so when the limit stops somebody: what is tried then reaches no other signal."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            sign_in_stopped.send(type(self), request=request, credentials=credentials)
            raise

    def get_client_ip(self, request: PortalRequest) -> str:
        """The address the audit keeps is the one that rate limits count by."""
        return request.client_ip or super().get_client_ip(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("orgs:profile")
