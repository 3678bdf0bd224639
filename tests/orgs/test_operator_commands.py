"""People that the operator makes at the terminal stand in the audit as those made on a page."""

import pytest
from django.core.management import call_command

from audit.models import Action
from portal.models import User
from tests.orgs.conftest import events_of

pytestmark = pytest.mark.django_db
SECRET = "a long secret that nobody knows"


def test_createsuperuser_leaves_its_event(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", SECRET)

    call_command("createsuperuser", username="root", email="root@northwind.example", interactive=False)

    user = User.objects.get(username="root")
    assert user.is_superuser and user.check_password(SECRET)
    [event] = events_of(Action.USER_CREATED)
    assert event.detail == {"user_id": user.pk, "user": "root"}
    assert event.after == {"username": "root", "is_superuser": True, "email": "root@northwind.example"}
    assert (event.source, event.actor_id) == ("command", None) and event.os_user


def test_changepassword_leaves_its_event(alice: User, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda *args, **kwargs: SECRET)

    call_command("changepassword", "alice")

    alice.refresh_from_db()
    assert alice.check_password(SECRET)
    [event] = events_of(Action.PASSWORD_CHANGED)
    assert event.detail == {"user_id": alice.pk, "user": "alice"}
    assert SECRET not in str(event.__dict__)


def test_what_was_refused_leaves_no_event(alice: User, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda *args, **kwargs: "12345678")

    with pytest.raises(Exception, match="[Aa]borting"):
        call_command("changepassword", "alice")

    assert events_of(Action.PASSWORD_CHANGED) == []
