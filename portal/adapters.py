"""allauth's switches that are code: nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from portal.middleware import PortalRequest


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

    def get_client_ip(self, request: PortalRequest) -> str:
        """The address the audit keeps is the one that rate limits count by."""
        return request.client_ip or super().get_client_ip(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("orgs:profile")
