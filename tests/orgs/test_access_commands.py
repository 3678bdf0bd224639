"""Access from the terminal: given, listed and ended by the same functions as on the pages."""

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from audit.models import Action
from orgs.access import Right, can
from orgs.models import AccessGrant
from portal.models import User
from tests.contacts.scene import GATEWAY, LEDGER
from tests.orgs.conftest import events_of


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_access_is_given_listed_and_ended(scene, carol):
    where = ["--place", "ou-ab12-payments", "--type", "SECURITY", "--until", "2099-12-31"]
    given = run("give_access", "Editor", "--user", "carol", *where, "--reason", "Freeze")
    assert "in unit Payments and below, Security, until the end of 31 Dec 2099" in given
    assert can(User.objects.get(pk=carol.pk), Right.EDIT, scene.ledger, "SECURITY")

    [facts] = json.loads(run("list_access", "--user", "carol", "--json"))
    assert (facts["place"], facts["contact_types"], facts["in_force"]) == (
        "ou-ab12-payments",
        ["SECURITY"],
        True,
    )

    ended = run("end_access", str(facts["grant"]))
    assert ended.startswith(f"Ended: {facts['grant']}  carol")
    assert not AccessGrant.objects.in_force().filter(person=carol).exists()
    assert run("list_access", "--user", "carol") == "Nobody has any such access.\n"
    assert "carol" in run("list_access", "--ended")
    [gave] = events_of(Action.GRANT_GIVEN)
    assert (gave.source, gave.actor_id, gave.reason) == ("command", None, "Freeze")
    assert gave.os_user
    assert len(events_of(Action.GRANT_ENDED)) == 1


def test_a_group_s_access_counts_for_its_members(scene, alice, carol):
    team = Group.objects.create(name="Payments team")
    carol.groups.add(team)
    run("give_access", "Viewer", "--group", "Payments team", "--place", LEDGER)
    assert "group Payments team" in run("list_access", "--user", "carol")
    assert "group Payments team" in run("list_access", "--group", "Payments team")
    assert "alice" in run("list_access")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("give_access", "Editor", "--user", "nobody"), "no user"),
        (("give_access", "Editor", "--group", "nobody"), "no group"),
        (("give_access", "Editor", "--user", "carol", "--place", "ou-x"), "knows no"),
        (("give_access", "Editor", "--user", "carol", "--until", "tomorrow"), "no day"),
        (("give_access", "Editor", "--user", "carol", "--until", "2020-01-01"), "past"),
        (("give_access", "Administrator", "--user", "carol", "--place", GATEWAY), "everywhere"),
        (("end_access", "999"), "no grant"),
        (("list_access", "--user", "nobody"), "no user"),
    ],
)
def test_what_cannot_be_is_wrong_usage(scene, carol, args, words):
    with pytest.raises(CommandError, match=words) as refused:
        run(*args)
    assert refused.value.returncode == 2
    assert not carol.grants.exists()


def test_a_person_named_by_as_needs_the_right(scene, alice, carol):
    with pytest.raises(CommandError, match="Manage people") as refused:
        run("give_access", "Editor", "--user", "carol", "--as", "alice")
    assert refused.value.returncode == 1
    assert not carol.grants.exists()


def test_the_last_administrator_is_not_ended(erin):
    with pytest.raises(CommandError, match="last administrator"):
        run("end_access", str(erin.grants.get().pk))


@pytest.fixture
def demo(settings, tmp_path):
    settings.AWS_SANDBOX, settings.VAR_DIR = True, tmp_path
    return tmp_path


def test_two_of_the_demo_people_have_a_part(demo, scene):
    text = run("create_demo_people")
    assert "payments  Editor         Payments Team, for Operations in Payments" in text
    assert "security  Editor         Security Operations, for Security" in text
    payments, security = (User.objects.get(username=name) for name in ("payments", "security"))
    assert can(payments, Right.EDIT, scene.gateway, "OPERATIONS")
    assert not can(payments, Right.EDIT, scene.gateway, "SECURITY")
    assert not can(payments, Right.VIEW, scene.archive)
    assert can(security, Right.EDIT, scene.archive, "SECURITY")
    assert can(security, Right.VIEW, scene.archive, "BILLING")


def test_nobody_is_made_for_a_unit_that_is_not_known_yet(demo, db):
    assert "payments" not in run("create_demo_people")
    assert "security" in run("create_demo_people")
    assert not User.objects.filter(username="payments").exists()
