"""Why somebody can, or cannot, do something: the page and the command say what the rule itself decides."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.context import Context, Source, command_context
from contacts.approval import save_rules
from contacts.models import ApprovalRules
from orgs.access import Right, can
from orgs.contact_types import ContactType
from orgs.explaining import explain
from orgs.grants import give_grant
from orgs.models import AccessGrant, Account, Role
from portal.models import User
from tests.contacts.scene import ARCHIVE, GATEWAY, LEDGER, as_person

WHY = "contacts:access_why"


def ask(client, **question: str):
    return client.get(reverse(WHY), {"right": "edit", "account": LEDGER, **question})


@pytest.fixture
def admin(erin: User):
    return as_person(erin)


@given(
    given_grants=st.lists(
        st.tuples(
            st.sampled_from([role for role in Role if role != Role.ADMINISTRATOR]),
            st.integers(min_value=0, max_value=5),
            st.sets(st.sampled_from(ContactType.values), max_size=2),
            st.booleans(),
        ),
        max_size=3,
    ),
    right=st.sampled_from(list(Right)),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_grants_explain_exactly_what_is_decided(scene, carol, given_grants, right):
    """Whoever may has a grant that gives it, and whoever may not has none: for each account and contact."""
    places = [None, scene.organization, scene.workloads, scene.payments, scene.ledger, scene.lab]
    AccessGrant.objects.filter(person=carol).delete()
    for role, place, types, is_over in given_grants:
        grant = give_grant(carol, role, place=places[place], contact_types=types, context=command_context())
        if is_over:
            AccessGrant.objects.filter(pk=grant.pk).update(ends_at=timezone.now())
    person = User.objects.get(pk=carol.pk)
    for account in Account.objects.select_related("unit"):
        for contact_type in ("", *ContactType.values):
            explanation = explain(person, right, account, contact_type)
            assert explanation.allowed == can(person, right, account, contact_type)
            assert explanation.allowed == bool(explanation.giving)


@pytest.mark.parametrize(
    ("facts", "question", "words"),
    [
        ({"account": GATEWAY}, {}, "It holds in another place."),
        ({"contact_types": ["BILLING"]}, {"contact_type": "SECURITY"}, "It holds for other contact types."),
        ({"ends_at": timedelta(days=-1)}, {}, "It ended "),
        ({"role": Role.VIEWER}, {}, "The role does not have this right."),
        ({"role": Role.AUDITOR, "account": LEDGER}, {"right": "review"}, "needs a grant without limits."),
    ],
)
def test_each_grant_says_why_it_does_not_give_the_right(scene, admin, carol, facts, question, words):
    facts = {"role": Role.EDITOR, **facts}
    if account := facts.get("account"):
        facts["account"] = Account.objects.get(aws_id=account)
    if ends := facts.get("ends_at"):
        facts["ends_at"] = timezone.now() + ends
    AccessGrant.objects.create(person=carol, **facts)
    page = ask(admin, person="carol", **question)
    assert not page.context["answer"].allowed
    assert words in page.text


def test_yes_names_the_grant_that_gives_it_and_the_group_it_came_by(scene, admin, carol):
    team = Group.objects.create(name="Payments team")
    carol.groups.add(team)
    give_grant(team, Role.EDITOR, place=scene.payments, context=command_context())
    page = ask(admin, person="carol", contact_type="SECURITY")
    assert page.context["answer"].allowed
    assert "by group Payments team" in page.text
    assert "Given by" in page.text


@pytest.mark.parametrize("reason", ["deactivated", "superuser", "nothing"])
def test_what_decides_before_any_grant_does(scene, admin, carol, reason):
    carol.is_active, carol.is_superuser = reason != "deactivated", reason == "superuser"
    carol.save()
    page = ask(admin, person="carol")
    words = {"deactivated": "is deactivated", "superuser": "may do everything", "nothing": "never given"}
    assert words[reason] in page.text
    assert page.context["answer"].allowed == (reason == "superuser")


def test_what_stops_a_change_beside_grants_is_said(scene, admin, erin, alice):
    assert "state is “suspended”" in ask(admin, person="alice", account=ARCHIVE).text
    by_erin = Context(actor=erin, source=Source.PAGE)
    save_rules(ApprovalRules(more_than=None, any_delete=True), context=by_erin)
    assert "Deleting it waits for somebody else" in ask(admin, person="alice").text
    save_rules(ApprovalRules(more_than=0), context=by_erin)
    assert "Each change waits for somebody else" in ask(admin, person="alice").text


def test_a_second_step_that_is_missing_is_said(scene, admin, alice, settings):
    settings.SECOND_FACTOR_ROLES = ["Editor"]
    words = "they have not set one up here"
    assert words in ask(admin, person="alice").text
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    assert words not in ask(admin, person="alice").text


def test_everybody_asks_about_themselves_and_of_what_they_see_alone(scene, carol, alice):
    AccessGrant.objects.create(person=carol, role=Role.VIEWER, account=scene.gateway)
    client = as_person(carol)
    mine = ask(client, account=GATEWAY, person="alice")
    assert mine.context["answer"].question.person == carol
    unseen, absent = ask(client, account=LEDGER), ask(client, account="999999999999")
    assert unseen.status_code == absent.status_code == 422
    errors = [page.context["form"].errors["account"] for page in (unseen, absent)]
    assert errors[0] == errors[1]


def test_unseen_and_absent_cost_the_same_queries(scene, carol):
    client, counts = as_person(carol), []
    for account in (LEDGER, "999999999999"):
        with CaptureQueriesContext(connection) as queries:
            ask(client, account=account)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("bad", [{"right": "fly"}, {"person": "nobody"}, {"contact_type": "PRIMARY"}])
def test_a_question_that_makes_no_sense_is_not_answered(scene, admin, bad):
    page = ask(admin, **{"person": "alice", **bad})
    assert page.status_code == 422
    assert next(iter(bad)) in page.context["form"].errors


def test_a_page_that_says_no_leads_to_the_one_that_says_why(scene, bob):
    client = as_person(bob)
    refused = client.get(reverse("contacts:contact_edit", args=[LEDGER, "SECURITY"]))
    assert refused.status_code == 403
    query = f"{reverse(WHY)}?right=edit&amp;account={LEDGER}&amp;contact_type=SECURITY"
    assert query in refused.text
    assert "The role does not have this right." in client.get(query.replace("&amp;", "&")).text


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_the_command_says_the_same(scene, bob):
    text = run("explain_access", "bob", "edit", LEDGER, "SECURITY")
    assert text.startswith("No. Bob does not have the right “Change contacts”: the Security contact of")
    assert "Viewer everywhere, All contact types: The role does not have this right." in text
    facts = json.loads(run("explain_access", "bob", "view", LEDGER, "--json"))
    assert facts["allowed"] is True
    assert facts["grants"][0]["lacks"] == []
    assert run("explain_access", "bob", "view").startswith("Yes.")


@pytest.mark.parametrize("args", [("nobody", "edit"), ("bob", "edit", "999999999999")])
def test_the_command_refuses_what_it_does_not_know(scene, bob, args):
    with pytest.raises(CommandError) as refused:
        run("explain_access", *args)
    assert refused.value.returncode == 2
