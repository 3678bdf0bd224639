"""Who left is shown under another name: on every page, in searches, and in no event."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from audit.context import Context, Source
from audit.log import record
from audit.models import Action, AuditEvent
from audit.seals import seal_pending
from orgs import people
from orgs.leaving import hide_name
from portal.models import User
from tests.contacts.scene import as_person
from tests.orgs.test_people import NEW_PASSWORD, by


@pytest.fixture
def leaver(erin: User) -> User:
    """Somebody with a rare name, who did things and left."""
    context = by(erin)
    user = people.create_user(
        "zquine",
        password=NEW_PASSWORD,
        first_name="Zora",
        last_name="Quine",
        email="zq@x.example",
        context=context,
    )
    record(Action.SIGNED_IN, by(user), detail={"user_id": user.pk, "user": user.username})
    record(Action.CONTACTS_EXPORTED, by(user))
    Client().post(reverse("account_login"), {"login": "zquine", "password": "wrong"})
    Authenticator.objects.create(user=user, type="totp", data={})
    people.set_active(user, False, context=context)
    return user


def pages_of(reader: User) -> str:
    """Every page on which the audit names people, as this reader gets it."""
    client = as_person(reader)
    events = [reverse("contacts:audit_detail", args=[event.pk]) for event in AuditEvent.objects.all()]
    return "".join(client.get(address).text for address in [reverse("contacts:audit_list"), *events])


def found(reader: User, **query: str) -> int:
    return as_person(reader).get(reverse("contacts:audit_list"), query).context["count"]


def test_pages_and_searches_forget_the_name_and_events_keep_it(leaver, erin, dana, redis_url):
    before = list(AuditEvent.objects.order_by("pk").values())
    assert "Zora Quine" in pages_of(dana) and found(dana, q="Quine") and found(dana, q="zq@x")
    admin = as_person(erin)
    admin.post(reverse("orgs:person_former", args=[leaver.pk]))
    assert User.objects.get(pk=leaver.pk).label == "Zora Quine", "nobody said that they were sure"
    admin.post(reverse("orgs:person_former", args=[leaver.pk]), {"sure": "yes"})

    events = AuditEvent.objects.order_by("pk")
    assert list(events.values())[: len(before)] == before
    latest = events.last()
    assert (latest.action, latest.after) == ("user.changed", {"is_former": True})
    assert "quine" not in str(vars(latest)).lower()
    shown = pages_of(dana)
    assert "<dt>Active</dt>" in shown, "what is not about the name is still told"
    assert f"Former member {leaver.pk}" in shown
    for trace in ("Zora", "Quine", "zquine", "zq@x.example"):
        assert trace not in shown
        assert (found(dana, q=trace), found(dana, by=trace)) == (0, 0)
    assert found(erin, q="Quine") and found(erin, by="Zora Quine")
    assert found(dana, person=f"former-member-{leaver.pk}") == 2
    assert found(dana, q="unknown name") == 0 and found(dana, q="erin")
    assert "Zora" not in admin.get(reverse("orgs:person_detail", args=[leaver.pk])).text


def test_a_sealed_export_keeps_what_was_sealed(leaver, erin, dana, redis_url):
    hide_name(leaver, context=by(erin))
    seal_pending()
    export = as_person(dana).get(reverse("contacts:audit_export"))
    assert "Zora Quine" in b"".join(export.streaming_content).decode()


def test_only_who_left_and_only_by_administrators_and_for_good(leaver, cast):
    erin = cast["erin"]
    with pytest.raises(ValidationError):
        hide_name(cast["bob"], context=by(erin))
    for context in (by(cast["alice"]), Context(source=Source.PAGE)):
        with pytest.raises(PermissionDenied):
            hide_name(leaver, context=context)
    hide_name(leaver, context=by(erin))
    leaver.refresh_from_db()
    assert not leaver.has_usable_password() and not Authenticator.objects.exists()
    for call in (
        lambda: people.set_active(leaver, True, context=by(erin)),
        lambda: people.set_password(leaver, NEW_PASSWORD, context=by(erin)),
        lambda: people.change_details(leaver, first_name="Zora", context=by(erin)),
    ):
        with pytest.raises(ValidationError):
            call()
    written = AuditEvent.objects.count()
    hide_name(leaver, context=by(erin))
    assert AuditEvent.objects.count() == written
