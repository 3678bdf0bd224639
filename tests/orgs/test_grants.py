"""Grants: who may do what, where, for which contacts and until when; the same for lists and checks."""

import html
import re
from datetime import timedelta
from itertools import combinations

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.context import Context, Source, command_context
from audit.models import Action
from contacts.models import AlternateContact
from orgs import access
from orgs.access import (
    Right,
    can,
    organizations_visible_to,
    rights_of,
    scope_of,
    units_visible_to,
    visible_to,
)
from orgs.contact_types import ContactType
from orgs.grants import administrators, create_group, delete_group, end_grant, give_grant
from orgs.models import AccessGrant, Account, Organization, OrganizationalUnit, Role, Standing
from portal.models import User
from tests.contacts.scene import GATEWAY, LEDGER, Scene
from tests.orgs.conftest import events_of, set_members

ALL_TYPES = ContactType.values


@pytest.fixture
def places(scene: Scene) -> list[Organization | OrganizationalUnit | Account | None]:
    """Everywhere; two organizations; units of both, one whose name begins alike; accounts; one standalone."""
    other = Organization.objects.create(
        aws_id="o-zz99zz99zz",
        name="Subsidiary",
        management_account_id="222222222222",
        caller_account_id="222222222222",
        standing=Standing.MANAGEMENT,
    )
    root = OrganizationalUnit.objects.create(organization=other, aws_id="r-zz99", name="Root", path="r-zz99/")
    sister = OrganizationalUnit.objects.create(
        organization=scene.organization,
        aws_id="ou-ab12-payments2",
        name="Payments 2",
        parent=scene.workloads,
        path=scene.workloads.path + "ou-ab12-payments2/",
    )
    scene.account("333333333333", "sister-prod", unit=sister)
    scene.account("444444444444", "elsewhere", organization=other, unit=root)
    scene.account("555555555555", "left", left_at=timezone.now())
    units = [scene.root, scene.workloads, scene.payments, sister, root]
    return [None, scene.organization, other, *units, *Account.objects.all()]


grants = st.lists(
    st.tuples(
        st.sampled_from([role for role in Role if role != Role.ADMINISTRATOR]),
        st.integers(min_value=0, max_value=13),
        st.sets(st.sampled_from(ALL_TYPES), max_size=2),
        st.booleans(),  # by a group
    ),
    max_size=4,
)


@given(given_grants=grants)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lists_and_single_checks_agree(places, given_grants):
    """accounts() and contacts() give exactly the rows that covers() lets through, each once."""
    with transaction.atomic():
        carol = User.objects.create_user("somebody")
        team = Group.objects.create(name="team")
        carol.groups.add(team)
        for role, place, types, by_group in given_grants:
            holder = team if by_group else carol
            where = places[place % len(places)]
            give_grant(holder, role, place=where, contact_types=types, context=command_context())
        carol = User.objects.get(pk=carol.pk)
        accounts = list(Account.objects.select_related("unit", "organization"))
        for right in (Right.VIEW, Right.EDIT, Right.APPROVE, Right.AUDIT):
            scope = scope_of(carol, right)
            found = sorted(access.accounts_with(carol, right).values_list("aws_id", flat=True))
            assert found == sorted(account.aws_id for account in accounts if scope.covers(account))
            within = AlternateContact.objects.filter(scope.contacts("account__", type_field="contact_type"))
            expected = [
                (account.aws_id, name)
                for account in accounts
                for name in ALL_TYPES
                if scope.covers(account, name)
            ]
            assert sorted(within.values_list("account__aws_id", "contact_type")) == sorted(expected)
        transaction.set_rollback(True)


def grant(user: User, role: Role = Role.EDITOR, **where) -> AccessGrant:
    user.__dict__.pop("_grants", None)
    return AccessGrant.objects.create(person=user, role=role, **where)


def test_without_a_grant_nothing_is_allowed(scene, carol):
    assert rights_of(carol) == frozenset()
    assert not visible_to(carol).exists()
    assert not organizations_visible_to(carol).exists()
    assert not units_visible_to(carol).exists()
    assert rights_of(AnonymousUser()) == frozenset()


def test_a_unit_means_all_below_it_and_nothing_that_only_begins_alike(places, scene, carol):
    grant(carol, unit=scene.payments)
    assert set(visible_to(carol).values_list("aws_id", flat=True)) == {LEDGER, GATEWAY, "555555555555"}
    assert list(organizations_visible_to(carol)) == [scene.organization]
    assert list(units_visible_to(carol)) == [scene.payments]


def test_contact_types_limit_what_is_seen_and_changed(scene, carol):
    grant(carol, Role.VIEWER, organization=scene.organization)
    grant(carol, Role.EDITOR, account=scene.ledger, contact_types=["SECURITY"])
    assert can(carol, Right.EDIT, scene.ledger, "SECURITY")
    assert not can(carol, Right.EDIT, scene.ledger, "BILLING")
    assert not can(carol, Right.EDIT, scene.gateway, "SECURITY")
    assert can(carol, Right.VIEW, scene.gateway, "BILLING")


def test_a_grant_ends_by_itself(scene, carol):
    grant(carol, ends_at=timezone.now() + timedelta(minutes=1))
    assert can(carol, Right.EDIT, scene.ledger, "SECURITY")
    AccessGrant.objects.filter(person=carol).update(ends_at=timezone.now())
    assert rights_of(User.objects.get(pk=carol.pk)) == frozenset()


def test_what_is_about_the_whole_portal_needs_a_grant_without_limits(scene, carol):
    grant(carol, Role.AUDITOR, organization=scene.organization)
    assert Right.AUDIT in rights_of(carol)
    assert Right.REVIEW not in rights_of(carol)
    assert carol not in access.people_with(Right.REVIEW)
    assert carol in access.people_with(Right.AUDIT)
    grant(carol, Role.AUDITOR)
    assert Right.REVIEW in rights_of(carol)
    assert carol in access.people_with(Right.REVIEW)


def test_an_administrator_is_one_everywhere(scene, erin, carol):
    with pytest.raises(ValidationError, match="everywhere"):
        give_grant(carol, Role.ADMINISTRATOR, place=scene.payments, context=command_context())
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessGrant.objects.create(person=carol, role=Role.ADMINISTRATOR, contact_types=["SECURITY"])


def test_a_deactivated_person_and_nobody_have_no_rights(erin):
    erin.is_active = False
    assert rights_of(erin) == frozenset()
    erin.save(update_fields=["is_active"])
    assert erin not in access.people_with(Right.VIEW)


def by(actor: User) -> Context:
    return Context(actor=actor, source=Source.PAGE)


def test_giving_and_ending_leave_events_that_say_what_and_where(scene, erin, carol):
    given_one = give_grant(
        carol, Role.EDITOR, place=scene.payments, contact_types=["SECURITY", "BILLING"], context=by(erin)
    )
    again = give_grant(
        carol, Role.EDITOR, place=scene.payments, contact_types=["BILLING", "SECURITY"], context=by(erin)
    )
    assert again == given_one
    end_grant(given_one, context=by(erin))
    end_grant(given_one, context=by(erin))

    [gave] = events_of(Action.GRANT_GIVEN)
    [ended] = events_of(Action.GRANT_ENDED)
    assert (gave.actor_id, gave.detail["user"], gave.after["role"]) == (erin.pk, "carol", "Editor")
    assert gave.after["where"] == "in unit Payments and below"
    assert gave.after["contact_types"] == ["BILLING", "SECURITY"]
    assert ended.before == gave.after
    assert not AccessGrant.objects.in_force().filter(person=carol).exists()
    assert AccessGrant.objects.filter(person=carol).count() == 1


@pytest.mark.parametrize("way", ["end", "leave"])
def test_an_administrator_always_remains(erin, alice, way):
    admins = create_group("admins", context=by(erin))
    give_grant(admins, Role.ADMINISTRATOR, context=by(erin))
    set_members(admins, [alice], context=by(erin))
    own = erin.grants.get()
    end_grant(own, context=by(User.objects.get(pk=alice.pk)))
    assert list(administrators()) == [alice]
    with pytest.raises(ValidationError, match="last administrator"):
        if way == "end":
            end_grant(admins.grants.get(), context=command_context())
        else:
            set_members(admins, [], context=command_context())
    assert list(administrators()) == [alice]


def test_nobody_takes_administration_from_themselves(erin, alice):
    give_grant(alice, Role.ADMINISTRATOR, context=by(erin))
    with pytest.raises(ValidationError, match="yourself"):
        end_grant(erin.grants.get(), context=by(erin))


def test_an_administrator_with_an_end_does_not_count_as_the_one_who_remains(erin, alice):
    soon = timezone.now() + timedelta(days=1)
    give_grant(alice, Role.ADMINISTRATOR, ends_at=soon, context=by(erin))
    with pytest.raises(ValidationError, match="last administrator"):
        end_grant(erin.grants.get(), context=by(User.objects.get(pk=alice.pk)))


def test_a_group_with_grants_is_not_deleted(erin):
    team = create_group("team", context=by(erin))
    held = give_grant(team, Role.VIEWER, context=by(erin))
    with pytest.raises(ValidationError, match="still has grants"):
        delete_group(team, context=by(erin))
    end_grant(held, context=by(erin))
    delete_group(team, context=by(erin))
    assert [event.detail["group"] for event in events_of(Action.GROUP_DELETED)] == ["team"]


def test_members_of_a_group_are_told_in_the_audit(erin, alice, bob):
    team = create_group(" team ", context=by(erin))
    set_members(team, [alice, bob], context=by(erin))
    set_members(team, [bob, alice], context=by(erin))
    changes = [(event.before["members"], event.after["members"]) for event in events_of(Action.GROUP_CHANGED)]
    assert changes == [([], ["alice"]), (["alice"], ["alice", "bob"])]


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"role": ""}, "role", "required"),
        ({"role": "Administrator", "place": LEDGER}, "role", "everywhere"),
        ({"place": "ou-ab12-nowhere"}, "place", "knows no"),
        ({"place": "99999"}, "place", "knows no"),
        ({"place": "pay"}, "place", "Choose one"),
        ({"holder": "nobody"}, "holder", "Neither"),
        ({"ends_on": "2020-01-01"}, "ends_on", "over"),
        ({"contact_types": ["PRIMARY"]}, "contact_types", "valid choice"),
    ],
)
def test_mistakes_in_a_grant_are_named_by_field_and_the_typing_is_kept(
    scene, erin, carol, typed, field, words
):
    client = Client()
    client.force_login(erin)
    address = reverse("orgs:grant_create")
    wanted = {"holder": "carol", "role": "Editor", "place": LEDGER, "step": "give", **typed}
    answer = client.post(address, wanted)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    if "place" in typed:
        assert f'value="{typed["place"]}"' in answer.text
    assert not carol.grants.exists()


def test_access_is_given_and_ended_on_the_person_s_page(scene, erin, carol):
    client = Client()
    client.force_login(erin)
    ends_on = (timezone.localdate() + timedelta(days=3)).isoformat()
    typed = {"holder": "carol", "role": "Editor", "place": "4421 0915 3376", "contact_types": ["SECURITY"]}
    before = client.post(reverse("orgs:grant_create"), typed | {"ends_on": ends_on})
    assert "change, have AWS read and export the Security contacts of account 442109153376" in before.text
    assert not carol.grants.exists()

    given = client.post(reverse("orgs:grant_create"), fields_of(before) | {"step": "give"}, follow=True)
    assert "in account 442109153376" in given.text.lower()
    held = carol.grants.get()
    assert can(carol, Right.EDIT, scene.ledger, "SECURITY")

    address = reverse("orgs:grant_end", args=[held.pk])
    assert "will no longer be able to" in client.get(address).text
    assert held.is_in_force
    client.post(address, {"reason": "Left the team."})
    assert not can(User.objects.get(pk=carol.pk), Right.EDIT, scene.ledger, "SECURITY")
    assert events_of(Action.GRANT_ENDED)[0].reason == "Left the team."
    assert "Access that ended" in client.get(reverse("orgs:person_detail", args=[carol.pk])).text


def fields_of(page) -> dict[str, list[str]]:
    """What the page that asks once more sends back."""
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text):
        if name != "csrfmiddlewaretoken":
            fields.setdefault(name, []).append(html.unescape(value))
    return fields


@pytest.mark.django_db(transaction=True)
def test_who_was_in_a_role_s_group_keeps_the_role_and_gets_it_back():
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    def migrate(*targets: tuple[str, str]):
        executor = MigrationExecutor(connection)
        executor.migrate(list(targets))
        return MigrationExecutor(connection).loader.project_state(list(targets)).apps

    old = migrate(("orgs", "0003_access_grants"))
    try:
        editors = old.get_model("auth", "Group").objects.get(name="Editor")
        team = old.get_model("auth", "Group").objects.create(name="Payments")
        gina = old.get_model("portal", "User").objects.create(username="gina")
        gina.groups.add(editors, team)
        new = migrate(("orgs", "0004_roles_become_grants"))
        assert list(new.get_model("orgs", "AccessGrant").objects.values_list("person__username", "role")) == [
            ("gina", "Editor")
        ]
        assert list(new.get_model("auth", "Group").objects.values_list("name", flat=True)) == ["Payments"]
        back = migrate(("orgs", "0003_access_grants"))
        member = back.get_model("portal", "User").objects.get(username="gina")
        assert set(member.groups.values_list("name", flat=True)) == {"Editor", "Payments"}
    finally:
        migrate(*MigrationExecutor(connection).loader.graph.leaf_nodes())


def test_every_right_is_held_by_some_role_and_scopes_never_exceed_roles():
    held = [access.ROLE_RIGHTS[role] for role in Role]
    assert frozenset().union(*held) == frozenset(Right)
    assert all(Right.VIEW in rights for rights in held)
    assert all(one != other for one, other in combinations(held, 2))
