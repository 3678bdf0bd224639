"""Roles that ask for a second step: nothing else works until there is one."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from orgs.models import AccessGrant
from orgs.second_factor import WORDS
from portal.models import User
from tests.conftest import PASSWORD
from tests.contacts.scene import LEDGER
from tests.orgs.test_provider import come_by
from tests.orgs.test_sign_ins import sign_in
from tests.portal.passkey import HOST, register
from tests.portal.test_settings import show
from tests.portal.test_sign_in_pages import switch_second_step_on

pytestmark = pytest.mark.django_db
SET_UP = "/profile/second-step/"


@pytest.fixture(autouse=True)
def _in_force(settings, redis_url) -> None:
    settings.SECOND_FACTOR_ROLES = ["Administrator", "Approver"]


def test_such_a_person_is_led_to_the_set_up_and_then_goes_on(client, erin):
    sign_in(client, "erin", PASSWORD)
    answer = client.get("/people/")
    assert answer.url == SET_UP
    assert WORDS in client.get(SET_UP).text
    switch_second_step_on(client)
    assert client.get("/people/").status_code == 200


def test_a_passkey_is_enough(erin):
    client = Client(SERVER_NAME=HOST)
    sign_in(client, "erin", PASSWORD)
    register(client, "Laptop")
    assert client.get("/people/").status_code == 200


def test_recovery_codes_alone_are_not(client, erin):
    sign_in(client, "erin", PASSWORD)
    Authenticator.objects.create(user=erin, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    assert client.get("/people/").url == SET_UP


def test_nothing_is_done_meanwhile(client, scene, erin):
    client.force_login(erin)
    for address in (
        reverse("orgs:person_create"),
        reverse("contacts:contact_edit", args=[LEDGER, "SECURITY"]),
        reverse("account_change_password"),
    ):
        assert client.post(address, {"username": "x", "password": PASSWORD}).url == SET_UP
    assert User.objects.count() == 1


def test_a_part_of_a_page_takes_the_whole_page_along(client, scene, erin):
    client.force_login(erin)
    address = reverse("contacts:account_cards", args=[LEDGER])
    for answer in (
        client.get(address, headers={"hx-request": "true"}),
        client.post(address, headers={"hx-request": "true"}),
    ):
        assert answer.headers["HX-Redirect"] == SET_UP
        assert not answer.content


def test_one_can_leave(client, erin):
    client.force_login(erin)
    client.post(reverse("account_logout"))
    assert client.get(SET_UP).status_code == 302


def test_switching_it_off_leads_back(client, erin):
    client.force_login(erin)
    TOTP.activate(erin, "JBSWY3DPEHPK3PXP")
    assert client.get("/people/").status_code == 200
    client.post(reverse("mfa_deactivate_totp"))
    assert client.get("/people/").url == SET_UP


@pytest.mark.parametrize("name", ["alice", "bob", "dana", "carol"])
def test_other_roles_are_not_asked(client, cast, name):
    client.force_login(cast[name])
    assert client.get("/profile/").status_code == 200


def test_a_role_by_a_group_in_one_place_asks_as_well(client, scene, carol):
    group = Group.objects.create(name="Night shift")
    AccessGrant.objects.create(group=group, role="Approver", account=scene.ledger)
    carol.groups.add(group)
    client.force_login(carol)
    assert client.get("/profile/").url == SET_UP


def test_a_superuser_is_asked(client, carol):
    carol.is_superuser = True
    carol.save(update_fields=["is_superuser"])
    client.force_login(carol)
    assert client.get("/profile/").url == SET_UP


@pytest.mark.parametrize(("asks", "code"), [(True, 200), (False, 302)])
def test_the_providers_own_counts_where_the_settings_say_so(client, provider, settings, asks, code):
    settings.IDENTITY_PROVIDER = provider.configured(asks_second_factor=asks)
    group = Group.objects.create(name="cloud admins")
    AccessGrant.objects.create(group=group, role="Administrator")
    provider.say("dora", groups=["cloud admins"])
    come_by(client, provider)
    assert client.get("/people/").status_code == code


def test_a_password_in_the_same_account_still_needs_one(client, provider, settings, erin):
    settings.IDENTITY_PROVIDER = provider.configured(asks_second_factor=True)
    sign_in(client, "erin", PASSWORD)
    assert client.get("/people/").url == SET_UP


@pytest.mark.parametrize(
    ("environment", "roles"),
    [
        ({}, "['Administrator', 'Approver']"),
        ({"AWS_SANDBOX": "true"}, "[]"),
        ({"SECOND_FACTOR_ROLES": ""}, "[]"),
        ({"SECOND_FACTOR_ROLES": "Editor", "AWS_SANDBOX": "true"}, "['Editor']"),
    ],
)
def test_which_roles_ask_out_of_the_box(tmp_path, environment, roles):
    assert show("settings.SECOND_FACTOR_ROLES", tmp_path, **environment).stdout.strip() == roles


def test_a_role_that_does_not_exist_is_refused_at_start(tmp_path):
    answer = show("__import__('django').setup()", tmp_path, SECOND_FACTOR_ROLES="Admin")
    assert "SECOND_FACTOR_ROLES names “Admin”." in answer.stderr.strip().splitlines()[-1]
