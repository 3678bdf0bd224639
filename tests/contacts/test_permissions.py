"""Who may open what: every address of contacts and orgs, every role, and the codes that answer."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver, reverse

from audit.context import worker_context
from audit.log import record
from audit.models import Action
from contacts.models import ContactChange
from orgs.models import AccessGrant, Role
from tests.contacts.scene import LEDGER, as_person

# Viewer, Helpdesk, Editor, Approver, Auditor, Administrator, and one without a role.
ROLES = ("bob", "hank", "alice", "frank", "dana", "erin", "carol")
EVERYBODY = (200,) * 7
SEE = (200, 200, 200, 200, 200, 200, 403)
SEE_ONE = (200, 200, 200, 200, 200, 200, 404)
EDIT = (403, 200, 200, 403, 403, 200, 404)
AUDIT = (403, 403, 200, 200, 200, 200, 403)
REVIEW = (403, 403, 403, 403, 200, 200, 403)
ASKED_OR_REVIEWER = (404, 404, 200, 404, 200, 200, 404)
ADMINISTER = (403, 403, 403, 403, 403, 200, 403)
CHECK = (403, 302, 302, 302, 302, 302, 404)
START = (403, 403, 403, 403, 403, 302, 404)
SAVED = (403, 403, 403, 403, 403, 302, 403)
APPROVE = (403, 403, 403, 200, 403, 200, 403)
DECIDE = (403, 403, 403, 422, 403, 422, 404)
BULK = (403, 200, 200, 403, 403, 200, 403)
REFUSED_BULK = (403, 422, 422, 403, 403, 422, 403)
AUTHOR = (403, 403, 302, 403, 403, 403, 404)
PLAN_ANEW = (403, 302, 302, 403, 403, 302, 404)
STEER = (403, 403, 302, 302, 403, 302, 404)
TAKE_AWAY = (403, 200, 200, 200, 200, 200, 404)
REFUSED_DRIFT = (403, 422, 422, 403, 403, 422, 404)
REFUSED_FORM = (403, 403, 403, 403, 403, 422, 403)
ORGANIZATION = {"aws_id": "o-nw7k2d9x4b"}
ACCOUNT, CONTACT = {"account_id": LEDGER}, {"account_id": LEDGER, "contact_type": "SECURITY"}
WEEK = {"kind": "week", "first_day": "2100-01-04"}  # not over

# name, example of its arguments, method, codes by role
TABLE = [
    ("contacts:overview", {}, "get", SEE),
    ("contacts:account_list", {}, "get", SEE),
    ("contacts:account_export", {}, "get", (403, 200, 200, 200, 200, 200, 403)),
    ("contacts:account_detail", ACCOUNT, "get", SEE_ONE),
    ("contacts:account_cards", ACCOUNT, "get", SEE_ONE),
    ("contacts:account_check", ACCOUNT, "post", CHECK),
    ("contacts:contact_edit", CONTACT, "get", EDIT),
    ("contacts:contact_edit", CONTACT, "post", EDIT),
    ("contacts:contact_preview", CONTACT, "post", EDIT),
    ("contacts:contact_copy", CONTACT, "get", EDIT),
    ("contacts:contact_delete", CONTACT, "get", EDIT),
    ("contacts:contact_delete", CONTACT, "post", EDIT),
    ("contacts:contact_history", CONTACT, "get", SEE_ONE),
    ("contacts:bulk_start", {}, "get", BULK),
    ("contacts:bulk_file", {}, "post", REFUSED_BULK),
    ("contacts:bulk_template", {}, "get", (403, 200, 200, 200, 200, 200, 403)),
    ("contacts:bulk_set", {}, "get", BULK),
    ("contacts:bulk_set", {}, "post", REFUSED_BULK),
    ("contacts:bulk_replace", {}, "get", BULK),
    ("contacts:bulk_replace", {}, "post", BULK),
    ("contacts:bulk_copy", {}, "get", BULK),
    ("contacts:bulk_copy", {}, "post", REFUSED_BULK),
    ("contacts:bulk_delete", {}, "get", BULK),
    ("contacts:bulk_delete", {}, "post", REFUSED_BULK),
    ("contacts:change_list", {}, "get", SEE),
    ("contacts:change_detail", {"pk": "change"}, "get", SEE_ONE),
    ("contacts:change_live", {"pk": "change"}, "get", SEE_ONE),
    ("contacts:change_cancel", {"pk": "change"}, "post", (403, 302, 302, 403, 403, 302, 404)),
    ("contacts:approval_list", {}, "get", APPROVE),
    ("contacts:approval_rules", {}, "get", APPROVE),
    ("contacts:approval_rules", {}, "post", REFUSED_FORM),
    ("contacts:change_set_list", {}, "get", SEE),
    ("contacts:change_set_detail", {"pk": "set"}, "get", SEE_ONE),
    ("contacts:change_set_live", {"pk": "set"}, "get", SEE_ONE),
    ("contacts:change_set_submit", {"pk": "set"}, "post", (403, 403, 422, 403, 403, 403, 404)),
    ("contacts:change_set_withdraw", {"pk": "set"}, "post", AUTHOR),
    ("contacts:change_set_choose", {"pk": "set"}, "post", AUTHOR),
    ("contacts:change_set_pause", {"pk": "set"}, "post", STEER),
    ("contacts:change_set_resume", {"pk": "set"}, "post", STEER),
    ("contacts:change_set_cancel", {"pk": "set"}, "get", (403, 403, 200, 200, 403, 200, 404)),
    ("contacts:change_set_cancel", {"pk": "set"}, "post", STEER),
    ("contacts:change_set_retry", {"pk": "set"}, "post", PLAN_ANEW),
    ("contacts:change_set_roll_back", {"pk": "set"}, "post", PLAN_ANEW),
    ("contacts:change_roll_back", {"pk": "change"}, "post", PLAN_ANEW),
    ("contacts:change_set_export", {"pk": "set"}, "get", TAKE_AWAY),
    ("contacts:change_set_errors", {"pk": "set"}, "get", TAKE_AWAY),
    ("contacts:change_set_decide", {"pk": "set"}, "post", DECIDE),
    ("contacts:drift_list", {}, "get", SEE),
    ("contacts:drift_decide", {}, "post", (403, 302, 302, 403, 403, 302, 403)),
    ("contacts:drift_detail", {"pk": "drift"}, "get", SEE_ONE),
    ("contacts:drift_adopt", {"pk": "drift"}, "post", REFUSED_DRIFT),
    ("contacts:drift_revert", {"pk": "drift"}, "post", REFUSED_DRIFT),
    ("contacts:drift_ignore", {"pk": "drift"}, "post", REFUSED_DRIFT),
    ("contacts:review_list", {}, "get", REVIEW),
    ("contacts:review_mark", {}, "post", (403, 403, 403, 403, 422, 422, 403)),
    ("contacts:review_question_list", {}, "get", SEE),
    ("contacts:review_question_detail", {"pk": "question"}, "get", ASKED_OR_REVIEWER),
    ("contacts:review_question_answer", {"pk": "question"}, "post", (404, 404, 422, 404, 403, 403, 404)),
    ("contacts:review_question_settle", {"pk": "question"}, "post", (404, 404, 403, 404, 422, 422, 404)),
    ("contacts:review_period_list", {}, "get", REVIEW),
    ("contacts:review_period_detail", WEEK, "get", REVIEW),
    ("contacts:review_period_sign_off", WEEK, "post", (403, 403, 403, 403, 422, 422, 403)),
    ("contacts:review_period_export", WEEK, "get", REVIEW),
    ("contacts:access_why", {}, "get", EVERYBODY),
    ("contacts:audit_list", {}, "get", AUDIT),
    ("contacts:audit_export", {}, "get", (403, 403, 403, 403, 200, 200, 403)),
    ("contacts:audit_detail", {"pk": "event"}, "get", AUDIT),
    ("orgs:organization_list", {}, "get", SEE),
    ("orgs:organization_detail", ORGANIZATION, "get", SEE_ONE),
    ("orgs:organization_live", ORGANIZATION, "get", SEE_ONE),
    ("orgs:organization_reading", ORGANIZATION, "get", SEE_ONE),
    ("orgs:organization_read", ORGANIZATION, "post", CHECK),
    ("orgs:organization_check", ORGANIZATION, "post", START),
    ("orgs:organization_discover", ORGANIZATION, "post", START),
    ("orgs:policy_list", ORGANIZATION, "get", SEE_ONE),
    ("orgs:policy_download", ORGANIZATION | {"key": "identity"}, "get", SEE_ONE),
    ("orgs:trusted_access", ORGANIZATION, "get", (403, 403, 403, 403, 403, 200, 404)),
    ("orgs:trusted_access", ORGANIZATION, "post", (403, 403, 403, 403, 403, 422, 404)),
    ("orgs:organization_connect", {}, "get", ADMINISTER),
    ("orgs:organization_connect", {}, "post", ADMINISTER),
    ("orgs:account_connect", {}, "get", ADMINISTER),
    ("orgs:account_connect", {}, "post", ADMINISTER),
    ("orgs:person_list", {}, "get", ADMINISTER),
    ("orgs:person_create", {}, "get", ADMINISTER),
    ("orgs:person_create", {}, "post", ADMINISTER),
    ("orgs:person_detail", {"pk": "person"}, "get", ADMINISTER),
    ("orgs:person_details", {"pk": "person"}, "post", SAVED),
    ("orgs:grant_list", {}, "get", REVIEW),
    ("orgs:grant_export", {}, "get", REVIEW),
    ("orgs:grant_create", {}, "get", ADMINISTER),
    ("orgs:grant_create", {}, "post", REFUSED_FORM),
    ("orgs:grant_end", {"pk": "grant"}, "get", ADMINISTER),
    ("orgs:grant_end", {"pk": "grant"}, "post", SAVED),
    ("orgs:find", {"kind": "account"}, "get", EVERYBODY),
    ("orgs:find", {"kind": "place"}, "get", ADMINISTER),
    ("orgs:find", {"kind": "person"}, "get", ADMINISTER),
    ("orgs:find", {"kind": "holder"}, "get", ADMINISTER),
    ("orgs:group_list", {}, "get", ADMINISTER),
    ("orgs:group_create", {}, "get", ADMINISTER),
    ("orgs:group_create", {}, "post", REFUSED_FORM),
    ("orgs:group_detail", {"pk": "group"}, "get", ADMINISTER),
    ("orgs:group_add", {"pk": "group"}, "post", REFUSED_FORM),
    ("orgs:group_remove", {"pk": "group", "person_pk": "person"}, "post", SAVED),
    ("orgs:group_delete", {"pk": "group"}, "get", ADMINISTER),
    ("orgs:group_delete", {"pk": "group"}, "post", SAVED),
    ("orgs:person_password", {"pk": "person"}, "post", REFUSED_FORM),
    ("orgs:person_active", {"pk": "person"}, "post", SAVED),
    ("orgs:person_former", {"pk": "person"}, "post", SAVED),
    ("orgs:person_sessions", {"pk": "person"}, "post", SAVED),
    ("orgs:profile", {}, "get", EVERYBODY),
    ("orgs:session_list", {}, "get", EVERYBODY),
    ("orgs:session_end", {"pk": "session"}, "post", (404,) * 7),  # another person's
    ("orgs:session_end_others", {}, "post", (302,) * 7),
]
ROOMS = ("contacts", "orgs")


def every_name() -> set[str]:
    """The names of all addresses of both rooms, as the URL configuration has them."""
    rooms = {room: get_resolver().namespace_dict[room][1] for room in ROOMS}
    return {
        f"{room}:{name}"
        for room, resolver in rooms.items()
        for name in resolver.reverse_dict
        if isinstance(name, str)
    }


@pytest.fixture
def stage(scene, cast) -> dict[str, int]:
    """What the rows of the table speak of."""
    change = scene.change(cast["alice"], scene.ledger)
    event = record(Action.ACCOUNT_RENAMED, worker_context(), account_id=LEDGER)
    stranger = get_user_model().objects.create_user("stranger")
    grant = AccessGrant.objects.create(person=stranger, role=Role.VIEWER)
    group = Group.objects.create(name="team")
    waiting = scene.change_set(cast["alice"])
    drift = scene.drift(scene.ledger, "BILLING")
    question = scene.question(cast["dana"], cast["alice"], event)
    return {
        "question": question.pk,
        "drift": drift.pk,
        "change": change.pk,
        "set": waiting.pk,
        "event": event.pk,
        "session": UserSession.objects.create(user=stranger, session_key="s", ip="192.0.2.1").pk,
        "person": stranger.pk,
        "grant": grant.pk,
        "group": group.pk,
    }


def address_of(name: str, example: dict[str, str], stage: dict[str, int]) -> str:
    rows = {key: stage[value] for key, value in example.items() if key.endswith("pk")}
    return reverse(name, kwargs=example | rows)


def test_no_address_is_missing_from_the_table():
    assert {name for name, *_ in TABLE} == every_name()


@pytest.mark.parametrize(("name", "example", "method", "codes"), TABLE, ids=lambda value: str(value)[:40])
def test_each_role_gets_its_code(stage, cast, name, example, method, codes):
    address = address_of(name, example, stage)
    answers = {role: getattr(as_person(cast[role]), method)(address).status_code for role in ROLES}
    assert answers == dict(zip(ROLES, codes, strict=True))


@pytest.mark.parametrize(("name", "example", "method", "codes"), TABLE, ids=lambda value: str(value)[:40])
def test_somebody_who_is_not_signed_in_is_sent_to_sign_in(stage, name, example, method, codes):
    answer = getattr(Client(), method)(address_of(name, example, stage))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))


POST_ONLY = sorted({name for name, *_ in TABLE} - {name for name, _, method, _ in TABLE if method == "get"})
GET_ONLY = sorted({name for name, *_ in TABLE} - {name for name, _, method, _ in TABLE if method == "post"})
EXAMPLES = {name: example for name, example, *_ in TABLE}


@pytest.mark.parametrize("name", POST_ONLY)
def test_what_writes_answers_no_get(stage, cast, name):
    assert as_person(cast["erin"]).get(address_of(name, EXAMPLES[name], stage)).status_code == 405


@pytest.mark.parametrize("name", [name for name in GET_ONLY if name != "orgs:profile"])
def test_what_reads_takes_no_post(stage, cast, name):
    assert as_person(cast["erin"]).post(address_of(name, EXAMPLES[name], stage)).status_code == 405


def test_a_form_of_another_site_is_refused(stage, alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    address = reverse("contacts:contact_edit", kwargs=CONTACT)
    assert client.post(address, {"name": "x"}).status_code == 403
    assert ContactChange.objects.count() == 1


def test_somebody_deactivated_sees_nothing(stage, erin):
    client = as_person(erin)
    erin.is_active = False
    erin.save(update_fields=["is_active"])
    assert client.get(reverse("contacts:account_list")).status_code == 302


def test_unknown_and_invisible_say_the_same_words(stage, carol):
    client = as_person(carol)
    pages = [
        client.get(reverse("contacts:account_detail", args=[aws_id])) for aws_id in ("999999999999", LEDGER)
    ]
    unknown, invisible = [page.text.partition("<main")[2].partition("</main>")[0] for page in pages]
    assert unknown == invisible != ""
