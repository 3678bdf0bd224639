"""People: administrators make and change them by the pages; every change is an audit event."""

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from audit.context import Context, Source, command_context
from audit.models import Action
from orgs import people
from orgs.access import roles_of
from orgs.grants import create_group, delete_group, end_grant, give_grant
from orgs.models import Role
from portal.models import User
from tests.conftest import PASSWORD, queries_of
from tests.orgs.conftest import events_of, set_members

NEW_PASSWORD = "a much longer horse battery"


@pytest.fixture
def admin(client: Client, erin: User) -> Client:
    """A browser in which erin, the administrator, is signed in."""
    client.force_login(erin)
    return client


def by(actor: User) -> Context:
    return Context(actor=actor, source=Source.PAGE)


def test_administrator_makes_a_person_who_can_sign_in(admin: Client, erin: User):
    values = {"username": "gina", "first_name": "Gina", "password": NEW_PASSWORD, "roles": ["Editor"]}

    response = admin.post(reverse("orgs:person_create"), values)

    gina = User.objects.get(username="gina")
    assert response.url == reverse("orgs:person_detail", args=[gina.pk])
    assert roles_of(gina) == [Role.EDITOR]
    assert Client().login(username="gina", password=NEW_PASSWORD)
    [event] = events_of(Action.USER_CREATED)
    assert (event.actor_id, event.detail["user"]) == (erin.pk, "gina")
    [given] = events_of(Action.GRANT_GIVEN)
    assert given.detail["user"] == "gina"
    assert (given.after["role"], given.after["where"]) == ("Editor", "everywhere")
    assert NEW_PASSWORD not in str((event.before, event.after, event.detail))
    assert "password" not in event.after


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"username": ""}, "username", "required"),
        ({"username": "bob"}, "username", "already exists"),
        ({"username": "a b"}, "username", "valid username"),
        ({"password": "short"}, "password", "too short"),
        ({"password": "12345678901"}, "password", "entirely numeric"),
        ({"roles": ["Emperor"]}, "roles", "valid choice"),
        ({"email": "nobody"}, "email", "valid email"),
    ],
)
def test_mistakes_in_a_new_person_are_named_and_the_typing_is_kept(admin, bob, values, field, text):
    typed = {"username": "gina", "first_name": "Gina", "password": NEW_PASSWORD} | values

    response = admin.post(reverse("orgs:person_create"), typed)

    assert text in str(response.context["form"].errors[field])
    assert b'value="Gina"' in response.content
    assert not User.objects.filter(username="gina").exists()
    assert events_of(Action.USER_CREATED) == []


def test_without_sign_in_by_password_nobody_is_given_one(admin: Client, settings):
    settings.PASSWORD_SIGN_IN = False
    address = reverse("orgs:person_create")
    assert "password" not in admin.get(address).context["form"].fields
    answer = admin.post(address, {"username": "gina", "password": NEW_PASSWORD}, follow=True)
    assert "manage.py link_person" in answer.text
    gina = User.objects.get(username="gina")
    assert not gina.has_usable_password()
    assert "New password" not in admin.get(reverse("orgs:person_detail", args=[gina.pk])).text


def test_nobody_deactivates_themselves(admin: Client, erin: User):
    admin.post(reverse("orgs:person_active", args=[erin.pk]), {"active": "no"})

    erin.refresh_from_db()
    assert erin.is_active


def test_the_last_administrator_is_not_deactivated(erin: User):
    with pytest.raises(ValidationError, match="last administrator"):
        people.set_active(erin, False, context=command_context())

    erin.refresh_from_db()
    assert erin.is_active


def test_an_administrator_who_may_not_sign_in_does_not_count(erin: User, alice: User):
    give_grant(alice, Role.ADMINISTRATOR, context=by(erin))
    people.set_active(alice, False, context=by(erin))

    with pytest.raises(ValidationError, match="last administrator"):
        people.set_active(erin, False, context=command_context())


def test_deactivation_ends_sessions_and_they_do_not_come_back(admin: Client, alice: User):
    theirs = Client()
    theirs.force_login(alice)
    url = reverse("orgs:person_active", args=[alice.pk])

    admin.post(url, {"active": "no"})
    assert theirs.get(reverse("orgs:profile")).status_code == 302
    assert Session.objects.count() == 1
    admin.post(url, {"active": "yes"})
    assert theirs.get(reverse("orgs:profile")).status_code == 302

    states = [(event.before, event.after) for event in events_of(Action.USER_CHANGED)]
    on, off = {"is_active": True}, {"is_active": False}
    assert states == [(on, off), (off, on)]


def test_a_new_password_ends_sessions_and_is_in_no_event(admin: Client, alice: User):
    theirs = Client()
    theirs.force_login(alice)

    admin.post(reverse("orgs:person_password", args=[alice.pk]), {"password": NEW_PASSWORD})

    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert theirs.get(reverse("orgs:profile")).status_code == 302
    [event] = events_of(Action.PASSWORD_CHANGED)
    assert event.detail["user"] == "alice"
    assert NEW_PASSWORD not in str((event.before, event.after, event.detail))


def test_own_password_is_changed_on_the_own_page_only(admin: Client, erin: User):
    response = admin.post(reverse("orgs:person_password", args=[erin.pk]), {"password": NEW_PASSWORD})

    assert response.status_code == 422
    erin.refresh_from_db()
    assert erin.check_password(PASSWORD)


def test_details_change_with_before_and_after(admin: Client, alice: User):
    values = {"first_name": "Alicia", "last_name": "Ng", "email": "alicia@northwind.example"}

    admin.post(reverse("orgs:person_details", args=[alice.pk]), values)

    alice.refresh_from_db()
    assert alice.label == "Alicia Ng"
    [event] = events_of(Action.USER_CHANGED)
    assert event.before["first_name"] == "Alice"
    assert event.after == values


def test_everybody_changes_their_own_profile(client: Client, carol: User):
    client.force_login(carol)

    client.post(reverse("orgs:profile"), {"theme": "dark", "time_zone": "Europe/Madrid"})

    carol.refresh_from_db()
    assert (carol.theme, carol.time_zone) == ("dark", "Europe/Madrid")
    [event] = events_of(Action.USER_CHANGED)
    assert event.after == {"theme": "dark", "time_zone": "Europe/Madrid"}
    response = client.post(reverse("orgs:profile"), {"theme": "dark", "time_zone": "Mars/Olympus"})
    assert "time_zone" in response.context["form"].errors


def test_nobody_changes_the_profile_of_another(alice: User, erin: User):
    with pytest.raises(PermissionDenied):
        people.change_profile(alice, theme="dark", time_zone="", context=by(erin))


@pytest.mark.parametrize(
    "call",
    [
        lambda user, context: people.create_user("new", password=NEW_PASSWORD, context=context),
        lambda user, context: give_grant(user, Role.ADMINISTRATOR, context=context),
        lambda user, context: end_grant(user.grants.get(), context=context),
        lambda user, context: create_group("new", context=context),
        lambda user, context: set_members(Group(name="new"), [user], context=context),
        lambda user, context: delete_group(Group(name="new"), context=context),
        lambda user, context: people.set_active(user, False, context=context),
        lambda user, context: people.set_password(user, NEW_PASSWORD, context=context),
        lambda user, context: people.change_details(user, first_name="X", context=context),
    ],
)
def test_only_administrators_change_people(cast: dict, call):
    others = [user for name, user in cast.items() if name != "erin"]

    for context in [*map(by, others), Context(source=Source.PAGE)]:
        with pytest.raises(PermissionDenied):
            call(cast["bob"], context)

    cast["bob"].refresh_from_db()
    assert cast["bob"].is_active
    assert roles_of(cast["bob"]) == [Role.VIEWER]


def test_the_list_is_found_by_name_role_and_state(admin: Client, cast: dict):
    people.set_active(cast["bob"], False, context=by(cast["erin"]))

    def found(**query: str) -> set[str]:
        response = admin.get(reverse("orgs:person_list"), query)
        return {user.username for user in response.context["object_list"]}

    assert found() == set(cast)
    assert found(q="ali") == {"alice"}
    assert found(role="Auditor") == {"dana"}
    assert found(state="inactive") == {"bob"}
    assert found(role="Emperor") == set(cast)


def test_the_list_takes_the_same_few_queries_for_many(admin: Client, cast: dict):
    few = queries_of(lambda: admin.get(reverse("orgs:person_list")))
    User.objects.bulk_create(User(username=f"user-{n}") for n in range(40))

    assert queries_of(lambda: admin.get(reverse("orgs:person_list"))) <= few


@pytest.mark.parametrize("name", ["erin", "Erin", "ERIN"])
def test_no_two_user_names_differ_by_capitals_alone(erin, name):
    context = Context(actor=erin, source=Source.PAGE)
    with pytest.raises(ValidationError) as refused:
        people.create_user(name, password=PASSWORD, context=context)
    assert "username" in refused.value.message_dict
    people.change_details(erin, first_name="Erin", last_name="", email="", context=context)
