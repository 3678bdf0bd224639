"""The way back restores what stood there before, raw; a second try asks again for what did not work."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from contacts.bulk import run
from contacts.bulk.undo import plan_retry, plan_roll_back, plan_roll_back_of
from contacts.changes import request_change
from contacts.details import details_in
from contacts.models import ChangeSet, ChangeStatus, ContactChange, Outcome, PlannedChange, SetKind, SetStatus
from contacts.observation import read_account
from portal.aws import ContactDetails
from portal.causes import Cause
from portal.quota import Lane
from tests.contacts.bulk.plans import by, plan_for, run_until_ended, submit
from tests.contacts.conftest import deliver_until_ended
from tests.contacts.scene import DESK, FINANCE, ROTA, Scene

RAW = [
    ContactDetails(" Desk  of many ", " ", "soc@northwind.example", " +44 20 7946 0150 "),
    ContactDetails("-", "x", "nobody@northwind.example", "000"),
    None,
]
TYPES = ("BILLING", "OPERATIONS", "SECURITY")


def ended(scene: Scene, person, status: ChangeStatus = ChangeStatus.APPLIED, **facts) -> ChangeSet:
    """A set that gave the ledger's SECURITY and the gateway's SECURITY the rota, and so ended."""
    wanted = [(scene.ledger, "SECURITY", ROTA), (scene.gateway, "SECURITY", ROTA)]
    change_set = submit(plan_for(person, wanted))
    run.advance(change_set.pk)
    change_set.changes.update(status=status, finished_at=timezone.now(), **facts)
    run.watch()
    change_set.refresh_from_db()
    assert change_set.status == SetStatus.FINISHED
    return change_set


def applied(scene: Scene, person) -> ChangeSet:
    change_set = ended(scene, person)
    for account in (scene.ledger, scene.gateway):
        scene.put(account, "SECURITY", ROTA)
    return change_set


def verdicts(change_set: ChangeSet) -> list[tuple[str, bool, list[str]]]:
    return [(row.verdict, row.is_left_out, row.remarks) for row in change_set.rows.order_by("line")]


# Roll back


def test_roll_back_restores_raw_what_the_run_replaced(account, hank, sandbox):
    for contact_type, details in zip(TYPES, RAW, strict=True):
        sandbox.set_contact(account.aws_id, contact_type, **(vars(details) if details else {}))
    read_account(account, lane=Lane.PERSON)
    plan = plan_for(hank, [(account, contact_type, ROTA) for contact_type in TYPES])
    change_set = run_until_ended(submit(plan))
    assert [sandbox.contact(account.aws_id, kind) for kind in TYPES] == [vars(ROTA)] * 3
    back = plan_roll_back(change_set, context=by(hank))
    assert (back.kind, back.title, back.origin) == (SetKind.ROLL_BACK, "Roll back: Rota", change_set)
    assert set(back.rows.values_list("undoes", flat=True)) == set(
        change_set.changes.values_list("pk", flat=True)
    )
    run_until_ended(submit(back))
    assert [sandbox.contact(account.aws_id, kind) for kind in TYPES] == [
        details and vars(details) for details in RAW
    ]
    again = plan_roll_back(change_set, context=by(hank))
    assert {row.verdict for row in again.rows.all()} == {"unchanged"}


def test_roll_back_of_one_change(account, hank, sandbox):
    before = sandbox.contact(account.aws_id, "SECURITY")
    change = request_change(account, "SECURITY", FINANCE, context=by(hank), seen=None)
    with pytest.raises(ValidationError, match="not ended"):
        plan_roll_back_of(change, context=by(hank))
    change = deliver_until_ended(change)
    back = plan_roll_back_of(change, context=by(hank))
    assert (back.origin, back.rows.get().undoes) == (None, change)
    run_until_ended(submit(back))
    assert sandbox.contact(account.aws_id, "SECURITY") == before


def test_what_was_changed_since_is_left_out_and_named(scene: Scene, alice, erin):
    change_set = applied(scene, alice)
    scene.change(erin, scene.ledger, wanted=FINANCE, status=ChangeStatus.APPLIED, finished_at=timezone.now())
    scene.put(scene.ledger, "SECURITY", FINANCE)
    scene.put(scene.gateway, "SECURITY", DESK)
    back = plan_roll_back(change_set, context=by(alice))
    (_, one, (mark, by_erin)), (_, two, (_, outside)) = verdicts(back)
    assert (one, two, mark) == (True, True, "Left out unless it is chosen.")
    assert by_erin.startswith("Changed since by Erin, 20")
    assert outside == "Changed since, outside the portal."
    assert back.counts["left_out"] == 2


def test_roll_back_deletes_what_was_absent_and_leaves_alone_what_is_as_before(scene: Scene, alice):
    change_set = applied(scene, alice)
    scene.put(scene.ledger, "SECURITY", DESK)
    back = plan_roll_back(change_set, context=by(alice))
    assert verdicts(back) == [("unchanged", False, []), ("delete", False, [])]


def test_a_lost_answer_is_rolled_back_where_the_value_arrived_after_all(scene: Scene, alice):
    change_set = ended(scene, alice, ChangeStatus.FAILED, problem=Cause.OUTCOME_UNKNOWN)
    scene.put(scene.ledger, "SECURITY", ROTA)
    row = plan_roll_back(change_set, context=by(alice)).rows.get()
    assert (row.verdict, row.contact.account, row.wanted) == ("change", scene.ledger, vars(DESK))


def test_roll_back_says_why_there_is_nothing_to_plan(scene: Scene, alice, bob):
    draft = plan_for(alice, [(scene.ledger, "BILLING", ROTA)])
    with pytest.raises(ValidationError, match="not ended"):
        plan_roll_back(draft, context=by(alice))
    failed = ended(scene, alice, ChangeStatus.FAILED, problem=Cause.POLICY_DENIES)
    with pytest.raises(ValidationError, match="nothing to roll back"):
        plan_roll_back(failed, context=by(alice))
    for plan in (plan_roll_back, plan_retry):
        with pytest.raises(PermissionDenied):
            plan(failed, context=by(bob))
    with pytest.raises(PermissionDenied):
        plan_roll_back_of(failed.changes.first(), context=by(bob))
    assert not ChangeSet.objects.filter(origin=failed).exists()


# Again


def test_a_second_try_wants_the_same_and_leaves_conflicts_to_a_choice(scene: Scene, alice):
    change_set = ended(scene, alice, ChangeStatus.FAILED, problem=Cause.POLICY_DENIES)
    change_set.changes.filter(contact__account=scene.ledger).update(status=ChangeStatus.CONFLICT)
    retry = plan_retry(change_set, context=by(alice))
    assert (retry.kind, retry.title, retry.origin) == (SetKind.RETRY, "Try again: Rota", change_set)
    left_out = ["Left out unless it is chosen.", "AWS had another value when it was to be sent."]
    assert verdicts(retry) == [("change", True, left_out), ("new", False, [])]
    assert [row.wanted for row in retry.rows.all()] == [vars(ROTA)] * 2
    scene.put(scene.ledger, "SECURITY", ROTA)
    scene.put(scene.gateway, "SECURITY", FINANCE)
    left_out[1] = "Changed since, outside the portal."
    retry = plan_retry(change_set, context=by(alice))
    assert verdicts(retry) == [("unchanged", False, []), ("change", True, left_out)]


def test_skipped_rows_are_tried_again_and_what_worked_is_not(scene: Scene, alice):
    change_set = applied(scene, alice)
    with pytest.raises(ValidationError, match="nothing to try again"):
        plan_retry(change_set, context=by(alice))
    row = change_set.rows.get(line=2)
    PlannedChange.objects.filter(pk=row.pk).update(change=None, outcome=Outcome.SKIPPED, cause=Cause.STATE)
    scene.put(scene.gateway, "SECURITY", None)
    retry = plan_retry(change_set, context=by(alice)).rows.get()
    assert (retry.line, retry.verdict, retry.account_text) == (2, "new", scene.gateway.aws_id)


def test_a_line_that_only_proved_a_value_overwrites_no_other(scene: Scene, alice):
    """Wanted was "as it is": by now it is something else, which nobody asked to replace."""
    plan = plan_for(alice, [(scene.gateway, "SECURITY", None), (scene.ledger, "SECURITY", ROTA)])
    assert plan.rows.get(line=1).verdict == "unchanged"
    change_set = submit(plan)
    run.advance(change_set.pk)
    ContactChange.objects.update(
        status=ChangeStatus.FAILED, problem=Cause.UNAVAILABLE, finished_at=timezone.now()
    )
    run.watch()
    scene.put(scene.gateway, "SECURITY", FINANCE)
    change_set.refresh_from_db()
    row = plan_retry(change_set, context=by(alice)).rows.get(line=1)
    assert (row.verdict, row.is_left_out, details_in(row.before)) == ("delete", True, FINANCE)
