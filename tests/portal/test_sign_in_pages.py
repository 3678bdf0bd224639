"""Signing in, the second step, signing out; and nothing of the library that we did not finish."""

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.conftest import PASSWORD

SIGN_IN = "/sign-in/"
NOT_OFFERED = [
    "account_signup",
    "account_email",
    "account_reset_password",
    "account_set_password",
    "account_confirm_email",
    "mfa_signup_webauthn",
    "socialaccount_signup",
    "socialaccount_connections",
    "openid_connect_login",
]


def sign_in(client: Client, name: str, password: str = PASSWORD):
    return client.post(SIGN_IN, {"login": name, "password": password})


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def switch_second_step_on(client: Client) -> str:
    """Through the pages, which ask for the password again; gives the secret."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    text = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'id="id_secret" value="([A-Z2-7]+)"', text)[1]
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert response.status_code == 302
    return secret


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_what_we_did_not_finish_has_no_address(name: str):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_every_page_asks_for_signing_in_first(client, db):
    assert client.get("/accounts/").headers["Location"] == f"{SIGN_IN}?next=/accounts/"


def test_signing_in_leads_to_where_one_wanted(client, bob):
    response = client.post(
        f"{SIGN_IN}?next=/changes/", {"login": "bob", "password": PASSWORD, "next": "/changes/"}
    )
    assert response.headers["Location"] == "/changes/"


def test_signing_in_leads_nowhere_else(client, bob):
    data = {"login": "bob", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post(SIGN_IN, data).headers["Location"] == "/"


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_a_wrong_name_and_a_wrong_password_read_the_same(client, bob, name):
    text = sign_in(client, name, "wrong").content.decode()
    assert "User name and password do not match." in text
    assert f'value="{name}"' in text
    assert "wrong" not in text


def test_many_tries_pause_signing_in(client, bob):
    for _ in range(6):
        sign_in(client, "bob", "wrong")
    assert "Signing in pauses for a few minutes." in sign_in(client, "bob").content.decode()


def test_a_deactivated_person_is_told_so(client, bob):
    bob.is_active = False
    bob.save(update_fields=["is_active"])
    assert "match" in sign_in(client, "bob", "wrong").content.decode()
    response = client.get(sign_in(client, "bob").headers["Location"])
    assert "Your account is deactivated" in response.content.decode()
    assert client.get("/").status_code == 302


def test_signing_out_is_asked_before_and_needs_a_post(client, bob):
    sign_in(client, "bob")
    assert "queued go on without you" in client.get("/sign-out/").content.decode()
    assert client.get("/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/").status_code == 302


def test_the_second_step_is_asked_once_it_is_on(client, bob):
    sign_in(client, "bob")
    secret = switch_second_step_on(client)
    client.post("/sign-out/")
    response = sign_in(client, "bob")
    assert response.headers["Location"] == reverse("mfa_authenticate")
    assert client.get("/").status_code == 302
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "Incorrect code." in wrong.content.decode()
    cache.clear()  # a code works only once, and this one has just switched the step on
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert client.get("/").status_code == 200


def test_a_recovery_code_works_once(client, bob):
    sign_in(client, "bob")
    switch_second_step_on(client)
    text = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    code = re.search(r'<li class="mono">([^<]+)</li>', text)[1]
    for works in (True, False):
        client.post("/sign-out/")
        sign_in(client, "bob")
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert (client.get("/").status_code == 200) is works


def test_the_second_step_needs_a_fresh_password(client, bob, settings):
    settings.CONFIRM_AFTER = 900
    client.force_login(bob)
    response = client.get(reverse("mfa_activate_totp"))
    assert response.headers["Location"].startswith(reverse("account_reauthenticate"))
    wanted = {"next": reverse("mfa_activate_totp")}
    wrong = client.post(reverse("account_reauthenticate"), wanted | {"password": "wrong"})
    assert "This is not your password." in wrong.content.decode()
    response = client.post(reverse("account_reauthenticate"), wanted | {"password": PASSWORD})
    assert response.headers["Location"] == reverse("mfa_activate_totp")


def test_the_second_step_can_be_switched_off(client, bob):
    sign_in(client, "bob")
    switch_second_step_on(client)
    assert "Only the password" in client.get(reverse("mfa_deactivate_totp")).content.decode()
    client.post(reverse("mfa_deactivate_totp"))
    client.post("/sign-out/")
    assert sign_in(client, "bob").headers["Location"] == "/"


def test_a_new_password_is_checked_and_then_works(client, bob):
    sign_in(client, "bob")
    form = {
        "oldpassword": "wrong",
        "password1": "new password of some length",
        "password2": "new password of some length",
    }
    assert "This is not your current password." in client.post("/profile/password/", form).content.decode()
    response = client.post("/profile/password/", form | {"oldpassword": PASSWORD})
    assert response.headers["Location"] == reverse("orgs:profile")
    client.post("/sign-out/")
    assert sign_in(client, "bob", "new password of some length").status_code == 302


def test_unknown_and_invisible_pages_read_the_same(client, carol, bob):
    client.force_login(carol)
    unknown = client.get("/nothing-here/")
    assert unknown.status_code == 404
    assert "your roles do not let you see it" in unknown.content.decode()


def test_a_refusal_says_what_is_missing_and_whom_to_ask(client, carol):
    client.force_login(carol)
    response = client.get("/")
    text = response.content.decode()
    assert response.status_code == 403
    assert "See accounts and contacts" in text
    assert "An administrator of the portal can give you another role." in text


def test_a_form_without_its_token_says_what_to_do(bob):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(SIGN_IN, {"login": "bob", "password": PASSWORD})
    assert response.status_code == 403
    assert "load the page again" in response.content.decode()
