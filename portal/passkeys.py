"""Forms and pages of passkeys, where we do it otherwise than allauth."""

import struct
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.webauthn import forms as library
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect

# What the library lets through when somebody sends what no browser sends.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, struct.error)
NOT_MADE = "No passkey was made. Try again."
NOT_USED = "This passkey does not fit. Try again."


class PasskeyForm(library.AddWebAuthnForm):
    """A new passkey: it signs in by itself unless the person wants it as a second step only."""

    name = forms.CharField(label="Name", required=False, max_length=60, help_text="To tell it from others.")
    passwordless = forms.BooleanField(
        label="Sign in with it alone",
        required=False,
        initial=True,
        help_text="Without it, this is a second step after your password, as a simple security key is.",
    )

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except (ValidationError, *UNREADABLE) as error:
            raise ValidationError(NOT_MADE) from error

    def full_clean(self) -> None:
        """The hidden field has no place of its own for what is wrong with it."""
        super().full_clean()
        if self._errors.pop("credential", None):
            self.add_error(None, NOT_MADE)


class _Used:
    """A passkey that is shown as a proof."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]  # of the form beside
        except UNREADABLE as error:
            raise ValidationError(NOT_USED) from error


class SignInForm(_Used, library.LoginWebAuthnForm):
    """In place of name and password."""


class SecondStepForm(_Used, library.AuthenticateWebAuthnForm):
    """After the password."""


class ConfirmForm(_Used, library.ReauthenticateWebAuthnForm):
    """Once more."""


class ConfirmByPasskey(ReauthenticateWebAuthnView):
    """A passkey that does not fit leads back to this page."""

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        get_adapter().add_message(self.request, messages.ERROR, message=NOT_USED)
        return HttpResponseRedirect(self.passthrough_next_url(self.request.path))


confirm_by_passkey = ConfirmByPasskey.as_view()
