"""Sign-ins, failed ones, sign-outs, second steps and refused attempts stand in the audit."""

import pytest
from allauth.mfa.adapter import get_adapter
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Action, AuditEvent
from orgs.sign_ins import UNKNOWN_NAME
from portal.celery import app
from portal.models import User
from portal.tasks import drop_old_sessions
from tests.conftest import PASSWORD
from tests.orgs.conftest import events_of
from tests.portal.test_sign_in_pages import switch_second_step_on

SECRET = "I typed my password here"


def sign_in(client: Client, name: str, password: str):
    return client.post(reverse("account_login"), {"login": name, "password": password})


def everything_written() -> str:
    return str(list(AuditEvent.objects.values()))


def test_sign_in_and_out(client: Client, redis_url: str, alice: User):
    response = sign_in(client, "alice", PASSWORD)
    client.post(reverse("account_logout"))

    signed_in, signed_out = events_of(Action.SIGNED_IN, Action.SIGNED_OUT)
    assert signed_in.actor_id == signed_out.actor_id == alice.pk
    assert signed_in.ip == "127.0.0.1"
    assert signed_in.request_id == response["X-Request-Id"]


def test_failed_sign_in_of_a_known_name(client: Client, redis_url: str, alice: User):
    sign_in(client, "alice", SECRET)

    [event] = events_of(Action.SIGN_IN_FAILED)
    assert event.detail["user"] == "alice"
    assert event.ip == "127.0.0.1"
    assert SECRET not in everything_written()


def test_a_password_in_the_field_for_the_name_is_not_written_down(client: Client, redis_url: str, db):
    sign_in(client, SECRET, "whatever")

    [event] = events_of(Action.SIGN_IN_FAILED)
    assert event.detail["user"] == UNKNOWN_NAME
    assert SECRET not in everything_written()


def test_who_is_stopped_by_the_limit_leaves_one_event_a_minute(client: Client, redis_url: str, alice: User):
    for _ in range(8):
        answer = sign_in(client, "alice", SECRET)
    assert "Too many tries." in answer.text
    assert sign_in(client, "alice", PASSWORD).status_code == 200  # not even asked
    steps = [event.detail["step"] for event in events_of(Action.SIGN_IN_FAILED)]
    assert steps == ["password"] * 5 + ["too many tries"]
    assert {event.detail["user"] for event in events_of(Action.SIGN_IN_FAILED)} == {"alice"}


def test_an_address_that_asks_too_often_leaves_an_event_too(client: Client, redis_url: str, db, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    assert sign_in(client, "one", "x").status_code == 200
    assert [sign_in(client, "two", "x").status_code for _ in range(2)] == [429, 429]
    assert [event.detail["step"] for event in events_of(Action.SIGN_IN_FAILED)] == [
        "password",
        "too many tries",
    ]


def test_sessions_that_ended_are_forgotten(alice: User, bob: User):
    clients = [Client(), Client()]
    for client, person in zip(clients, (alice, bob), strict=True):
        client.force_login(person)
    ended = clients[0].session.session_key
    Session.objects.filter(pk=ended).update(expire_date=timezone.now())
    drop_old_sessions()
    assert [session.pk for session in Session.objects.all()] == [clients[1].session.session_key]
    assert "portal.drop_old_sessions" in {entry["task"] for entry in app.conf.beat_schedule.values()}


def test_deactivated_people_fail(client: Client, redis_url: str, alice: User):
    alice.is_active = False
    alice.save(update_fields=["is_active"])

    sign_in(client, "alice", PASSWORD)

    assert events_of(Action.SIGNED_IN) == []
    assert events_of(Action.SIGN_IN_FAILED)[0].detail["user"] == "alice"


def test_own_password_change(client: Client, redis_url: str, alice: User):
    sign_in(client, "alice", PASSWORD)
    values = {"oldpassword": PASSWORD, "password1": SECRET, "password2": SECRET}

    client.post(reverse("account_change_password"), values)

    [event] = events_of(Action.PASSWORD_CHANGED)
    assert event.actor_id == alice.pk
    assert SECRET not in everything_written()


def test_second_step_on_a_wrong_code_and_off(
    client: Client, redis_url: str, alice: User, django_capture_on_commit_callbacks
):
    sign_in(client, "alice", PASSWORD)
    with django_capture_on_commit_callbacks(execute=True):
        secret = switch_second_step_on(client)
    assert get_adapter().is_mfa_enabled(alice)
    added = [event.after for event in events_of(Action.SIGN_IN_CHANGED)]
    assert {"added": "totp"} in added

    other = Client()
    sign_in(other, "alice", PASSWORD)
    other.post(reverse("mfa_authenticate"), {"code": "000000"})
    [failed] = events_of(Action.SIGN_IN_FAILED)
    assert failed.detail == {"user_id": alice.pk, "user": "alice", "step": "code"}
    assert len(events_of(Action.SIGNED_IN)) == 1

    client.post(reverse("mfa_deactivate_totp"))
    assert {"removed": "totp"} in [event.after for event in events_of(Action.SIGN_IN_CHANGED)]
    assert secret not in everything_written()


def test_refused_attempt_is_written_down_without_what_was_sent(client: Client, bob: User):
    client.force_login(bob)

    response = client.post(f"{reverse('orgs:person_create')}?note={SECRET}", {"password": SECRET})

    assert response.status_code == 403
    [event] = events_of(Action.ACCESS_REFUSED)
    assert event.actor_id == bob.pk
    assert event.detail == {"method": "POST", "path": reverse("orgs:person_create")}
    assert event.request_id == response["X-Request-Id"]
    assert SECRET not in everything_written()


@pytest.mark.django_db
def test_strangers_are_sent_to_sign_in_and_not_written_down(client: Client):
    response = client.get(reverse("orgs:person_list"))

    assert response.status_code == 302
    assert events_of(Action.ACCESS_REFUSED) == []
