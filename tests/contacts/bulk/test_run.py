"""The run of a change set: what was planned is what happens, and every row ends with its reason."""

from dataclasses import asdict

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from audit.models import AuditEvent
from contacts import change_sets, steering
from contacts.bulk import run
from contacts.changes import request_change, seen_of
from contacts.delivery import claim_change, deliver_one, due_changes, run_deliverer
from contacts.models import ChangeSet, ChangeStatus, ContactChange, Outcome, SetStatus, Verdict
from contacts.observation import read_account
from orgs.models import Account
from portal.aws import ContactDetails
from portal.causes import Cause
from portal.quota import Lane
from sandbox.testing import MANAGEMENT_ID
from tests.contacts.bulk.plans import by, plan_for, run_until_ended, submit
from tests.contacts.conftest import deliver_due
from tests.contacts.scene import DESK, FINANCE, ROTA

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short_times(settings, monkeypatch):
    """Short, but in the same order as in production."""
    settings.AWS_READ_LAG = 0.5
    monkeypatch.setattr("contacts.sending.SECOND_LOOK", 0.1)


@pytest.fixture
def accounts(organization) -> list[Account]:
    """Four active members whose contacts have been read."""
    members = (
        organization.accounts.filter(state="ACTIVE").exclude(aws_id=MANAGEMENT_ID).order_by("aws_id")[:4]
    )
    for account in members:
        read_account(account, lane=Lane.PERSON)
    return list(members)


def puts(sandbox) -> list[dict]:
    return [a for a in sandbox.log() if a["operation"] == "PutAlternateContact"]


def states(change_set: ChangeSet) -> dict[str, str]:
    """How each account's row ended."""
    rows = change_set.rows.select_related("change").order_by("line")
    return {row.account_text: row.change.status if row.change else row.outcome for row in rows}


def test_the_plan_is_what_happens_and_the_audit_ties_it_together(accounts, hank, sandbox):
    change_set = submit(plan_for(hank, [(account, "SECURITY", ROTA) for account in accounts]))
    run_until_ended(change_set)
    assert [sandbox.contact(account.aws_id, "SECURITY") for account in accounts] == [asdict(ROTA)] * 4
    assert run.outcomes_of(change_set) == {"applied": 4}
    events = AuditEvent.objects.filter(change_set_id=change_set.pk)
    assert events.filter(action="contact.change_requested").count() == 4
    assert events.filter(action="contact.change_applied").count() == 4
    finished = events.get(action="change_set.finished")
    assert finished.detail["outcomes"] == {"applied": 4}
    assert {event.request_id for event in events} == {change_set.request_id}


def test_a_value_that_moved_since_the_plan_is_a_conflict_and_unchanged_rows_are_proven(
    accounts, hank, sandbox
):
    moved, same, drifted, _ = accounts
    sandbox.set_contact(same.aws_id, "SECURITY", **asdict(ROTA))
    sandbox.set_contact(drifted.aws_id, "SECURITY", **asdict(ROTA))
    for account in (same, drifted):
        read_account(account, lane=Lane.PERSON)
    change_set = plan_for(hank, [(account, "SECURITY", ROTA) for account in (moved, same, drifted)])
    sandbox.set_contact(moved.aws_id, "SECURITY", **asdict(DESK))
    sandbox.set_contact(drifted.aws_id, "SECURITY", **asdict(FINANCE))
    run_until_ended(submit(change_set))
    assert states(change_set) == {
        moved.aws_id: ChangeStatus.CONFLICT,
        same.aws_id: ChangeStatus.UNCHANGED,
        drifted.aws_id: ChangeStatus.CONFLICT,
    }
    assert not puts(sandbox)


@pytest.mark.parametrize("wants_another", [True, False])
def test_a_stale_read_settles_nothing_of_a_plan_older_than_our_own_write(
    accounts, hank, alice, sandbox, settings, wants_another
):
    settings.AWS_READ_LAG = 60
    contact = accounts[0].contacts.get(contact_type="SECURITY")
    wanted = ROTA if wants_another else contact.details
    change_set = plan_for(hank, [(accounts[0], "SECURITY", wanted), (accounts[1], "SECURITY", ROTA)])
    request_change(accounts[0], "SECURITY", FINANCE, context=by(alice), seen=seen_of(contact))
    deliver_due()
    sandbox.switch(read_lag_seconds=60)  # a read shows what the plan showed
    run.advance(submit(change_set).pk)
    deliver_due()
    assert states(change_set)[accounts[0].aws_id] == ChangeStatus.QUEUED
    sandbox.switch(read_lag_seconds=0)
    change_set.changes.update(not_before=None)
    run_until_ended(change_set)
    assert states(change_set)[accounts[0].aws_id] == ChangeStatus.CONFLICT
    assert sandbox.contact(accounts[0].aws_id, "SECURITY") == asdict(FINANCE)


def test_proving_a_value_takes_no_token_of_a_write(accounts, hank, sandbox, monkeypatch):
    sandbox.set_contact(accounts[0].aws_id, "SECURITY", **asdict(ROTA))
    read_account(accounts[0], lane=Lane.PERSON)
    change_set = submit(plan_for(hank, [(account, "SECURITY", ROTA) for account in accounts[:2]]))
    taken = []
    monkeypatch.setattr("contacts.delivery.quota.take", lambda key, operation, lane: taken.append(operation))
    run.advance(change_set.pk)
    deliver_due()
    assert sorted(taken) == ["GetAlternateContact", "GetAlternateContact", "PutAlternateContact"]


def test_a_value_that_is_only_proven_counts_as_unchanged_even_when_its_worker_died(accounts, hank, sandbox):
    sandbox.set_contact(accounts[0].aws_id, "SECURITY", **asdict(ROTA))
    read_account(accounts[0], lane=Lane.PERSON)
    change_set = submit(plan_for(hank, [(account, "SECURITY", ROTA) for account in accounts[:2]]))
    run.advance(change_set.pk)
    proven = change_set.changes.get(contact__account=accounts[0])
    claim_change(proven.pk)
    ContactChange.objects.filter(pk=proven.pk).update(claimed_at="2026-01-01T00:00Z")
    run_until_ended(change_set)
    assert run.outcomes_of(change_set) == {"applied": 1, "unchanged": 1}


def test_rows_that_cannot_be_asked_for_any_more_end_with_their_reason(accounts, hank, alice, sandbox):
    change_set = submit(plan_for(hank, [(account, "SECURITY", ROTA) for account in accounts]))
    left, suspended, busy, fine = accounts
    Account.objects.filter(pk=left.pk).update(left_at="2026-11-01T00:00Z")
    Account.objects.filter(pk=suspended.pk).update(state="SUSPENDED")
    contact = busy.contacts.get(contact_type="SECURITY")
    request_change(busy, "SECURITY", FINANCE, context=by(alice), seen=seen_of(contact))
    run_until_ended(change_set)
    skipped = change_set.rows.filter(outcome=Outcome.SKIPPED).order_by("line")
    assert [row.cause for row in skipped] == [Cause.LEFT, Cause.STATE, Cause.OTHER_CHANGE]
    assert states(change_set)[fine.aws_id] == ChangeStatus.APPLIED
    assert sandbox.contact(busy.aws_id, "SECURITY") == asdict(FINANCE), "a person goes before a batch"
    events = AuditEvent.objects.filter(action="contact.change_skipped", change_set_id=change_set.pk)
    assert [event.detail["cause"] for event in events.order_by("pk")] == [row.cause for row in skipped]


def test_each_row_has_the_wish_of_its_own_contact(accounts, hank):
    change_set = submit(plan_for(hank, [(account, "SECURITY", ROTA) for account in accounts]))
    Account.objects.filter(pk=accounts[1].pk).update(state="SUSPENDED")
    run.advance(change_set.pk)
    rows = change_set.rows.order_by("line")
    wished = [row.change.contact.account if row.change else None for row in rows]
    assert wished == [accounts[0], None, *accounts[2:]]


def test_a_value_that_aws_would_not_take_any_more_stops_its_row_alone(accounts, hank, monkeypatch):
    """A plan may wait for days, and meanwhile the portal learns of another rule."""
    change_set = submit(plan_for(hank, [(accounts[0], "SECURITY", FINANCE), (accounts[1], "SECURITY", ROTA)]))

    def validate(details: ContactDetails) -> None:
        if details == FINANCE:
            raise ValidationError({"phone": ["AWS takes no such number any more."]})

    monkeypatch.setattr("contacts.planned_changes.validate", validate)
    run_until_ended(change_set)
    assert states(change_set) == {accounts[0].aws_id: Outcome.SKIPPED, accounts[1].aws_id: "applied"}
    assert change_set.rows.get(line=1).cause == Cause.INVALID


def test_a_requester_who_lost_the_right_gets_nothing_sent(accounts, hank, sandbox):
    change_set = submit(plan_for(hank, [(account, "SECURITY", ROTA) for account in accounts]))
    hank.grants.all().delete()
    change_set = run_until_ended(change_set)
    assert set(change_set.rows.values_list("cause", flat=True)) == {Cause.REQUESTER}
    assert not puts(sandbox)


def test_pause_holds_what_was_not_sent_and_resume_goes_on(accounts, hank, sandbox):
    change_set = submit(plan_for(hank, [(account, "SECURITY", ROTA) for account in accounts]))
    run.advance(change_set.pk)
    deliver_one(due_changes().order_by("pk")[0])
    steering.pause(change_set, context=by(hank))
    assert not due_changes().exists()
    run_deliverer(accounts[0].caller_key, "bulk", seconds=0.2)
    assert len(puts(sandbox)) == 1
    steering.resume(change_set, context=by(hank))
    run_until_ended(change_set)
    assert len(puts(sandbox)) == 4


def test_a_set_paused_before_it_was_prepared_is_prepared_when_it_resumes(accounts, hank):
    change_set = submit(plan_for(hank, [(accounts[0], "SECURITY", ROTA)]))
    steering.pause(change_set, context=by(hank))
    run.advance(change_set.pk)
    assert not change_set.changes.exists()
    steering.resume(change_set, context=by(hank))
    assert run_until_ended(change_set).changes.get().status == ChangeStatus.APPLIED


def test_cancelling_the_rest_takes_back_what_was_not_sent(accounts, hank, frank, sandbox, monkeypatch):
    monkeypatch.setattr(run, "CHUNK", 3)
    change_set = submit(plan_for(hank, [(account, "SECURITY", ROTA) for account in accounts]))
    run._prepare_chunk(change_set.pk)
    deliver_one(due_changes().order_by("pk")[0])
    steering.cancel_rest(change_set, context=by(frank))
    change_set = run_until_ended(change_set)
    assert sorted(states(change_set).values()) == ["applied", "cancelled", "cancelled", "cancelled"]
    assert change_set.is_cancelled
    sources = AuditEvent.objects.filter(action="contact.change_cancelled").values_list("source", flat=True)
    assert list(sources) == ["worker", "worker"], "hank did not take them back himself"
    assert run.outcomes_of(change_set) == {"applied": 1, "cancelled": 3}
    assert len(puts(sandbox)) == 1


STEPS = [steering.pause, steering.resume, steering.cancel_rest]
WHO_MAY_STEER = {"hank": True, "frank": True, "erin": True, "alice": False, "bob": False, "dana": False}


@pytest.mark.parametrize("name", WHO_MAY_STEER)
def test_who_may_steer_a_run(scene, cast, name):
    change_set = submit(plan_for(cast["hank"], [(scene.ledger, "SECURITY", ROTA)]))
    for step in STEPS:
        if WHO_MAY_STEER[name]:
            step(change_set, context=by(cast[name]))
        else:
            with pytest.raises(PermissionDenied):
                step(change_set, context=by(cast[name]))


def test_a_step_that_comes_too_late_says_so(scene, hank):
    change_set = plan_for(hank, [(scene.ledger, "SECURITY", ROTA)])
    for step in STEPS:
        with pytest.raises(ValidationError, match="not possible any more: the change set is planned"):
            step(change_set, context=by(hank))


def test_only_the_author_submits_or_withdraws_and_only_once(scene, hank, alice):
    change_set = plan_for(hank, [(scene.ledger, "SECURITY", ROTA)])
    for step in (submit, lambda change_set, person: change_sets.withdraw(change_set, context=by(person))):
        with pytest.raises(PermissionDenied):
            step(change_set, alice)
    submit(change_set)
    with pytest.raises(ValidationError, match="already"):
        submit(change_set)
    with pytest.raises(ValidationError, match="too late"):
        change_sets.withdraw(change_set, context=by(hank))


def test_refused_rows_are_left_behind_only_by_choice(scene, hank):
    change_set = plan_for(hank, [(scene.ledger, "SECURITY", ROTA), (scene.archive, "SECURITY", ROTA)])
    assert change_set.rows.get(line=2).verdict == Verdict.REFUSED
    with pytest.raises(ValidationError) as caught:
        submit(change_set)
    assert "without_refused" in caught.value.message_dict
    submit(change_set, without_refused=True)
    run.advance(change_set.pk)
    assert change_set.changes.get().contact.account == scene.ledger


def test_a_plan_of_nothing_and_another_plan_are_not_sent(scene, hank):
    same = plan_for(hank, [(scene.ledger, "SECURITY", DESK)])
    with pytest.raises(ValidationError, match="nothing to send"):
        submit(same)
    with pytest.raises(ValidationError, match="not the one that was shown"):
        change_sets.submit(same, context=by(hank), plan_hash="f" * 64)
    with pytest.raises(ValidationError) as caught:
        change_sets.submit(same, context=by(hank, reason=" "), plan_hash=same.plan_hash)
    assert "reason" in caught.value.message_dict


def test_sets_take_turns_and_deletions_do_not_hold_up_the_rest(accounts, hank, monkeypatch):
    first = submit(plan_for(hank, [(a, t, ROTA) for a in accounts for t in ("SECURITY", "BILLING")]))
    second = submit(plan_for(hank, [(account, "OPERATIONS", ROTA) for account in accounts]))
    for change_set in (first, second):
        run.advance(change_set.pk)
    sent: list[int] = []

    def note(change: ContactChange) -> None:
        sent.append(change.change_set_id)
        ContactChange.objects.filter(pk=change.pk).update(status=ChangeStatus.APPLIED)

    monkeypatch.setattr("contacts.delivery.deliver_one", note)
    run_deliverer(accounts[0].caller_key, "bulk", seconds=5)
    turns = sent[:8]
    assert turns in ([first.pk, second.pk] * 4, [second.pk, first.pk] * 4)
    assert len(sent) == 12


def test_an_old_draft_is_dropped_with_its_rows(scene, hank):
    change_set = plan_for(hank, [(scene.ledger, "SECURITY", ROTA)])
    run.watch()
    assert change_set.rows.exists()
    ChangeSet.objects.update(planned_at="2026-01-01T00:00Z")
    run.watch()
    change_set.refresh_from_db()
    assert (change_set.status, change_set.rows.count()) == (SetStatus.DISCARDED, 0)
