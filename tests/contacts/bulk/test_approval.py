"""Second pairs of eyes: which changes need one, who may be it, and what an approval is good for."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from audit.context import Source
from audit.models import AuditEvent
from contacts import change_sets, steering
from contacts.approval import Weight, get_rules, save_rules, why_needed
from contacts.bulk import run
from contacts.changes import cancel_change, request_change
from contacts.delivery import due_changes
from contacts.models import ChangeSet, ChangeStatus, Decision, PlannedChange, SetKind, SetStatus
from orgs.models import AccessGrant, Role
from portal.causes import Cause
from portal.models import OutgoingMail
from tests.contacts.bulk.plans import by, decide, plan_for, run_until_ended, submit
from tests.contacts.conftest import deliver_due, deliver_until_ended
from tests.contacts.scene import DESK, FINANCE, ROTA, Scene

pytestmark = pytest.mark.django_db

TWO = [("ledger", "SECURITY", ROTA), ("ledger", "BILLING", ROTA)]


@pytest.fixture
def strict(erin) -> None:
    """Every deletion, and every change set of more than one contact, needs an approval."""
    rules = get_rules()
    rules.more_than, rules.any_delete = 1, True
    save_rules(rules, context=by(erin))


def plan_of(scene: Scene, person, wanted=TWO) -> ChangeSet:
    return plan_for(person, [(getattr(scene, name), kind, details) for name, kind, details in wanted])


def events_of(change_set: ChangeSet) -> list[str]:
    events = AuditEvent.objects.filter(change_set_id=change_set.pk, action__startswith="change_set.")
    return [event.action.partition(".")[2] for event in events.order_by("pk")]


@pytest.mark.parametrize(
    ("rule", "value", "weight", "words"),
    [
        ("more_than", 10, Weight(10, 0, 0), []),
        ("more_than", 10, Weight(11, 0, 0), ["it touches more than 10 contacts"]),
        ("more_than", 0, Weight(1, 0, 0), ["every change needs one"]),
        ("more_than", None, Weight(5000, 9, 9), []),
        ("any_delete", True, Weight(1, 1, 0), ["it deletes a contact"]),
        ("any_delete", True, Weight(1, 0, 0), []),
        ("management_account", True, Weight(3, 0, 1), ["it touches a management account"]),
        ("management_account", True, Weight(3, 0, 0), []),
        ("roles", ["Helpdesk"], Weight(1, 0, 0), ["somebody with the role Helpdesk asks for it"]),
        ("roles", ["Editor"], Weight(1, 0, 0), []),
    ],
)
def test_the_rules_say_what_needs_an_approval(erin, hank, rule, value, weight, words):
    rules = get_rules()
    rules.more_than = None
    setattr(rules, rule, value)
    save_rules(rules, context=by(erin))
    assert why_needed(hank, weight) == words


def test_only_administrators_set_the_rules_and_the_audit_says_how(erin, frank):
    rules = get_rules()
    rules.any_delete = True
    with pytest.raises(PermissionDenied):
        save_rules(rules, context=by(frank))
    assert not get_rules().any_delete
    save_rules(rules, context=by(erin))
    save_rules(rules, context=by(erin))
    event = AuditEvent.objects.get(action="approval.rules_changed")
    assert (event.before["any_delete"], event.after["any_delete"]) == (False, True)


def test_a_set_waits_and_the_approval_of_another_starts_it(strict, scene, hank, frank):
    change_set = submit(plan_of(scene, hank))
    assert change_set.status == SetStatus.WAITING
    assert change_set.needs_approval == ["it touches more than 1 contact"]
    run.advance(change_set.pk)
    assert not change_set.changes.exists()
    change_set = decide(change_set, frank)
    run.advance(change_set.pk)
    change_set.refresh_from_db()
    assert change_set.status == SetStatus.RUNNING
    assert {change.wanted["email"] for change in change_set.changes.all()} == {ROTA.email}
    assert events_of(change_set) == ["submitted", "approved"]


WHO_MAY_DECIDE = {"hank": False, "bob": False, "alice": False, "dana": False, "frank": True, "erin": True}


@pytest.mark.parametrize("name", WHO_MAY_DECIDE)
def test_who_may_decide(strict, scene, cast, name):
    change_set = submit(plan_of(scene, cast["hank"]))
    if WHO_MAY_DECIDE[name]:
        assert decide(change_set, cast[name]).status == SetStatus.PREPARING
        return
    with pytest.raises(PermissionDenied):
        decide(change_set, cast[name])
    change_set.refresh_from_db()
    assert (change_set.status, change_set.decision) == (SetStatus.WAITING, "")


def test_nobody_approves_their_own(strict, scene, erin):
    change_set = submit(plan_of(scene, erin))
    with pytest.raises(PermissionDenied, match="their own"):
        decide(change_set, erin)


def test_no_command_approves(strict, scene, hank, frank):
    change_set = submit(plan_of(scene, hank))
    with pytest.raises(PermissionDenied, match="never by command"):
        decide(change_set, frank, context=by(frank, source=Source.COMMAND))


def test_an_approval_is_bound_to_the_plan_that_was_shown(strict, scene, hank, frank):
    change_set = submit(plan_of(scene, hank))
    with pytest.raises(ValidationError, match="not the one that was shown"):
        decide(change_set, frank, plan_hash="0" * 64)
    decide(change_set, frank)
    PlannedChange.objects.filter(change_set=change_set, line=1).update(wanted=asdict(DESK))
    run.advance(change_set.pk)
    change_set.refresh_from_db()
    assert (change_set.status, change_set.is_cancelled) == (SetStatus.FINISHED, True)
    assert not change_set.changes.exists()


def test_a_refusal_needs_a_reason_and_ends_the_set(strict, scene, hank, frank):
    change_set = submit(plan_of(scene, hank))
    with pytest.raises(ValidationError) as caught:
        decide(change_set, frank, Decision.REFUSED, note=" ")
    assert "note" in caught.value.message_dict
    decide(change_set, frank, Decision.REFUSED, note="Wrong month.")
    with pytest.raises(ValidationError, match="any more"):
        decide(change_set, frank)
    change_set.refresh_from_db()
    assert (change_set.status, events_of(change_set)) == (SetStatus.REFUSED, ["submitted", "refused"])
    assert AuditEvent.objects.get(action="change_set.refused").reason == "Wrong month."


def test_a_request_lapses(strict, scene, hank, frank):
    change_set = submit(plan_of(scene, hank))
    ChangeSet.objects.filter(pk=change_set.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(ValidationError, match="lapsed"):
        decide(change_set, frank)
    run.watch()
    change_set.refresh_from_db()
    assert (change_set.status, events_of(change_set)) == (SetStatus.EXPIRED, ["submitted", "expired"])


def test_a_paused_set_whose_approval_lapsed_does_not_go_on(strict, scene, hank, frank):
    change_set = decide(submit(plan_of(scene, hank)), frank)
    steering.pause(change_set, context=by(hank))
    ChangeSet.objects.filter(pk=change_set.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(PermissionDenied, match="lapsed"):
        steering.resume(change_set, context=by(hank))


def test_an_approver_who_lost_the_role_before_the_start_approved_nothing(strict, scene, hank, frank):
    change_set = decide(submit(plan_of(scene, hank)), frank)
    frank.grants.all().delete()
    run.advance(change_set.pk)
    change_set.refresh_from_db()
    assert change_set.is_cancelled
    assert not change_set.changes.exists()


def test_an_approver_who_lost_the_role_in_mid_run_ends_what_was_not_sent(
    strict, account, hank, frank, sandbox
):
    change_set = decide(submit(plan_for(hank, [(account, t, ROTA) for t in ("SECURITY", "BILLING")])), frank)
    run.advance(change_set.pk)
    frank.grants.all().delete()
    deliver_due()
    assert {change.problem for change in change_set.changes.all()} == {Cause.APPROVER}
    assert not [a for a in sandbox.log() if a["operation"] == "PutAlternateContact"]


class TestSingleChanges:
    """A single edit that needs an approval is a set of one."""

    def ask(self, account, person, **choices):
        return request_change(account, "SECURITY", None, context=by(person), seen=None, **choices)

    def test_waits_and_is_sent_once_approved(self, strict, account, alice, frank, sandbox):
        change = self.ask(account, alice)
        assert (change.status, change.change_set.kind) == (ChangeStatus.WAITING, SetKind.SINGLE)
        assert not due_changes().exists()
        decide(change.change_set, frank)
        assert deliver_until_ended(change).status == ChangeStatus.APPLIED
        assert sandbox.contact(account.aws_id, "SECURITY") is None
        run.watch()
        change.change_set.refresh_from_db()
        assert change.change_set.status == SetStatus.FINISHED

    @pytest.mark.parametrize("way", ["refused", "cancelled", "replaced", "withdrawn", "lapsed"])
    def test_ends_with_its_set_when_it_is(self, strict, scene, alice, frank, way):
        change = self.ask(scene.ledger, alice)
        change_set = change.change_set
        if way == "refused":
            decide(change_set, frank, Decision.REFUSED)
        elif way == "cancelled":
            cancel_change(change, context=by(alice))
        elif way == "replaced":
            request_change(scene.ledger, "SECURITY", FINANCE, context=by(alice), seen=None)
        elif way == "withdrawn":
            change_sets.withdraw(change_set, context=by(alice))
        else:
            ChangeSet.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
            run.watch()
        change.refresh_from_db()
        change_set.refresh_from_db()
        assert change.status == (ChangeStatus.SUPERSEDED if way == "replaced" else ChangeStatus.CANCELLED)
        assert not change_set.awaits_decision
        assert change_set.finished_at
        ends = AuditEvent.objects.filter(change_id=change.pk).exclude(action="contact.change_requested")
        assert ends.count() == 1

    def test_an_administrator_breaks_the_glass_loudly(self, strict, account, alice, erin, frank, sandbox):
        with pytest.raises(PermissionDenied):
            self.ask(account, alice, break_glass=True)
        change = self.ask(account, erin, break_glass=True)
        assert deliver_until_ended(change).status == ChangeStatus.APPLIED
        change_set = ChangeSet.objects.get(pk=change.change_set_id)
        assert change_set.awaits_decision
        assert events_of(change_set) == ["submitted", "glass_broken"]
        decide(change_set, frank, note="It was right.")
        assert events_of(change_set) == ["submitted", "glass_broken", "approved"]


def test_glass_broken_and_refused_afterwards_cancels_the_rest(strict, account, erin, frank):
    change_set = submit(
        plan_for(erin, [(account, t, ROTA) for t in ("SECURITY", "BILLING")]), break_glass=True
    )
    run.advance(change_set.pk)
    decide(change_set, frank, Decision.REFUSED)
    change_set = run_until_ended(change_set)
    assert change_set.is_cancelled
    assert {change.status for change in change_set.changes.all()} == {ChangeStatus.CANCELLED}


def test_breaking_glass_that_nobody_closed_is_no_alarm(scene, erin):
    change_set = submit(plan_of(scene, erin), break_glass=True)
    assert not change_set.broke_glass
    assert "glass_broken" not in events_of(change_set)


def test_approvers_and_the_one_who_asked_are_told(strict, scene, hank, frank, erin):
    for person in (hank, frank, erin):
        person.email = f"{person.username}@northwind.example"
        person.save(update_fields=["email"])
    change_set = submit(plan_of(scene, hank))
    asked = set(OutgoingMail.objects.values_list("to", flat=True))
    assert asked == {"frank@northwind.example", "erin@northwind.example"}
    decide(change_set, frank)
    assert OutgoingMail.objects.last().to == "hank@northwind.example"
    assert not [mail for mail in OutgoingMail.objects.all() if ROTA.email in mail.subject + mail.body]


def test_a_person_with_two_roles_is_held_by_the_stricter(erin, hank):
    AccessGrant.objects.create(person=hank, role=Role.EDITOR)
    rules = get_rules()
    rules.roles = ["Helpdesk"]
    save_rules(rules, context=by(erin))
    assert why_needed(hank, Weight(1, 0, 0))
