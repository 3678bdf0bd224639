"""Sessions: each person sees and ends their own, administrators end all of somebody's; with their events."""

import time

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Action
from orgs.sessions import device_of
from portal.models import User
from portal.tasks import drop_old_sessions
from tests.conftest import PASSWORD
from tests.orgs.conftest import events_of
from tests.orgs.test_sign_ins import sign_in

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"
)


def come(name: str, user_agent: str = FIREFOX, address: str = "192.0.2.1") -> Client:
    client = Client(HTTP_USER_AGENT=user_agent, REMOTE_ADDR=address)
    sign_in(client, name, PASSWORD)
    return client


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def listed(client: Client) -> list:
    return client.get(reverse("orgs:session_list")).context["sessions"]


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (SAFARI, "Safari on iPhone"),
        (EDGE, "Edge on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/156.0.0.0", "Chrome on Linux"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown device"),
    ],
)
def test_a_device_in_words(says, words):
    assert device_of(says) == words


def test_one_sees_ones_own_sessions_this_one_first(redis_url, alice, bob):
    come("bob")
    phone, desk = come("alice", SAFARI, "198.51.100.9"), come("alice")
    found = [(session.device, session.address, session.is_this) for session in listed(phone)]
    assert found == [
        ("Safari on iPhone", "198.51.100.9", True),
        ("Firefox on Windows", "192.0.2.1", False),
    ]
    assert [session.is_this for session in listed(desk)] == [True, False]


def test_last_seen_moves_on_and_so_does_the_address(redis_url, alice):
    with time_machine.travel(time.time(), tick=False) as clock:
        client = come("alice")
        began = listed(client)[0].seen_at
        clock.shift(200)
        client.get("/profile/", REMOTE_ADDR="192.0.2.9")
        assert listed(client)[0].seen_at == began
        clock.shift(200)
        client.get("/profile/", REMOTE_ADDR="192.0.2.9")
        [session] = listed(client)
        assert (session.seen_at - began).total_seconds() == pytest.approx(400, abs=1)
        assert session.began_at == began
        assert session.address == "192.0.2.9"


def test_one_of_ones_own_is_ended(redis_url, alice):
    phone, desk = come("alice", SAFARI, "198.51.100.9"), come("alice")
    other = next(session for session in listed(desk) if not session.is_this)
    answer = desk.post(reverse("orgs:session_end", args=[other.pk]), follow=True)
    assert "The session is ended." in answer.text
    assert not is_in(phone)
    assert is_in(desk)
    [event] = events_of(Action.SESSIONS_ENDED)
    assert event.actor_id == alice.pk
    assert event.after == {"ended": 1, "device": "Safari on iPhone", "address": "198.51.100.9"}


def test_nobody_ends_the_session_of_another(redis_url, alice, bob):
    alices, bobs = come("alice"), come("bob")
    [session] = listed(alices)
    assert bobs.post(reverse("orgs:session_end", args=[session.pk])).status_code == 404
    assert is_in(alices)
    assert events_of(Action.SESSIONS_ENDED) == []


def test_all_others_are_ended(redis_url, alice, bob):
    away, desk, bobs = [come("alice"), come("alice", SAFARI)], come("alice"), come("bob")
    unlisted = Client()
    unlisted.force_login(alice)  # as one from before there was a list
    answer = desk.post(reverse("orgs:session_end_others"), follow=True)
    assert "3 sessions are ended." in answer.text
    assert [is_in(client) for client in (*away, unlisted)] == [False] * 3
    assert is_in(desk)
    assert is_in(bobs)
    assert [event.after for event in events_of(Action.SESSIONS_ENDED)] == [{"ended": 3}]
    assert len(listed(desk)) == 1
    assert "There was no other session." in desk.post(reverse("orgs:session_end_others"), follow=True).text
    assert len(events_of(Action.SESSIONS_ENDED)) == 1


def test_an_administrator_ends_all_sessions_of_a_person(redis_url, alice, erin):
    away, admin = [come("alice"), come("alice", SAFARI)], come("erin")
    admin.post(reverse("orgs:person_sessions", args=[alice.pk]))
    assert [is_in(client) for client in away] == [False, False]
    assert is_in(admin)
    [event] = events_of(Action.SESSIONS_ENDED)
    assert (event.actor_id, event.detail["user"], event.after) == (erin.pk, "alice", {"ended": 2})
    assert is_in(come("alice"))


def test_nobody_else_ends_them(redis_url, alice, bob):
    away = come("alice")
    assert come("bob").post(reverse("orgs:person_sessions", args=[alice.pk])).status_code == 403
    assert is_in(away)


def test_the_list_forgets_sessions_that_ended_by_themselves(redis_url, alice, bob):
    gone, here = come("alice"), come("bob")
    Session.objects.filter(pk=gone.session.session_key).update(expire_date=timezone.now())
    drop_old_sessions()
    assert [row.session_key for row in UserSession.objects.all()] == [here.session.session_key]


def test_who_is_deactivated_has_no_session_in_the_list(redis_url, alice, erin):
    come("alice")
    come("erin").post(reverse("orgs:person_active", args=[alice.pk]), {"active": "no"})
    assert not User.objects.get(pk=alice.pk).usersession_set.exists()
