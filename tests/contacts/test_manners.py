"""What people trip over: rows that say nothing, ids with hyphens, matters that never end, dead ends."""

import re
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.context import command_context
from audit.log import record
from audit.models import Action
from contacts.attention import unsettled
from contacts.models import ChangeStatus, ContactChange, Decision, DriftState, SetStatus
from orgs.grants import give_grant
from orgs.models import AccessGrant, Role
from tests.contacts.bulk.plans import decide, plan_for, submit
from tests.contacts.scene import LEDGER, ROTA, as_person

pytestmark = pytest.mark.django_db


def plain(page) -> str:
    """What somebody reads on the page, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


AUDIT, REVIEW = reverse("contacts:audit_list"), reverse("contacts:review_list")
HYPHENS = f"{LEDGER[:4]}-{LEDGER[4:8]}-{LEDGER[8:]}"


@pytest.mark.parametrize("address", [AUDIT, REVIEW])
def test_a_row_says_who_was_given_what(scene, erin, dana, address):
    give_grant(dana, Role.EDITOR, place=scene.payments, contact_types=["BILLING"], context=command_context())
    text = plain(as_person(erin).get(address))
    row = text[text.rindex("Access given") :]
    assert "dana" in row
    assert "Role Editor" in row
    assert "Contact types BILLING" in row


def test_a_row_says_what_was_refused_and_which_change_set(scene, hank, dana):
    as_person(hank).get(AUDIT)
    submit(plan_for(hank, [(scene.ledger, "SECURITY", ROTA)]))
    text = plain(as_person(dana).get(AUDIT))
    assert f"Attempt refused GET {AUDIT}" in text
    assert "Change set submitted Rota" in text


def test_numbers_by_name_are_told_in_words_and_without_zeros(scene, dana):
    event = record(
        Action.SET_FINISHED, command_context(), detail={"outcomes": {"applied": 1200, "failed": 0}}
    )
    page = plain(as_person(dana).get(reverse("contacts:audit_detail", args=[event.pk])))
    assert "Outcomes 1,200 applied" in page


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("contacts:account_list", "q"),
        ("contacts:change_list", "account"),
        ("contacts:drift_list", "q"),
        ("contacts:audit_list", "account"),
    ],
)
def test_an_id_is_found_as_the_console_of_aws_writes_it(scene, erin, alice, name, field):
    scene.change(alice, scene.ledger)
    scene.drift(scene.ledger)
    answer = as_person(erin).get(reverse(name), {field: HYPHENS})
    assert scene.ledger.name in answer.text.partition('id="list"')[2]


@pytest.mark.parametrize("state", DriftState)
def test_who_lets_stand_what_aws_has_settles_what_met_it(scene, alice, state):
    now = timezone.now()
    scene.change(alice, scene.ledger, status=ChangeStatus.CONFLICT, finished_at=now)
    assert unsettled(ContactChange.objects.all()).exists()
    decided = {"decided_by": alice, "decided_at": timezone.now()}
    scene.drift(scene.ledger, state=state, **(decided if state != DriftState.OPEN else {}))
    lets_stand = state in (DriftState.ADOPTED, DriftState.IGNORED)
    assert unsettled(ContactChange.objects.all()).exists() is not lets_stand
    client = as_person(alice)
    account = client.get(reverse("contacts:account_detail", args=[LEDGER])).text
    assert ("Compare and decide" in account) is not lets_stand
    accounts = client.get(reverse("contacts:account_list")).text
    assert ("Changed in AWS meanwhile" in accounts) is not lets_stand


@pytest.mark.parametrize("state", DriftState)
def test_a_conflict_leads_to_what_it_met_until_somebody_decided(scene, alice, bob, state):
    change = scene.change(alice, scene.ledger, status=ChangeStatus.CONFLICT, finished_at=timezone.now())
    drift = scene.drift(scene.ledger, state=state)
    address = reverse("contacts:change_detail", args=[change.pk])
    link = reverse("contacts:drift_detail", args=[drift.pk])
    assert (link in as_person(alice).get(address).text) is drift.is_undecided
    assert "Let AWS’s value stand" not in as_person(bob).get(address).text


def test_an_earlier_decision_settles_nothing(scene, alice):
    scene.drift(scene.ledger, state=DriftState.ADOPTED, decided_by=alice, decided_at=timezone.now())
    scene.change(alice, scene.ledger, status=ChangeStatus.CONFLICT, finished_at=timezone.now())
    assert unsettled(ContactChange.objects.all()).exists()


def test_what_was_refused_is_planned_again_with_the_same_values(scene, hank, frank, erin):
    from contacts.approval import get_rules, save_rules
    from tests.contacts.bulk.plans import by

    rules = get_rules()
    rules.more_than = 1
    save_rules(rules, context=by(erin))
    change_set = submit(plan_for(hank, [(scene.ledger, "SECURITY", ROTA), (scene.ledger, "BILLING", ROTA)]))
    decide(change_set, frank, Decision.REFUSED, note="Not on a Friday.")
    page = as_person(hank).get(reverse("contacts:change_set_detail", args=[change_set.pk]))
    assert "Refused by Frank. “Not on a Friday.” Nothing was sent." in plain(page)
    retry = reverse("contacts:change_set_retry", args=[change_set.pk])
    assert retry in page.text
    assert retry not in as_person(frank).get(page.wsgi_request.path).text
    answer = as_person(hank).post(retry, follow=True)
    again = answer.context["change_set"]
    assert again.status == SetStatus.PLANNED
    assert [row.wanted for row in again.rows.all()] == [row.wanted for row in change_set.rows.all()]


def test_who_may_change_one_type_is_offered_that_one(scene, carol):
    AccessGrant.objects.create(person=carol, role=Role.EDITOR, contact_types=["BILLING"])
    client = as_person(carol)
    address = f"{reverse('contacts:bulk_set')}?id={LEDGER}"
    form = client.get(address).context["form"]
    assert form.fields["types"].choices == [("BILLING", "Billing")]
    assert form["types"].value() == ["BILLING"]
    assert client.post(address, {"types": ["SECURITY"], "name": "Duty"}).status_code == 422


def test_what_is_wrong_with_a_form_as_a_whole_is_said_once(scene, alice):
    answer = as_person(alice).post(f"{reverse('contacts:bulk_set')}?id={LEDGER}", {"types": ["SECURITY"]})
    assert answer.text.count("Type at least one new value.") == 1


def test_the_address_of_a_form_is_a_page_that_says_so(scene, alice):
    answer = as_person(alice).get(reverse("contacts:bulk_file"))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "It takes only what a form sends." in answer.text


@pytest.mark.parametrize(
    ("zone", "words"), [("", "Times are in UTC."), ("Asia/Tokyo", "Times are in Asia/Tokyo.")]
)
def test_a_page_says_in_which_zone_its_times_are(scene, alice, zone, words):
    alice.time_zone = zone
    alice.save()
    assert words in plain(as_person(alice).get(reverse("contacts:account_list")))
