"""Addresses of the sign-in pages: those views of allauth that the portal offers, and no other."""

from allauth.account import views as account
from allauth.mfa.base import views as second_step
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.socialaccount.views import login_cancelled
from django.http import HttpRequest, HttpResponse
from django.urls import path

from portal import provider_views as provider
from portal.passkeys import confirm_by_passkey


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
    path("sign-in/confirm/passkey/", confirm_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("sign-in/confirm/provider/", provider.confirm, name="provider_confirm"),
    path("sign-in/confirm/provider/start/", provider.confirm_start, name="provider_confirm_start"),
    path("sign-in/confirm/provider/done/", provider.confirm_done, name="provider_confirm_done"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/provider/", provider.start, name="provider_start"),
    path("sign-in/provider/cancelled/", login_cancelled, name="socialaccount_login_cancelled"),
    path(
        "sign-in/provider/<str:provider_id>/callback/",
        openid_connect.callback,
        name="openid_connect_callback",
    ),
    path("sign-out/", sign_out, name="account_logout"),
    path("profile/password/", account.password_change, name="account_change_password"),
    path("profile/second-step/", second_step.index, name="mfa_index"),
    path("profile/second-step/on/", totp.activate_totp, name="mfa_activate_totp"),
    path("profile/second-step/off/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("profile/passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("profile/passkeys/new/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("profile/passkeys/<int:pk>/name/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("profile/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path("profile/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("profile/codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path(
        "profile/codes/download/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"
    ),
]
