"""What every answer tells the browser, what cookies look like, and what lies in Redis."""

import logging
import os
import pickle
import subprocess
import sys

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from portal.cache import JsonSerializer
from portal.logs import LineFormatter
from portal.passwords import LocalWordsValidator
from tests.live import ROOT

PAGES = ["contacts:overview", "contacts:account_list", "orgs:profile", "account_login"]


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_kept_shared_or_framed(alice, client: Client, name: str):
    if name != "account_login":
        client.force_login(alice)
    answer = client.get(reverse(name))
    assert answer.headers["Cache-Control"].find("no-store") >= 0
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_an_error_and_a_download_have_the_headers_too(alice, client: Client):
    client.force_login(alice)
    for address in (
        "/nowhere/",
        reverse("contacts:account_export"),
        reverse("contacts:audit_detail", args=[1]),
    ):
        headers = client.get(address).headers
        assert "no-store" in headers["Cache-Control"], address
        assert "Permissions-Policy" in headers, address


def names_of_cookies(**environment: str) -> list[str]:
    program = "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    usual = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "portal.settings", "SECRET_KEY": "k" * 50}
    usual |= {"PORTAL_ENV_FILE": os.devnull, **environment}
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=usual, capture_output=True, text=True, check=True
    )
    return run.stdout.split()


def test_cookies_belong_to_one_host_where_there_is_https():
    assert names_of_cookies() == ["__Host-sessionid", "__Host-csrftoken"]
    assert names_of_cookies(HTTPS="false") == ["sessionid", "csrftoken"]


def test_a_message_travels_in_no_cookie(erin, carol, client: Client):
    client.force_login(erin)
    answer = client.post(reverse("orgs:person_details", args=[carol.pk]), {"first_name": "Carol"})
    assert answer.status_code == 302
    assert set(answer.cookies) <= {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    assert "The details are saved." in client.get(answer.url).text


class Weapon:
    """What somebody who can write to Redis would leave there."""

    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.django_db
def test_what_somebody_left_in_redis_is_not_run(redis_client: redis.Redis):
    redis_client.set(cache.make_key("mark"), pickle.dumps(Weapon()))
    with pytest.raises(ValueError, match=r"codec|JSON|Expecting"):
        cache.get("mark")


@pytest.mark.parametrize("value", [1, 0, -5, True, None, "text", [1.5, 2], {"a": ["b"]}])
@pytest.mark.django_db
def test_what_is_kept_comes_back(value, redis_client):
    cache.set("kept", value)
    assert cache.get("kept", "nothing") == value


@pytest.mark.django_db
def test_a_number_can_be_counted_up(redis_client):
    cache.set("count", 1)
    assert cache.incr("count") == 2


def test_what_json_cannot_hold_is_refused_when_it_is_kept():
    with pytest.raises(TypeError):
        JsonSerializer().dumps(object())


def test_an_audit_of_packages_that_nobody_answers_fails():
    """The very command of `make advisories`, with the way to the services closed."""
    recipe = subprocess.run(
        ["make", "-n", "advisories"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    command = recipe.stdout[recipe.stdout.index("-m pip_audit") :].replace("\\\n", " ").split()
    assert "--strict" in command
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "PATH": os.environ["PATH"]}
    run = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=nowhere,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode != 0


def test_signing_out_takes_nothing_along(alice, client: Client):
    client.force_login(alice)
    assert "Clear-Site-Data" not in client.get(reverse("account_logout")).headers
    assert client.post(reverse("account_logout")).headers["Clear-Site-Data"] == '"cache", "storage"'


@pytest.mark.parametrize(
    "password", ["Security2026!", "northwind-portal-1", "AlternateContacts", "NORTHWIND99"]
)
def test_passwords_that_are_guessed_first_here_are_refused(password, settings):
    settings.COMPANY_NAME, settings.COMPANY_EMAIL_DOMAINS = "Northwind Bank", ["northwind.example"]
    with pytest.raises(ValidationError, match="guess"):
        LocalWordsValidator().validate(password)


@pytest.mark.parametrize("password", ["correct horse battery staple", "my portal smells of oranges"])
def test_other_passwords_pass(password):
    LocalWordsValidator().validate(password)


def test_a_log_line_is_one_line_and_holds_no_value_of_a_row():
    record = logging.LogRecord("a", logging.INFO, __file__, 1, "seen %s", ("x\n2026 INFO forged",), None)
    record.request = ""
    text = LineFormatter().format(record)
    assert text.count("\n") == 0
    assert "x\\n2026 INFO forged" in text
    record = logging.LogRecord(
        "a", logging.INFO, __file__, 1, "error\nDETAIL: Key (email)=(a@b.co)", (), None
    )
    record.request = ""
    assert "a@b.co" not in LineFormatter().format(record)
