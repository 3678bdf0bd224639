"""Passkeys: made, named, used and removed, with their events; by a key in software."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from audit.models import Action
from tests.conftest import PASSWORD
from tests.orgs.conftest import events_of
from tests.orgs.test_sign_ins import sign_in
from tests.portal.passkey import HOST, SoftPasskey, asked_on, register, sign_in_by

pytestmark = pytest.mark.django_db


def browser() -> Client:
    """Passkeys belong to a host; this one needs no https."""
    return Client(SERVER_NAME=HOST)


@pytest.fixture
def erins(redis_url, erin) -> Client:
    client = browser()
    sign_in(client, "erin", PASSWORD)
    return client


def test_a_passkey_signs_in_without_a_password(erins, erin):
    passkey = register(erins, "Laptop")
    other = browser()
    assert sign_in_by(other, passkey, "/changes/").url == "/changes/"
    assert other.get("/profile/").context["user"] == erin
    assert events_of(Action.SIGN_IN_CHANGED)[0].after == {"added": "webauthn"}
    assert events_of(Action.SIGNED_IN)[-1].detail["by"] == ["webauthn"]


def test_a_passkey_leads_nowhere_else(erins):
    passkey = register(erins, "Laptop")
    assert sign_in_by(browser(), passkey, "https://elsewhere.example/").url == "/"


def test_a_stranger_has_no_use_of_one(erins, bob):
    passkey = register(erins, "Laptop")
    forged = SoftPasskey()
    forged.id, forged.user_handle = passkey.id, passkey.user_handle
    other = browser()
    sign_in_by(other, forged)
    assert other.get("/profile/").status_code == 302
    assert "Incorrect code." in other.get(reverse("account_login")).text


def test_an_answer_works_once(erins):
    passkey = register(erins, "Laptop")
    first = browser()
    options = first.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"}).json()
    credential = json.dumps(passkey.used(options["request_options"]))
    second = browser()
    second.post(reverse("mfa_login_webauthn"), {"credential": credential})
    assert second.get("/profile/").status_code == 302


def test_with_a_passkey_the_password_alone_is_not_enough(erins):
    passkey = register(erins, "Laptop")
    other = browser()
    assert sign_in(other, "erin", PASSWORD).url == reverse("mfa_authenticate")
    assert other.get("/profile/").status_code == 302
    options = asked_on(other.get(reverse("mfa_authenticate")).text)["request_options"]
    other.post(reverse("mfa_authenticate"), {"credential": json.dumps(passkey.used(options))})
    assert other.get("/profile/").status_code == 200
    assert events_of(Action.SIGNED_IN)[-1].detail["by"] == ["password", "webauthn"]


def test_the_list_says_what_there_is_and_names_change(erins):
    register(erins, "Laptop")
    [passkey] = Authenticator.objects.filter(type="webauthn")
    erins.post(reverse("mfa_edit_webauthn", args=[passkey.pk]), {"name": "Old laptop"})
    page = erins.get(reverse("mfa_list_webauthn")).text
    assert "Old laptop" in page
    assert "by itself" in page


def test_a_removed_passkey_signs_nobody_in(erins):
    passkey = register(erins, "Laptop")
    [row] = Authenticator.objects.filter(type="webauthn")
    erins.post(reverse("mfa_remove_webauthn", args=[row.pk]))
    other = browser()
    sign_in_by(other, passkey)
    assert other.get("/profile/").status_code == 302
    assert {"removed": "webauthn"} in [event.after for event in events_of(Action.SIGN_IN_CHANGED)]


@pytest.mark.parametrize("name", ["mfa_edit_webauthn", "mfa_remove_webauthn"])
def test_nobody_touches_the_passkey_of_another(erins, redis_url, bob, name):
    register(erins, "Laptop")
    [row] = Authenticator.objects.filter(type="webauthn")
    bobs = browser()
    sign_in(bobs, "bob", PASSWORD)
    assert bobs.post(reverse(name, args=[row.pk]), {"name": "Mine"}).status_code == 404
    assert Authenticator.objects.get(pk=row.pk).data["name"] == "Laptop"


NO_CREDENTIALS = ["", "{}", "no json", '{"id": "x"}', "[1]", '{"id":"!","rawId":"!","response":{}}']


@pytest.mark.parametrize("credential", NO_CREDENTIALS)
def test_what_is_no_passkey_signs_nobody_in(redis_url, erin, credential):
    client = browser()
    client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
    answer = client.post(reverse("mfa_login_webauthn"), {"credential": credential}, follow=True)
    assert answer.status_code == 200
    assert client.get("/profile/").status_code == 302


@pytest.mark.parametrize("credential", NO_CREDENTIALS)
def test_what_is_no_passkey_makes_none_and_keeps_the_name(erins, credential):
    erins.get(reverse("mfa_add_webauthn"))
    page = erins.post(reverse("mfa_add_webauthn"), {"name": "Laptop", "credential": credential})
    assert "No passkey was made. Try again." in page.text
    assert 'value="Laptop"' in page.text
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_who_lost_everything_is_helped_by_the_operator(erins):
    register(erins, "Laptop")
    call_command("forget_second_step", "erin")
    assert not Authenticator.objects.exists()
    assert erins.get("/profile/").status_code == 302
    assert events_of(Action.SIGN_IN_CHANGED)[-1].after == {"removed": "everything"}
    assert sign_in(browser(), "erin", PASSWORD).url == "/"
