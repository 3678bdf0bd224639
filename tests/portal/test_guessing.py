"""Guessing passwords is slowed down, and nobody locks somebody else out by it."""

import time

import pytest
import time_machine
from django.conf import settings
from django.core import signing
from django.test import Client
from django.urls import reverse

from portal.guessing import SALT
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
STOPPED = "Too many tries."


def attempt(client: Client, name: str, password: str, address: str = "192.0.2.1"):
    form = {"login": name, "password": password}
    return client.post(reverse("account_login"), form, REMOTE_ADDR=address)


def is_let_in(client: Client, name: str = "bob", address: str = "192.0.2.1") -> bool:
    return attempt(client, name, PASSWORD, address).status_code == 302


@pytest.fixture
def known(redis_url, bob) -> Client:
    """A browser in which bob has signed in before; its session is over."""
    client = Client()
    assert is_let_in(client)
    client.post(reverse("account_logout"))
    return client


@pytest.fixture
def _quick(monkeypatch) -> None:
    """Hundreds of wrong passwords, each checked by the real function, would take minutes."""
    monkeypatch.setattr("portal.models.User.check_password", lambda user, password: password == PASSWORD)
    monkeypatch.setattr("portal.models.User.set_password", lambda user, password: None)


def test_five_wrong_ones_from_an_address_stop_that_name_there(redis_url, bob, alice):
    for _ in range(5):
        assert STOPPED not in attempt(Client(), "bob", "wrong").text
    assert STOPPED in attempt(Client(), "bob", PASSWORD).text
    assert is_let_in(Client(), "alice")
    assert is_let_in(Client(), "bob", "192.0.2.77")


def test_a_name_in_other_letters_is_the_same_name(redis_url, bob):
    for name in ("bob", "BOB", "Bob", " bob", "bOb"):
        attempt(Client(), name, "wrong")
    assert STOPPED in attempt(Client(), "bob", PASSWORD).text


def test_the_pause_ends(redis_url, bob):
    with time_machine.travel(time.time(), tick=False) as clock:
        for _ in range(5):
            attempt(Client(), "bob", "wrong")
        assert not is_let_in(Client())
        clock.shift(301)
        assert is_let_in(Client())


@pytest.mark.usefixtures("_quick")
def test_many_addresses_stop_a_name_but_not_where_the_person_signed_in_before(known, bob):
    for number in range(50):
        attempt(Client(), "bob", "wrong", f"198.51.100.{number}")
    assert STOPPED in attempt(Client(), "bob", PASSWORD, "203.0.113.5").text
    assert is_let_in(known, address="203.0.113.5")


@pytest.mark.usefixtures("_quick")
def test_who_floods_from_the_same_address_does_not_stop_a_known_browser(known, bob):
    for number in range(40):
        attempt(Client(), f"name{number}", "wrong")
    for _ in range(10):
        attempt(Client(), "bob", "wrong")
    assert STOPPED in attempt(Client(), "bob", PASSWORD).text
    assert is_let_in(known)


def test_a_known_browser_has_a_limit_of_its_own(known, bob):
    for _ in range(10):
        attempt(known, "bob", "wrong")
    assert STOPPED in attempt(known, "bob", PASSWORD).text
    assert is_let_in(Client())


def test_a_browser_is_known_for_the_people_who_signed_in_there_alone(known, alice):
    for _ in range(5):
        attempt(known, "alice", "wrong")
    assert STOPPED in attempt(known, "alice", PASSWORD).text


@pytest.mark.parametrize("salt", ["other", ""])
def test_a_forged_mark_is_no_mark(redis_url, bob, salt):
    client = Client()
    mark = signing.dumps([[bob.pk, "me"]], salt=salt) if salt else "x"
    client.cookies[settings.KNOWN_DEVICE_COOKIE] = mark
    for _ in range(5):
        attempt(client, "bob", "wrong")
    assert STOPPED in attempt(client, "bob", PASSWORD).text


def test_a_right_password_costs_no_try(redis_url, bob):
    for _ in range(8):
        assert is_let_in(Client())


def test_the_mark_says_nothing_and_no_script_reads_it(known):
    cookie = known.cookies[settings.KNOWN_DEVICE_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "bob" not in str(signing.loads(cookie.value, salt=SALT))


def test_a_wrong_password_leaves_no_mark(redis_url, bob):
    client = Client()
    attempt(client, "bob", "wrong")
    assert settings.KNOWN_DEVICE_COOKIE not in client.cookies
