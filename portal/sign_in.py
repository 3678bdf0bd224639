"""Addresses of the sign-in pages: those views of allauth that the portal offers, and no other."""

from allauth.account import views as account
from allauth.mfa.base import views as second_step
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.http import HttpRequest, HttpResponse
from django.urls import path


def sign_out(request: HttpRequest) -> HttpResponse:
    """The library's page; who has left takes no page along in the browser (over HTTPS alone)."""
    response = account.logout(request)
    if not request.user.is_authenticated:
        response["Clear-Site-Data"] = '"cache", "storage"'
    return response


urlpatterns = [
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/code/", second_step.authenticate, name="mfa_authenticate"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-in/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("sign-in/confirm/code/", second_step.reauthenticate, name="mfa_reauthenticate"),
    path("sign-out/", sign_out, name="account_logout"),
    path("profile/password/", account.password_change, name="account_change_password"),
    path("profile/second-step/", second_step.index, name="mfa_index"),
    path("profile/second-step/on/", totp.activate_totp, name="mfa_activate_totp"),
    path("profile/second-step/off/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("profile/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("profile/codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path(
        "profile/codes/download/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"
    ),
]
