"""Confirming that it is oneself before what matters most; what was sent is carried out afterwards."""

import json
import time

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from contacts.models import ChangeSet, Decision
from orgs.models import AccessGrant
from portal.models import User
from tests.conftest import PASSWORD
from tests.contacts import test_permissions as permissions
from tests.contacts.test_permissions import TABLE, address_of
from tests.orgs.test_provider import come_by
from tests.orgs.test_sign_ins import sign_in
from tests.portal.passkey import HOST, asked_on, register
from tests.portal.test_sign_in_pages import code_of, switch_second_step_on

pytestmark = pytest.mark.django_db
stage = permissions.stage
CONFIRM = "/sign-in/confirm/"
# Addresses whose POST is confirmed: approvals and their rules, people, what they may do, trusted access.
ASKED = {
    "contacts:approval_rules",
    "contacts:change_set_decide",
    "orgs:grant_create",
    "orgs:grant_end",
    "orgs:group_add",
    "orgs:group_create",
    "orgs:group_delete",
    "orgs:group_remove",
    "orgs:person_active",
    "orgs:person_create",
    "orgs:person_details",
    "orgs:person_former",
    "orgs:person_password",
    "orgs:person_sessions",
    "orgs:trusted_access",
}
# They go round an approval when the form says so.
ASKED_TO_BREAK_GLASS = {
    "contacts:change_set_submit",
    "contacts:contact_delete",
    "contacts:contact_edit",
    "contacts:drift_revert",
}
POSTS = [(name, example) for name, example, method, _ in TABLE if method == "post"]


@pytest.fixture(autouse=True)
def _in_force(settings, redis_url) -> None:
    settings.CONFIRM_AFTER = 900


@pytest.fixture
def later(erin, frank):
    """Sixteen minutes after erin and frank signed in: later("erin") is that browser."""
    start = time.time()
    with time_machine.travel(start, tick=False) as clock:

        def client_of(name: str, **facts: str) -> Client:
            clock.move_to(start)
            client = Client(**facts)
            sign_in(client, name, PASSWORD)
            clock.move_to(start + 16 * 60)
            return client

        yield client_of


def test_every_address_of_people_and_access_asks():
    about = ("orgs:person", "orgs:grant", "orgs:group")
    writing = {name for name, _ in POSTS if name.startswith(about)}
    assert writing <= ASKED


@pytest.mark.parametrize(("name", "example"), POSTS, ids=lambda value: str(value)[:40])
def test_who_proved_it_long_ago_is_asked_where_it_matters(stage, later, name, example):
    client = later("erin")
    plain = client.post(address_of(name, example, stage))
    assert (plain.headers.get("Location", "").startswith(CONFIRM)) is (name in ASKED)
    if name in ASKED_TO_BREAK_GLASS:
        glass = client.post(address_of(name, example, stage), {"break_glass": "on"})
        assert glass.headers["Location"].startswith(CONFIRM)


def test_looking_is_free(stage, later):
    client = later("erin")
    assert client.get(reverse("orgs:person_create")).status_code == 200
    assert client.get(reverse("contacts:approval_rules")).status_code == 200


def test_who_has_just_signed_in_is_not_asked(erin):
    client = Client()
    sign_in(client, "erin", PASSWORD)
    form = {"username": "gina", "password": "a password of some length"}
    assert client.post(reverse("orgs:person_create"), form).status_code == 302
    assert User.objects.filter(username="gina").exists()


def test_an_approval_waits_for_the_password_and_then_is_given(stage, later, cast):
    client = later("frank")
    waiting = ChangeSet.objects.get(pk=stage["set"])
    form = {"decision": "approved", "note": "Looks right", "plan_hash": waiting.plan_hash}
    answer = client.post(reverse("contacts:change_set_decide", args=[waiting.pk]), form)
    page = client.get(answer.url)
    assert "goes on with what you asked for" in page.text
    waiting.refresh_from_db()
    assert not waiting.decision

    wanted = {"next": reverse("contacts:change_set_decide", args=[waiting.pk])}
    assert "This is not your password." in client.post(CONFIRM, wanted | {"password": "wrong"}).text
    waiting.refresh_from_db()
    assert not waiting.decision

    done = client.post(CONFIRM, wanted | {"password": PASSWORD})
    assert done.url == reverse("contacts:change_set_detail", args=[waiting.pk])
    waiting.refresh_from_db()
    assert (waiting.decision, waiting.decided_by, waiting.decision_note) == (
        Decision.APPROVED,
        cast["frank"],
        "Looks right",
    )


def test_what_is_refused_afterwards_comes_with_what_was_typed(later):
    client = later("erin")
    address = reverse("orgs:person_create")
    answer = client.post(address, {"username": "gina", "first_name": "Gina", "email": "no address"})
    page = client.post(answer.url, {"next": address, "password": PASSWORD})
    assert 'value="Gina"' in page.text
    assert "Enter a valid email address." in page.text


def test_no_password_waits_in_the_session(later, bob):
    client = later("erin")
    secret = "a new password of some length"
    address = reverse("orgs:person_password", args=[bob.pk])
    answer = client.post(address, {"password": secret})
    assert secret not in str(dict(client.session))
    page = client.post(answer.url, {"next": address, "password": PASSWORD})
    assert "This field is required." in page.text
    assert client.post(address, {"password": secret}).status_code == 302


def test_no_cookie_waits_in_the_session(later, bob):
    """A session is a row of the database; a cookie in it would open what is not that row's."""
    client = later("erin")
    client.post(reverse("orgs:person_details", args=[bob.pk]), {"first_name": "Robert"})
    kept = str(dict(client.session))
    assert "Robert" in kept
    assert {"sessionid", "known_device"} <= set(client.cookies)
    assert client.cookies["sessionid"].value not in kept
    assert client.cookies["known_device"].value not in kept


def test_no_cookie_waits_where_the_library_asks(later):
    client = later("erin")
    client.post(reverse("mfa_activate_totp"), {"code": "123456"})
    kept = str(dict(client.session))
    assert "code=123456" in kept
    assert client.cookies["known_device"].value not in kept


def test_a_query_in_the_address_loses_nothing(later, bob):
    client = later("erin")
    address = reverse("orgs:grant_create")
    answer = client.post(f"{address}?holder=bob", {"holder": "nobody here", "role": "Auditor"})
    page = client.post(answer.url, {"next": address, "password": PASSWORD})
    assert page.status_code == 422
    assert "nobody here" in page.text


def test_nobody_elses_request_goes_on(later, bob):
    """What waits belongs to the session; without it nothing happens."""
    client = later("erin")
    address = reverse("orgs:person_active", args=[bob.pk])
    assert client.post(CONFIRM, {"next": address, "password": PASSWORD}).url == address
    bob.refresh_from_db()
    assert bob.is_active


def test_what_waited_is_carried_out_once(later, carol):
    client = later("erin")
    address = reverse("orgs:person_details", args=[carol.pk])
    client.post(address, {"first_name": "Caroline"})
    client.post(CONFIRM, {"next": address, "password": PASSWORD})
    User.objects.filter(pk=carol.pk).update(first_name="Carol")
    client.post(CONFIRM, {"next": address, "password": PASSWORD})
    carol.refresh_from_db()
    assert carol.first_name == "Carol"


def test_a_right_that_was_lost_meanwhile_is_lost(later, erin, bob):
    client = later("erin")
    address = reverse("orgs:person_active", args=[bob.pk])
    client.post(address, {"active": "no"})
    AccessGrant.objects.filter(person=erin).delete()
    assert client.post(CONFIRM, {"next": address, "password": PASSWORD}).status_code == 403
    bob.refresh_from_db()
    assert bob.is_active


def test_a_code_confirms_as_well(erin, bob):
    client = Client()
    sign_in(client, "erin", PASSWORD)
    secret = switch_second_step_on(client)
    address = reverse("orgs:person_active", args=[bob.pk])
    with time_machine.travel(time.time() + 3600):
        client.post(address, {"active": "no"})
        page = client.get(f"{CONFIRM}?next={address}")
        assert "Use a code" in page.text
        client.post(reverse("mfa_reauthenticate"), {"next": address, "code": code_of(secret)})
    bob.refresh_from_db()
    assert not bob.is_active


def test_a_passkey_confirms_as_well(erin, bob):
    client = Client(SERVER_NAME=HOST)
    sign_in(client, "erin", PASSWORD)
    passkey = register(client, "Laptop")
    address, here = reverse("orgs:person_active", args=[bob.pk]), reverse("mfa_reauthenticate_webauthn")
    with time_machine.travel(time.time() + 3600):
        client.post(address, {"active": "no"})
        wrong = client.post(here, {"next": address, "credential": "{}"})
        assert wrong.url == f"{here}?next={address.replace('/', '%2F')}"
        options = asked_on(client.get(f"{here}?next={address}").text)["request_options"]
        client.post(here, {"next": address, "credential": json.dumps(passkey.used(options))})
    bob.refresh_from_db()
    assert not bob.is_active


class TestAtTheProvider:
    """Whoever came by the provider is asked there again."""

    @pytest.fixture
    def doras(self, provider) -> Client:
        """A browser of an administrator who signed in at the provider an hour ago."""
        group = Group.objects.create(name="cloud admins")
        AccessGrant.objects.create(group=group, role="Administrator")
        provider.say("dora", groups=["cloud admins"])
        client = Client()
        come_by(client, provider)
        session = client.session
        session["provider_authenticated_at"] -= 3600
        session.save()
        return client

    def start(self, client: Client, address: str) -> str:
        """From the POST to the provider's door."""
        asked = client.post(address, {"active": "no"})
        assert asked.url.startswith(reverse("provider_confirm"))
        page = client.get(asked.url)
        assert "asks you to sign in once more" in page.text
        leaving = client.get(page.context["leave_url"])
        assert "prompt=login" in leaving.url
        return leaving.url

    def test_it_goes_on_after_signing_in_there_again(self, doras, provider, bob):
        address = reverse("orgs:person_active", args=[bob.pk])
        back = doras.get(provider.answer(self.start(doras, address)))
        done = doras.get(back.url)
        assert done.url == reverse("orgs:person_detail", args=[bob.pk])
        bob.refresh_from_db()
        assert not bob.is_active

    def test_without_being_asked_there_nothing_is_confirmed(self, doras, provider, bob):
        """Somebody at an unlocked screen, an hour later, takes prompt=login out of the address."""
        with time_machine.travel(time.time() + 3600):
            leaving = self.start(doras, reverse("orgs:person_active", args=[bob.pk]))
            quiet = leaving.replace("&prompt=login", "").replace("&max_age=0", "")
            answer = doras.get(provider.answer(quiet))
        assert answer.status_code == 403
        assert "did not say that it asked you again" in answer.text
        bob.refresh_from_db()
        assert bob.is_active

    def test_somebody_else_confirms_nothing(self, doras, provider, bob):
        provider.say("emil", groups=["cloud admins"])
        leaving = self.start(doras, reverse("orgs:person_active", args=[bob.pk]))
        answer = doras.get(provider.answer(leaving, "emil"))
        assert answer.status_code == 403
        assert "somebody else than the person who is signed in here" in answer.text
        bob.refresh_from_db()
        assert bob.is_active

    def test_signing_in_anew_without_being_asked_is_no_proof(self, doras, provider, bob):
        """The provider's own session signs in again by itself, so only its word for when it asked counts."""
        with time_machine.travel(time.time() + 3600):
            come_by(doras, provider)
            answer = doras.post(reverse("orgs:person_active", args=[bob.pk]), {"active": "no"})
        assert answer.url.startswith(reverse("provider_confirm"))

    def test_who_has_no_link_has_no_such_way(self, provider, erin):
        client = Client()
        client.force_login(erin)
        assert client.get(reverse("provider_confirm")).status_code == 404
