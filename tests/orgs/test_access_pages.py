"""People, groups, access: who has what as a list and a file, members, and places found by name."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.context import command_context
from audit.models import Action
from orgs.grants import give_grant
from orgs.models import AccessGrant, OrganizationalUnit, Role
from orgs.provider_groups import renew_groups
from portal.models import User
from tests.contacts.scene import GATEWAY, LEDGER, Scene, as_person
from tests.orgs.conftest import events_of, set_members


@pytest.fixture
def admin(erin: User) -> Client:
    """A browser in which erin, the administrator, is signed in."""
    return as_person(erin)


@pytest.fixture
def team(db) -> Group:
    return Group.objects.create(name="Payments team")


def give(holder: User | Group, role: Role, **facts) -> AccessGrant:
    return give_grant(holder, role, context=command_context(), **facts)


# Groups


def test_a_group_is_made_filled_emptied_and_deleted(admin: Client, alice: User, scene: Scene):
    made = admin.post(reverse("orgs:group_create"), {"name": "Payments team"}, follow=True)
    group = Group.objects.get(name="Payments team")
    assert "Nobody is in the group yet." in made.text

    admin.post(reverse("orgs:group_add", args=[group.pk]), {"person": "alice"})
    admin.post(reverse("orgs:group_add", args=[group.pk]), {"person": "alice"})
    assert list(group.user_set.all()) == [alice]
    held = give(group, Role.VIEWER, place=scene.payments)
    refused = admin.post(reverse("orgs:group_delete", args=[group.pk]))
    assert refused.status_code == 422
    assert "still has grants" in refused.text

    admin.post(reverse("orgs:grant_end", args=[held.pk]))
    admin.post(reverse("orgs:group_remove", args=[group.pk, alice.pk]))
    assert not group.user_set.exists()
    assert "Access that ended" in admin.get(reverse("orgs:group_detail", args=[group.pk])).text
    admin.post(reverse("orgs:group_delete", args=[group.pk]))
    assert not Group.objects.exists()
    changes = [(event.before["members"], event.after["members"]) for event in events_of(Action.GROUP_CHANGED)]
    assert changes == [([], ["alice"]), (["alice"], [])]
    assert [event.detail["group"] for event in events_of(Action.GROUP_DELETED)] == ["Payments team"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [("", "required"), ("nobody at all", "Nobody here"), ("bank", "Choose one"), ("team", "Nobody here")],
)
def test_whoever_is_not_clear_is_not_added(admin, team, typed, words):
    for name in ("bank1", "bank2"):
        User.objects.create_user(name)
    answer = admin.post(reverse("orgs:group_add", args=[team.pk]), {"person": typed})
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors["person"])
    assert not team.user_set.exists()


def test_what_was_chosen_below_the_box_counts(admin, team, alice, bob):
    typed = {"person": "a", "person_pick": "bob"}
    admin.post(reverse("orgs:group_add", args=[team.pk]), typed)
    assert list(team.user_set.all()) == [bob]


def test_the_last_administrator_stays_in_the_group(admin, erin, team):
    give(team, Role.ADMINISTRATOR)
    set_members(team, [erin], context=command_context())
    erin.grants.update(ends_at=timezone.now())
    answer = admin.post(reverse("orgs:group_remove", args=[team.pk, erin.pk]), follow=True)
    assert "last administrator" in answer.text
    assert list(team.user_set.all()) == [erin]


def test_whoever_is_put_in_again_by_hand_stays_whatever_the_provider_says(team, bob):
    context = command_context()
    renew_groups(bob, ["Payments team"], context=context)
    set_members(team, [], context=context)
    set_members(team, [bob], context=context)
    renew_groups(bob, [], context=context)
    assert list(team.user_set.all()) == [bob]


def test_members_who_come_from_the_identity_provider_are_told_apart(admin, team, alice, bob):
    set_members(team, [alice], context=command_context())
    address = reverse("orgs:group_detail", args=[team.pk])
    assert "identity provider" not in admin.get(address).text
    renew_groups(bob, ["Payments team"], context=command_context())
    page = admin.get(address)
    assert "1 of them comes from the identity provider" in page.text
    assert {person.username: person.is_lent for person in page.context["page_obj"]} == {
        "alice": False,
        "bob": True,
    }


def test_a_group_of_thousands_is_a_few_queries(admin, team, scene, django_assert_max_num_queries):
    people = User.objects.bulk_create(User(username=f"person{n:04}") for n in range(3000))
    team.user_set.set(people)
    address = reverse("orgs:group_detail", args=[team.pk])
    with django_assert_max_num_queries(30):
        page = admin.get(address, {"q": "person29"})
    assert "1–25 of 100 members" in page.text
    assert "person2900" in page.text and "person0001" not in page.text


# The list and the file


@pytest.fixture
def some_grants(scene, alice, bob, team) -> None:
    """Beside those that the cast has."""
    set_members(team, [bob], context=command_context())
    give(team, Role.EDITOR, place=scene.payments, contact_types=["OPERATIONS"])
    give(alice, Role.APPROVER, place=scene.ledger, ends_at=timezone.now() + timedelta(days=3))
    ended = give(bob, Role.HELPDESK, place=scene.organization)
    AccessGrant.objects.filter(pk=ended.pk).update(ends_at=timezone.now() - timedelta(days=1))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, {"alice Editor", "bob Viewer", "erin Administrator", "team Editor", "alice Approver"}),
        ({"q": "alice"}, {"alice Editor", "alice Approver"}),
        ({"q": "payments edit"}, set()),
        ({"q": "ledger"}, {"alice Approver"}),
        ({"role": "Editor"}, {"alice Editor", "team Editor"}),
        ({"type": "BILLING"}, {"alice Editor", "bob Viewer", "erin Administrator", "alice Approver"}),
        ({"type": "OPERATIONS", "where": "unit"}, {"team Editor"}),
        ({"where": "everywhere"}, {"alice Editor", "bob Viewer", "erin Administrator"}),
        ({"state": "soon"}, {"alice Approver"}),
        ({"state": "open", "role": "Approver"}, set()),
        ({"state": "ended"}, {"bob Helpdesk"}),
        ({"person": "bob"}, {"bob Viewer", "team Editor"}),
        ({"place": GATEWAY}, {"alice Editor", "bob Viewer", "erin Administrator", "team Editor"}),
        ({"place": LEDGER, "role": "Approver"}, {"alice Approver"}),
        ({"place": "ou-ab12-workload", "role": "Editor"}, {"alice Editor"}),
        ({"place": "ou-nowhere"}, set()),
        ({"role": "Emperor", "state": "sideways"}, None),
    ],
)
def test_the_list_and_the_file_show_what_the_filters_ask_for(admin, erin, some_grants, filters, expected):
    def named(grant: AccessGrant) -> str:
        return f"{grant.person.username if grant.person else 'team'} {grant.role}"

    shown = admin.get(reverse("orgs:grant_list"), filters).context["object_list"]
    rows = rows_of(admin.get(reverse("orgs:grant_export"), filters))
    if expected is not None:
        assert {named(grant) for grant in shown} == expected
    assert {int(row["Grant"]) for row in rows} == {grant.pk for grant in shown}


def rows_of(answer) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_file_has_a_row_for_each_person_and_is_an_event(admin, erin, team, alice, bob, scene):
    alice.first_name = "=cmd|' /C calc'!A0"
    alice.save(update_fields=["first_name"])
    set_members(team, [alice, bob], context=command_context())
    give(team, Role.EDITOR, place=scene.payments, contact_types=["OPERATIONS"])
    rows = rows_of(admin.get(reverse("orgs:grant_export"), {"where": "unit"}))
    assert [(row["UserName"], row["ByGroup"], row["Role"]) for row in rows] == [
        ("alice", "Payments team", "Editor"),
        ("bob", "Payments team", "Editor"),
    ]
    assert rows[0]["Person"] == "'=cmd|' /C calc'!A0"
    assert (rows[0]["PlaceId"], rows[0]["ContactTypes"]) == ("ou-ab12-payments", "OPERATIONS")
    assert rows[0]["Path"] == "Northwind Bank / Workloads / Payments"
    [event] = events_of(Action.GRANTS_EXPORTED)
    assert (event.actor_id, event.detail) == (erin.pk, {"grants": 1, "filters": {"where": "unit"}})


def test_reviewers_see_who_may_do_what_and_may_change_nothing(scene, dana, some_grants):
    page = as_person(dana).get(reverse("orgs:grant_list"))
    assert "Payments team" in page.text
    for address in ("orgs:person_list", "orgs:group_list", "orgs:grant_create"):
        assert f'href="{reverse(address)}"' not in page.text
    assert "/end/" not in page.text


@pytest.mark.parametrize("address", ["orgs:grant_list", "orgs:grant_export", "orgs:group_list"])
def test_queries_do_not_grow_with_rows(admin, scene, team, alice, address):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            answer = admin.get(reverse(address))
            b"".join(answer.streaming_content if answer.streaming else [answer.content])
        return len(queries)

    give(team, Role.VIEWER, place=scene.payments)
    give(alice, Role.VIEWER, place=scene.ledger)
    before = count()
    for n in range(30):
        group = Group.objects.create(name=f"group {n:02}")
        group.user_set.add(alice)
        give(group, Role.VIEWER, place=scene.payments)
        give(alice, Role.VIEWER, place=scene.account(f"{600000000000 + n}", f"more-{n}"))
    assert count() == before


# Finding


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pay", ["ou-ab12-payments", LEDGER]),
        ("PAY ledger", [LEDGER]),
        ("northwind", ["o-nw7k2d9x4b"]),
        ("9077", [GATEWAY]),
        ("%", []),
        ("nothing like it", []),
    ],
)
def test_places_are_found_by_words_of_their_names(admin, scene, text, expected):
    page = admin.get(reverse("orgs:find", args=["place"]), {"place": text})
    assert [one.value for one in page.context["found"]] == expected


def test_a_unit_is_shown_with_the_way_to_it_and_an_id_is_a_hit(admin, scene):
    page = admin.get(reverse("orgs:find", args=["place"]), {"place": "pay"})
    assert "unit in Northwind Bank / Workloads" in page.text
    hit = admin.get(reverse("orgs:find", args=["place"]), {"place": "ou-ab12-payments"})
    assert hit.context["hit"].title == "Payments" and "radio" not in hit.text


def test_of_thousands_of_units_some_are_shown_by_a_few_queries(admin, scene, django_assert_max_num_queries):
    OrganizationalUnit.objects.bulk_create(
        OrganizationalUnit(
            organization=scene.organization,
            aws_id=f"ou-ab12-{n:08}",
            name=f"Team {n}",
            parent=scene.payments,
            path=f"{scene.payments.path}ou-ab12-{n:08}/",
        )
        for n in range(2000)
    )
    with django_assert_max_num_queries(12):
        page = admin.get(reverse("orgs:find", args=["place"]), {"place": "team"})
    assert len(page.context["found"]) == 6
    assert "There may be more" in page.text


def test_nobody_finds_accounts_that_they_may_not_see(scene, carol):
    AccessGrant.objects.create(person=carol, role=Role.VIEWER, account=scene.gateway)
    client = as_person(carol)
    texts = [
        client.get(reverse("orgs:find", args=["account"]), {"account": text}).text
        for text in ("payments-ledger-prod", LEDGER, "999999999999", "nothing")
    ]
    assert len(set(texts)) == 1
    assert GATEWAY in client.get(reverse("orgs:find", args=["account"]), {"account": "gateway"}).text


# Giving


def test_the_place_of_the_link_is_filled_in_and_what_it_means_is_said(admin, scene, hank):
    form = admin.get(reverse("orgs:grant_create"), {"place": "ou-ab12-workload"})
    assert "unit in Northwind Bank" in form.text
    typed = {"holder": "hank", "role": "Editor", "place": "workloads", "contact_types": ["SECURITY"]}
    page = admin.post(reverse("orgs:grant_create"), typed | {"ends_on": "2099-12-31"})
    assert '<span class="strong">Hank</span> will be able to' in page.text
    assert "the Security contacts of 3 accounts in unit Workloads and below" in page.text
    assert "until the end of 31 Dec 2099" in page.text
    assert "Helpdesk everywhere" in page.text
    assert not AccessGrant.objects.filter(unit=scene.workloads).exists()


def test_what_limits_leave_out_is_said(admin, scene, hank):
    typed = {"holder": "hank", "role": "Auditor", "place": LEDGER}
    assert "review what was done and sign it off" in admin.post(reverse("orgs:grant_create"), typed).text


def test_going_back_keeps_what_was_typed(admin, scene, hank):
    typed = {"holder": "hank", "role": "Editor", "place": "workloads", "reason": "December", "step": "edit"}
    page = admin.post(reverse("orgs:grant_create"), typed)
    assert page.status_code == 200
    assert 'value="December"' in page.text and 'value="workloads"' in page.text


def test_a_group_and_a_person_of_one_name_are_told_apart(admin, scene, alice):
    group = Group.objects.create(name="alice")
    typed = {"holder": "group:alice", "role": "Viewer", "step": "give"}
    admin.post(reverse("orgs:grant_create"), typed)
    assert group.grants.count() == 1 and alice.grants.count() == 1


def test_pages_of_places_lead_to_giving_access_there_for_whoever_may(scene, erin, alice):
    link = f"{reverse('orgs:grant_create')}?place="
    account = reverse("contacts:account_detail", args=[LEDGER])
    organization = reverse("orgs:organization_detail", args=[scene.organization.aws_id])
    assert f"{link}{LEDGER}" in as_person(erin).get(account).text
    assert f"{link}{scene.organization.aws_id}" in as_person(erin).get(organization).text
    for address in (account, organization):
        assert link not in as_person(alice).get(address).text
    listed = as_person(erin).get(reverse("orgs:grant_list"), {"place": LEDGER, "person": "alice"})
    assert f"{reverse('orgs:grant_create')}?person" not in listed.text
    assert listed.context["given_to"] == f"holder=alice&place={LEDGER}"
