"""Approvals through the pages: the inbox, the decision and every way round it, the rules, single changes."""

import ast
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.context import Source
from audit.models import Action, AuditEvent
from contacts import change_sets
from contacts.approval import get_rules, save_rules
from contacts.changes import request_change, seen_of
from contacts.models import ChangeSet, ChangeStatus, ContactChange, SetKind, SetStatus
from orgs.models import AccessGrant, Role
from portal.causes import Cause
from tests.contacts.bulk.plans import by, decide
from tests.contacts.conftest import deliver_until_ended
from tests.contacts.scene import DESK, FINANCE, GATEWAY, LEDGER, ROTA, Scene, as_person
from tests.plain import plain

INBOX, RULES = "/approvals/", "/approvals/rules/"
ROOT = Path(__file__).resolve().parents[3]
DECIDED = (Action.SET_APPROVED, Action.SET_REFUSED)
pytestmark = pytest.mark.django_db


@pytest.fixture
def strict(erin) -> None:
    """Every deletion, and whatever the helpdesk asks for, needs an approval."""
    rules = get_rules()
    rules.any_delete, rules.roles = True, ["Helpdesk"]
    save_rules(rules, context=by(erin))


@pytest.fixture
def request_of_hank(strict, scene: Scene, hank) -> ChangeSet:
    """A single change that waits."""
    return waiting_change(scene, hank).change_set


def waiting_change(scene: Scene, person: Any, contact_type: str = "SECURITY") -> ContactChange:
    return request_change(scene.ledger, contact_type, FINANCE, context=by(person), seen=None)


def address(change_set: ChangeSet) -> str:
    return reverse("contacts:change_set_decide", args=[change_set.pk])


def answer(change_set: ChangeSet, decision: str = "approved", **values: str) -> dict[str, str]:
    """The form as the browser sends it."""
    return {"decision": decision, "note": "", "plan_hash": change_set.plan_hash} | values


def main_of(page: Any) -> str:
    return plain(page.text).partition("<main")[2].partition("</main>")[0]


# The inbox


def test_the_inbox_puts_broken_glass_first_then_the_oldest_and_ones_own_apart(scene, cast, frank):
    long_ago = timezone.now() - timedelta(hours=5)
    scene.change_set(cast["hank"], title="Young")
    scene.change_set(cast["alice"], title="Old", submitted_at=long_ago)
    scene.change_set(cast["erin"], title="Loud", broke_glass=True, status=SetStatus.FINISHED)
    scene.change_set(frank, title="Mine")
    scene.change_set(cast["hank"], title="Settled", decision="approved", broke_glass=True)
    scene.change_set(cast["hank"], title="Draft", status=SetStatus.PLANNED, submitted_at=None)
    page = as_person(frank).get(INBOX)
    assert [item.change_set.title for item in page.context["waiting"]] == ["Loud", "Old", "Young"]
    assert [item.change_set.title for item in page.context["own"]] == ["Mine"]
    text = main_of(page)
    assert "3 requests wait for your decision" in text
    assert "Erin acted before any approval." in text
    assert "96 changed, 18 new" in text
    assert "because it touches more than 50 contacts" in text
    assert "Yours, somebody else decides" in text
    assert page.context["places"][3].count == 3


def test_a_set_of_one_is_shown_old_and_new_and_decided_in_the_inbox(request_of_hank, frank):
    text = main_of(as_person(frank).get(INBOX))
    for value in (DESK.email, FINANCE.email, "somebody with the role Helpdesk asks for it", LEDGER[:4]):
        assert value in text
    assert address(request_of_hank) in text
    page = as_person(frank).post(address(request_of_hank), answer(request_of_hank, inbox="1"), follow=True)
    assert page.redirect_chain == [(INBOX, 302)]
    assert "Approved. It is being sent; Hank is told." in page.text
    assert "Nothing waits for you" in page.text
    assert request_of_hank.changes.get().status == ChangeStatus.QUEUED


def test_a_larger_set_is_looked_at_before_it_is_decided(scene, alice, frank):
    change_set = scene.change_set(alice)
    text = main_of(as_person(frank).get(INBOX))
    assert "Look at the plan" in text
    assert address(change_set) not in text
    page = as_person(frank).get(reverse("contacts:change_set_detail", args=[change_set.pk]))
    assert address(change_set) in page.text
    assert "Approve 114 changes" in page.text


def test_an_empty_inbox_says_what_the_rules_are(frank):
    assert (
        "A change set that writes more than 50 contacts needs an approval."
        in as_person(frank).get(INBOX).text
    )


def test_the_inbox_costs_the_same_for_many(scene, cast, frank, django_assert_max_num_queries):
    for _ in range(12):
        scene.change_set(cast["alice"])
        scene.change_set(cast["alice"], scene.change(cast["alice"], scene.ledger, status=ChangeStatus.FAILED))
    client = as_person(frank)
    with django_assert_max_num_queries(14):
        client.get(INBOX)


def test_the_overview_sends_approvers_to_the_inbox(scene, alice, frank, bob):
    scene.change_set(alice)
    scene.change_set(alice, broke_glass=True, status=SetStatus.RUNNING)
    for person, url in ((frank, INBOX), (bob, "/change-sets/")):
        text = as_person(person).get("/").text
        assert "1 request waiting for approval" in text
        assert "1 change set sent before any approval" in text
        assert f'href="{url}' in text.partition("<main")[2]


# Deciding


def test_an_approval_is_written_down_with_its_click(request_of_hank, frank):
    done = as_person(frank).post(address(request_of_hank), answer(request_of_hank, note=" Go. "))
    assert done.url == reverse("contacts:change_set_detail", args=[request_of_hank.pk])
    request_of_hank.refresh_from_db()
    assert (request_of_hank.status, request_of_hank.decision_note) == (SetStatus.RUNNING, "Go.")
    event = AuditEvent.objects.get(action=Action.SET_APPROVED)
    assert (event.actor_id, event.reason, event.source) == (frank.pk, "Go.", Source.PAGE)
    assert event.request_id == done["X-Request-Id"]
    assert event.detail["plan"] == request_of_hank.plan_hash


def test_a_refusal_needs_a_reason_and_sends_nothing(request_of_hank, frank):
    client = as_person(frank)
    page = client.post(address(request_of_hank), answer(request_of_hank, "refused", note="  "))
    assert page.status_code == 422
    assert "Say why you refuse it" in page.text
    assert address(request_of_hank) in page.text
    page = client.post(
        address(request_of_hank), answer(request_of_hank, "refused", note="Wrong month."), follow=True
    )
    assert "Refused. Nothing was sent; Hank is told." in page.text
    assert request_of_hank.changes.get().status == ChangeStatus.CANCELLED


def lapse(change_set: ChangeSet, cast: dict) -> None:
    ChangeSet.objects.update(expires_at=timezone.now() - timedelta(minutes=1))


def refuse(change_set: ChangeSet, cast: dict) -> None:
    decide(change_set, cast["erin"], change_sets.Decision.REFUSED)


def withdraw(change_set: ChangeSet, cast: dict) -> None:
    change_sets.withdraw(change_set, context=by(cast["hank"]))


def replace(change_set: ChangeSet, cast: dict) -> None:
    contact = change_set.rows.get().contact
    request_change(contact.account, contact.contact_type, ROTA, context=by(cast["hank"]), seen=None)


def deactivate(change_set: ChangeSet, cast: dict) -> None:
    cast["frank"].is_active = False
    cast["frank"].save(update_fields=["is_active"])


def draft(change_set: ChangeSet, cast: dict) -> None:
    ChangeSet.objects.update(status=SetStatus.PLANNED, submitted_at=None)


def may_approve(change_set: ChangeSet, cast: dict) -> None:
    AccessGrant.objects.create(person=cast["hank"], role=Role.APPROVER)


def nothing(change_set: ChangeSet, cast: dict) -> None:
    pass


# who, what happened before, what is sent instead, the code, the words
ATTACKS = [
    ("hank", may_approve, {}, 403, "Nobody approves their own change set."),
    ("hank", may_approve, {"decision": "refused", "note": "No."}, 403, "Nobody approves their own"),
    ("frank", nothing, {"plan_hash": "0" * 64}, 422, "The plan is not the one that was shown."),
    ("frank", nothing, {"plan_hash": ""}, 422, "Your decision was not taken."),
    ("frank", nothing, {"decision": "run"}, 422, "Your decision was not taken."),
    ("frank", nothing, {"decision": ""}, 422, "Choose: approve or refuse."),
    ("frank", nothing, {"note": "x" * 501}, 422, "500 characters"),
    ("frank", lapse, {}, 422, "The request has lapsed."),
    ("frank", refuse, {}, 422, "Nothing is waiting for a decision here any more."),
    ("frank", withdraw, {}, 422, "Nothing is waiting for a decision here any more."),
    ("frank", replace, {}, 422, "Nothing is waiting for a decision here any more."),
    ("frank", draft, {}, 404, ""),
    ("frank", deactivate, {}, 302, ""),
    ("bob", nothing, {}, 403, "Approve changes of others"),
    ("alice", nothing, {}, 403, "Approve changes of others"),
    ("dana", nothing, {}, 403, "Approve changes of others"),
    ("carol", nothing, {}, 404, ""),
]


@pytest.mark.parametrize(("who", "before", "sent", "code", "words"), ATTACKS)
def test_no_way_round_the_decision(request_of_hank, cast, who, before, sent, code, words):
    form = answer(request_of_hank) | sent
    client = as_person(cast[who])
    before(request_of_hank, cast)
    decided = AuditEvent.objects.filter(action__in=DECIDED).count()
    page = client.post(address(request_of_hank), form)
    assert page.status_code == code
    assert words in page.text
    assert AuditEvent.objects.filter(action__in=DECIDED).count() == decided
    assert not ContactChange.objects.filter(status=ChangeStatus.QUEUED).exists()


def test_only_a_post_with_a_token_decides(request_of_hank, frank):
    assert as_person(frank).get(address(request_of_hank)).status_code == 405
    client = Client(enforce_csrf_checks=True)
    client.force_login(frank)
    assert client.post(address(request_of_hank), answer(request_of_hank)).status_code == 403
    assert as_person(frank).post("/change-sets/999999/decide/", answer(request_of_hank)).status_code == 404
    request_of_hank.refresh_from_db()
    assert request_of_hank.awaits_decision


def test_a_decision_is_taken_once(request_of_hank, frank, erin):
    assert as_person(frank).post(address(request_of_hank), answer(request_of_hank)).status_code == 302
    for person in (frank, erin):
        page = as_person(person).post(
            address(request_of_hank), answer(request_of_hank, "refused", note="No.")
        )
        assert page.status_code == 422
        assert "any more" in page.text
        assert "Look at it again" in page.text
    assert AuditEvent.objects.filter(action__in=DECIDED).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_one_decides(request_of_hank, frank, erin):
    start = Barrier(2)

    def click(person: Any, decision: str) -> int:
        client = as_person(person)
        start.wait()
        try:
            return client.post(
                address(request_of_hank), answer(request_of_hank, decision, note="x")
            ).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        codes = sorted(pool.map(click, (frank, erin), ("approved", "refused")))
    assert codes == [302, 422]
    assert AuditEvent.objects.filter(action__in=DECIDED).count() == 1


def test_who_was_deactivated_after_approving_approved_nothing(strict, account, hank, frank, sandbox):
    change = request_change(account, "SECURITY", ROTA, context=by(hank), seen=None)
    as_person(frank).post(address(change.change_set), answer(change.change_set))
    frank.is_active = False
    frank.save(update_fields=["is_active"])
    assert deliver_until_ended(change).problem == Cause.APPROVER
    assert not sandbox.log(operation="PutAlternateContact")


# The rules

SAVED = {"more_than": "20", "any_delete": "on", "management_account": "on", "roles": ["Helpdesk"]}


def test_an_administrator_sets_the_rules_and_the_page_says_what_they_mean(erin, frank):
    page = as_person(erin).post(RULES, SAVED | {"expires_after": "24"}, follow=True)
    for words in (
        "The rules are saved.",
        "A change set that writes more than 20 contacts needs an approval.",
        "Every deletion of a contact needs an approval.",
        "Every change of a management account&#x27;s contacts needs an approval.",
        "Whatever somebody with the role Helpdesk asks for needs an approval.",
        "within 24 hours lapses",
    ):
        assert words in page.text
    event = AuditEvent.objects.get(action=Action.APPROVAL_RULES_CHANGED)
    assert (event.actor_id, event.before["more_than"], event.after["more_than"]) == (erin.pk, 50, 20)
    read = as_person(frank).get(RULES)
    assert "more than 20 contacts" in read.text
    assert "Save the rules" not in read.text


def test_empty_switches_a_rule_off(erin):
    page = as_person(erin).post(RULES, {"more_than": "", "expires_after": "72"}, follow=True)
    assert "Nothing needs an approval." in page.text
    assert get_rules().more_than is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("more_than", "-1"), ("more_than", "many"), ("more_than", "9" * 30), ("expires_after", "0"),
     ("expires_after", ""), ("expires_after", "999999"), ("roles", ["Viewer"])],
)  # fmt: skip
def test_nonsense_is_no_rule(erin, field, value):
    page = as_person(erin).post(RULES, SAVED | {"expires_after": "24"} | {field: value})
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert "Nothing was saved." in page.text
    assert get_rules().more_than == 50


def test_the_page_warns_when_nobody_could_approve_an_approver(erin):
    assert "can be approved by nobody" in as_person(erin).get(RULES).text


# Single changes

PAGES = {"edit": "contacts:contact_edit", "delete": "contacts:contact_delete"}
WISH = {"name": ROTA.name, "title": ROTA.title, "email": ROTA.email, "phone": ROTA.phone}


def typed(scene: Scene, **values: str) -> dict[str, str]:
    seen = seen_of(scene.contact(scene.ledger, "SECURITY")).token
    return WISH | {"reason": "Duty rota moves.", "seen": seen} | values


@pytest.mark.parametrize(
    ("who", "page", "why"),
    [
        ("hank", "edit", "somebody with the role Helpdesk asks for it"),
        ("alice", "delete", "it deletes a contact"),
    ],
)
def test_a_single_change_says_before_and_after_that_it_waits(strict, scene, cast, who, page, why):
    client, url = as_person(cast[who]), reverse(PAGES[page], args=[LEDGER, "SECURITY"])
    opened = client.get(url)
    assert "Needs 1 approval</span> because " in opened.text
    assert why in opened.text
    assert "Ask for approval" in opened.text
    assert "break_glass" not in opened.text
    shown = client.post(url, typed(scene, break_glass="on"), follow=True)
    change = ContactChange.objects.get()
    assert (change.status, change.change_set.kind) == (ChangeStatus.WAITING, SetKind.SINGLE)
    assert "It waits for approval, and nothing is sent before." in shown.text
    assert "Waits for approval" in shown.text
    link = reverse("contacts:change_set_detail", args=[change.change_set_id])
    assert link in shown.text
    assert link in client.get(reverse("contacts:change_detail", args=[change.pk])).text


@pytest.mark.parametrize("page", PAGES)
def test_where_no_rule_holds_it_nothing_is_said(scene, erin, page):
    text = as_person(erin).get(reverse(PAGES[page], args=[LEDGER, "SECURITY"])).text
    assert "Needs 1 approval" not in text
    assert "break_glass" not in text


def test_an_administrator_may_send_before_the_approval(strict, scene, erin, frank):
    client, url = as_person(erin), reverse(PAGES["delete"], args=[LEDGER, "SECURITY"])
    assert 'name="break_glass"' in client.get(url).text
    shown = client.post(url, typed(scene, break_glass="on"), follow=True)
    change = ContactChange.objects.get()
    assert change.status == ChangeStatus.QUEUED
    assert "Nobody has approved it yet: the approvers are told." in shown.text
    assert AuditEvent.objects.get(action=Action.GLASS_BROKEN).actor_id == erin.pk
    assert "Erin acted before any approval." in as_person(frank).get(INBOX).text
    page = as_person(frank).post(address(change.change_set), answer(change.change_set), follow=True)
    assert "Approved afterwards. Erin is told." in page.text


def test_who_asked_first_may_still_break_the_glass_at_once(strict, scene, erin):
    client, url = as_person(erin), reverse(PAGES["delete"], args=[LEDGER, "SECURITY"])
    client.post(url, typed(scene))
    seen = seen_of(scene.contact(scene.ledger, "SECURITY")).token
    client.post(url, typed(scene, break_glass="on", seen=seen))
    statuses = ContactChange.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == [ChangeStatus.SUPERSEDED, ChangeStatus.QUEUED]
    assert [change_set.status for change_set in ChangeSet.objects.order_by("pk")] == ["discarded", "running"]


def test_rules_that_came_meanwhile_count(scene, hank, erin):
    client, url = as_person(hank), reverse(PAGES["edit"], args=[LEDGER, "SECURITY"])
    form = typed(scene)
    assert "Send to AWS" in client.get(url).text
    as_person(erin).post(RULES, SAVED | {"expires_after": "24"})
    assert "It waits for approval" in client.post(url, form, follow=True).text


# Commands


def test_a_command_says_that_it_waits_and_exits_1(strict, scene, hank, settings, monkeypatch):
    settings.PORTAL_URL = "https://contacts.example.com"
    out = io.StringIO()
    values = [f"--{name}={value}" for name, value in WISH.items()]
    who = ["--as", "hank", "--reason", "Rota.", "--json", "--wait", "30"]
    with pytest.raises(CommandError) as caught:
        call_command("set_contact", GATEWAY, "SECURITY", *who, *values, stdout=out)
    change = ContactChange.objects.get()
    assert caught.value.returncode == 1
    assert str(caught.value) == (
        "Needs approval, because somebody with the role Helpdesk asks for it. "
        f"See https://contacts.example.com/change-sets/{change.change_set_id}/"
    )
    facts = json.loads(out.getvalue())
    assert (facts["status"], facts["change_set"]) == ("waiting", change.change_set_id)


def test_no_command_can_approve(request_of_hank, frank):
    for path in (*(ROOT / "contacts/management/commands").glob("*.py"), ROOT / "contacts/bulk/commands.py"):
        names = {
            node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
        }
        names |= {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        assert not names & {"decide", "Decision", "break_glass"}, path.name
    for source in set(Source) - {Source.PAGE}:
        with pytest.raises(change_sets.PermissionDenied, match="never by command"):
            decide(request_of_hank, frank, context=by(frank, source=source))
