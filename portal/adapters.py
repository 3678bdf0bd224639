"""allauth's switches that are code: nobody signs up by themselves, and who proves how that it is them."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from portal.confirming import must_confirm, set_aside
from portal.guessing import remember_device, take_try
from portal.middleware import PortalRequest
from portal.models import User

# Somebody tried too often and is not even asked; allauth tells nobody. Arguments: request, credentials.
sign_in_stopped = Signal()
CONFIRM_WORDS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}


class AccountAdapter(DefaultAccountAdapter):
    """Administrators make the users; the sign-up page is closed."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "User name and password do not match.",
        "too_many_login_attempts": "Too many tries. Signing in pauses for a few minutes.",
        "enter_current_password": "This is not your current password.",
        "incorrect_password": "This is not your password.",
        "password_is_off": "Passwords do not sign in here. Use one of the other ways.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try by our own limits; what is stopped here reaches no other signal."""
        if not settings.PASSWORD_SIGN_IN:
            raise self.validation_error("password_is_off")
        # The library gives back what is kept under this name when the password is right.
        self._login_failed_rl_usage = take_try(request, credentials.get("username", ""))
        if self._login_failed_rl_usage is None:
            sign_in_stopped.send(type(self), request=request, credentials=credentials)
            raise self.validation_error("too_many_login_attempts")

    def post_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponse:
        response = super().post_login(request, user, **facts)
        remember_device(request, response, user)
        return response

    def get_login_stages(self) -> list[str]:
        ours = {"allauth.mfa.stages.AuthenticateStage": "portal.stages.SecondStep"}
        return [ours.get(stage, stage) for stage in super().get_login_stages()]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Our own rule. Raised here: the library lets who has neither password nor second step pass."""
        if must_confirm(context.request):
            if context.request.method == "POST":
                set_aside(context.request)
            raise ReauthenticationRequired
        return False

    def get_reauthentication_methods(self, user: Any) -> list[dict]:
        """The ways in which this person can prove that it is them; the first is the one that is offered."""
        methods = super().get_reauthentication_methods(user)
        found = [method | {"description": CONFIRM_WORDS[method["id"]]} for method in methods]
        if not settings.PASSWORD_SIGN_IN:
            found = [method for method in found if method["id"] != "reauthenticate"]
        provider = settings.IDENTITY_PROVIDER
        if provider and SocialAccount.objects.filter(user_id=user.pk, provider=provider.id).exists():
            way = {
                "id": "provider",
                "description": f"Use {provider.name}",
                "url": reverse("provider_confirm"),
            }
            found.insert(0 if came_by_provider(context.request, user) else len(found), way)
        return found

    def get_client_ip(self, request: PortalRequest) -> str:
        """The address the audit keeps is the one that rate limits count by."""
        return request.client_ip or super().get_client_ip(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("orgs:profile")


class SecondStepAdapter(DefaultMFAAdapter):
    """How authenticator apps and passkeys call the portal."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "Incorrect code.",
    }

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        name = f"Alternate Contacts, {settings.COMPANY_NAME}".rstrip(", ")
        return super().get_public_key_credential_rp_entity() | {"name": name}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"


def came_by_provider(request: HttpRequest, user: Any) -> bool:
    """Whether this session began at the company's identity provider."""
    methods = [record.get("method") for record in get_authentication_records(request, user)]
    return methods[:1] == ["socialaccount"]
