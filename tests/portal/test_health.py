"""/healthz, the sender's address, and the id of a request."""

import logging

import pytest
from django.test import Client, RequestFactory, override_settings

from portal.logs import LineFormatter, RequestIdFilter, current_request_id
from portal.middleware import client_ip


@pytest.mark.django_db
def test_healthy_without_sign_in_host_or_https(client: Client, redis_url: str):
    with override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["portal.example"]):
        answer = client.get("/healthz", headers={"host": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "redis": "ok"}
    assert "sessionid" not in answer.cookies


@pytest.mark.django_db
def test_a_redis_that_is_gone_is_told_without_its_address(client: Client, caplog: pytest.LogCaptureFixture):
    with override_settings(REDIS_URL="redis://:secret@127.0.0.1:9/0"):
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "redis": "does not answer"}
    assert "Redis does not answer at redis://127.0.0.1:9/0" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "sender"),
    [
        (0, "192.0.2.1", "", "192.0.2.1"),
        (0, "192.0.2.1", "198.51.100.9", "192.0.2.1"),
        (1, "10.0.0.1", "198.51.100.9", "198.51.100.9"),
        (1, "10.0.0.1", "203.0.113.5, 198.51.100.9", "198.51.100.9"),
        (2, "10.0.0.1", "203.0.113.5, 198.51.100.9", "203.0.113.5"),
        (2, "10.0.0.1", "198.51.100.9", None),
        (1, "10.0.0.1", "", None),
        (1, "10.0.0.1", "not an address", None),
        (1, "10.0.0.1", "2001:db8::7", "2001:db8::7"),
        (0, "", "", None),
    ],
)
def test_the_sender_is_whom_the_trusted_proxies_name(
    proxies: int, peer: str, forwarded: str, sender: str | None
):
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
        assert client_ip(request) == sender


@pytest.mark.django_db
def test_each_answer_has_the_id_of_its_request(client: Client, redis_url: str):
    first, second = (client.get("/sign-in/")["X-Request-Id"] for _ in range(2))
    assert len(first) == 32
    assert first != second
    assert current_request_id.get() == ""


def line(text: str) -> str:
    record = logging.LogRecord("portal", logging.ERROR, "", 0, text, (), None)
    RequestIdFilter().filter(record)
    return LineFormatter().format(record)


def test_log_lines_carry_the_id_of_the_request():
    token = current_request_id.set("abc")
    try:
        assert line("change 7 applied").endswith("ERROR portal change 7 applied [abc]")
    finally:
        current_request_id.reset(token)
    assert line("change 7 applied").endswith("change 7 applied")


def test_log_lines_hold_no_row_that_postgresql_quotes():
    text = line(
        "Task failed\nERROR: null value\nDETAIL:  Failing row contains (Zoë, zoe@northwind.example).\nEnd"
    )
    assert "zoe@" not in text
    assert "null value" in text
