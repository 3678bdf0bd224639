"""The one path of a write, from asking to AWS's answer: rows, what AWS was told, and the audit's events."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from audit.context import Context, Source
from audit.models import AuditEvent
from contacts.changes import Seen, Stale, cancel_change, request_change, seen_of
from contacts.delivery import claim_change, sweep
from contacts.mirror import lock_contact, note_failure
from contacts.models import AlternateContact, ChangeStatus, ContactChange, ContactStatus
from contacts.observation import read_account
from contacts.sending import bring_further
from orgs.models import Account
from portal import aws
from portal.aws import ContactDetails
from portal.causes import Cause
from portal.quota import Lane
from sandbox.testing import MANAGEMENT_ID, STANDALONE_IDS, Sandbox
from tests.contacts.conftest import INACTIVE, deliver_due, deliver_until_ended

pytestmark = pytest.mark.django_db

WANTED = ContactDetails("Security On-call", "SOC", "soc@northwind.example", "+44 20 7946 0177")
OTHER = ContactDetails("Night Shift", "SOC", "night@northwind.example", "+44 20 7946 0178")
OUTSIDER = {"name": "Outsider", "title": "CTO", "email": "cto@northwind.example", "phone": "+1 206 555 0100"}


@pytest.fixture(autouse=True)
def short_times(settings, monkeypatch):
    """Short, but in the same order as in production: lag < lease < give up."""
    settings.AWS_READ_LAG = 1.0
    settings.AWS_CONNECT_TIMEOUT, settings.AWS_READ_TIMEOUT = 0.5, 0.5
    settings.DELIVERY_LEASE = 3.0
    monkeypatch.setattr("contacts.sending.SECOND_LOOK", 0.2)


def by(person, reason: str = "New duty phone", ticket: str = "") -> Context:
    return Context(actor=person, source=Source.PAGE, reason=reason, ticket=ticket)


def contact_of(account: Account, contact_type: str = "SECURITY") -> AlternateContact:
    return AlternateContact.objects.get(account=account, contact_type=contact_type)


def ask(account: Account, person, wanted=WANTED, contact_type: str = "SECURITY", **kwargs) -> ContactChange:
    seen = kwargs.pop("seen", seen_of(contact_of(account, contact_type)))
    return request_change(account, contact_type, wanted, context=by(person), seen=seen, **kwargs)


def actions(change: ContactChange) -> list[str]:
    events = AuditEvent.objects.filter(change_id=change.pk).order_by("pk")
    return [event.action.removeprefix("contact.change_") for event in events]


def writes(sandbox: Sandbox) -> list[dict]:
    return [a for a in sandbox.log() if a["operation"] in ("PutAlternateContact", "DeleteAlternateContact")]


def test_a_change_reaches_aws_and_the_audit_says_all(account, alice, sandbox):
    before = contact_of(account).value
    change = request_change(
        account, "SECURITY", WANTED, context=by(alice, "Rotation", "SEC-7"), seen=seen_of(contact_of(account))
    )
    assert change.status == ChangeStatus.QUEUED
    assert contact_of(account).value == before, "the mirror shows AWS, not wishes"
    deliver_due()
    change.refresh_from_db()
    assert change.status == ChangeStatus.APPLIED
    assert sandbox.contact(account.aws_id, "SECURITY") == asdict(WANTED)
    assert contact_of(account).details == WANTED
    requested, applied = AuditEvent.objects.filter(change_id=change.pk).order_by("pk")
    assert (requested.action, applied.action) == ("contact.change_requested", "contact.change_applied")
    assert requested.before == applied.before == before
    assert requested.after == applied.after == {"status": "set", **asdict(WANTED)}
    assert {requested.reason, applied.reason} == {"Rotation"} and {requested.ticket, applied.ticket} == {
        "SEC-7"
    }
    assert requested.request_id == applied.request_id == change.request_id
    assert (requested.actor_label, applied.actor_label) == (alice.label, alice.label)
    assert (requested.source, applied.source) == ("page", "worker")
    assert applied.aws_request_id == writes(sandbox)[-1]["request_id"] == change.aws_request_id
    assert requested.organization_id == account.organization.aws_id


def test_delete_and_delete_again(account, alice, sandbox):
    deliver_until_ended(ask(account, alice))
    assert deliver_until_ended(ask(account, alice, None)).status == ChangeStatus.APPLIED
    assert sandbox.contact(account.aws_id, "SECURITY") is None
    assert contact_of(account).status == ContactStatus.ABSENT
    again = deliver_until_ended(ask(account, alice, None))
    assert again.status == ChangeStatus.UNCHANGED
    event = AuditEvent.objects.get(change_id=again.pk, action="contact.change_unchanged")
    assert event.detail["was_absent"] is True


def test_nothing_to_do_is_decided_by_aws_and_not_by_the_mirror(account, alice, sandbox):
    deliver_until_ended(ask(account, alice))
    count = len(writes(sandbox))
    same = deliver_until_ended(ask(account, alice, WANTED))
    assert same.status == ChangeStatus.UNCHANGED
    assert len(writes(sandbox)) == count
    sandbox.set_contact(account.aws_id, "SECURITY", **OUTSIDER)
    assert deliver_until_ended(ask(account, alice, OTHER)).status == ChangeStatus.CONFLICT


def test_raw_values_are_sent_as_they_are(account, alice, sandbox):
    padded = ContactDetails("  Security  ", " SOC ", "soc@northwind.example", " +44 20 7946 0177 ")
    deliver_until_ended(ask(account, alice, padded))
    assert sandbox.contact(account.aws_id, "SECURITY") == asdict(padded)
    read_account(account, lane=Lane.PERSON)
    assert not AuditEvent.objects.filter(action="contact.drift").exists()


def test_changed_in_aws_meanwhile_is_a_conflict_and_not_overwritten(account, alice, sandbox):
    change = ask(account, alice)
    sandbox.set_contact(account.aws_id, "SECURITY", **OUTSIDER)
    change = deliver_until_ended(change)
    assert change.status == ChangeStatus.CONFLICT
    assert sandbox.contact(account.aws_id, "SECURITY") == OUTSIDER
    assert writes(sandbox) == []
    assert contact_of(account).value == {"status": "set", **OUTSIDER}
    assert actions(change) == ["requested", "conflict"]
    drift = AuditEvent.objects.get(action="contact.drift")
    assert drift.before == change.before and drift.after["name"] == "Outsider"
    # The person sees AWS's value now and decides: the same wish again goes through.
    assert deliver_until_ended(ask(account, alice)).status == ChangeStatus.APPLIED


def test_one_stray_read_is_no_conflict(account, alice, sandbox):
    original = sandbox.contact(account.aws_id, "SECURITY")
    change = ask(account, alice)
    sandbox.set_contact(account.aws_id, "SECURITY", **OUTSIDER)
    deliver_due()
    sandbox.set_contact(account.aws_id, "SECURITY", **(original or {}))
    assert deliver_until_ended(change).status == ChangeStatus.APPLIED


def test_an_unknown_contact_is_not_overwritten(account, alice, sandbox):
    sandbox.set_contact(account.aws_id, "SECURITY", **OUTSIDER)
    AlternateContact.objects.filter(pk=contact_of(account).pk).update(
        status=ContactStatus.UNKNOWN,
        name="",
        title="",
        email="",
        phone="",
        observed_at=None,
        first_seen_at=None,
    )
    change = deliver_until_ended(ask(account, alice))
    assert change.before == {"status": "unknown"}
    assert change.status == ChangeStatus.CONFLICT
    assert sandbox.contact(account.aws_id, "SECURITY") == OUTSIDER


def test_a_double_click_is_one_wish(account, alice, sandbox):
    seen = seen_of(contact_of(account))
    first = ask(account, alice, seen=seen)
    assert ask(account, alice, seen=seen) == first
    deliver_until_ended(first)
    assert ask(account, alice, seen=seen) == first, "even when the first one is done already"
    assert len(writes(sandbox)) == 1


def test_two_people_the_second_sees_what_the_first_did(account, alice, hank):
    seen = seen_of(contact_of(account))
    first = ask(account, alice, seen=seen)
    with pytest.raises(Stale) as stale:
        ask(account, hank, OTHER, seen=seen)
    assert stale.value.open_change == first
    second = ask(account, hank, OTHER, seen=stale.value.seen)
    first.refresh_from_db()
    assert first.status == ChangeStatus.SUPERSEDED
    assert actions(first) == ["requested", "superseded"]
    assert deliver_until_ended(second).status == ChangeStatus.APPLIED


def test_a_stale_form_after_a_settled_change(account, alice, hank):
    seen = seen_of(contact_of(account))
    deliver_until_ended(ask(account, alice, seen=seen))
    with pytest.raises(Stale) as stale:
        ask(account, hank, OTHER, seen=seen)
    assert stale.value.contact.details == WANTED and stale.value.open_change is None


def test_a_successor_starts_from_what_its_predecessor_reached(account, alice):
    first = ask(account, alice)
    claimed = claim_change(first.pk)
    second = ask(account, alice, OTHER)
    assert claim_change(second.pk) is None, "one in flight per contact"
    bring_further(claimed)
    second.refresh_from_db()
    assert second.before == {"status": "set", **asdict(WANTED)}
    assert deliver_until_ended(second).status == ChangeStatus.APPLIED


def test_there_and_back_within_the_read_lag(account, alice, sandbox):
    """A stale read shows the old value just when the old value is wanted again: it must not end the wish."""
    original = contact_of(account).details
    sandbox.switch(read_lag_seconds=0.8)
    deliver_until_ended(ask(account, alice))
    back = deliver_until_ended(ask(account, alice, original))
    assert back.status == ChangeStatus.APPLIED
    assert sandbox.contact(account.aws_id, "SECURITY") == (asdict(original) if original else None)
    assert not AuditEvent.objects.filter(action="contact.drift").exists()


def test_a_stale_read_after_our_write_is_no_drift(account, alice, sandbox):
    sandbox.switch(read_lag_seconds=0.8)
    deliver_until_ended(ask(account, alice))
    read_account(account, lane=Lane.PERSON)
    assert contact_of(account).details == WANTED
    assert not AuditEvent.objects.filter(action="contact.drift").exists()


def test_a_write_without_an_answer_is_read_back(account, alice, sandbox):
    sandbox.switch(drop_after=1.0, fault_operations=["PutAlternateContact"])
    change = ask(account, alice)
    deliver_due()
    change.refresh_from_db()
    assert change.status == ChangeStatus.UNCONFIRMED
    assert contact_of(account).details != WANTED, "nothing is called applied before AWS said so"
    sandbox.switch(drop_after=0.0)
    change = deliver_until_ended(change)
    assert change.status == ChangeStatus.APPLIED
    assert len(writes(sandbox)) == 1
    assert actions(change) == ["requested", "unconfirmed", "applied"]


def test_a_write_that_never_arrived_is_sent_again_after_the_lag(account, alice, sandbox):
    sandbox.switch(drop_before=1.0, fault_operations=["PutAlternateContact"])
    change = ask(account, alice)
    deliver_due()
    sandbox.switch(drop_before=0.0)
    change = deliver_until_ended(change)
    assert change.status == ChangeStatus.APPLIED
    first, second = writes(sandbox)
    assert second["at_start"] - first["at_start"] >= 1.0, "only after the lag has passed"


def test_a_delete_whose_answer_was_lost_is_applied_and_not_was_absent(account, alice, sandbox):
    deliver_until_ended(ask(account, alice))
    sandbox.switch(drop_after=1.0, fault_operations=["DeleteAlternateContact"])
    change = ask(account, alice, None)
    deliver_due()
    sandbox.switch(drop_after=0.0)
    assert deliver_until_ended(change).status == ChangeStatus.APPLIED


def test_aws_that_always_fails_ends_in_a_failure_that_was_read_back(account, alice, sandbox, monkeypatch):
    monkeypatch.setattr("contacts.sending.MAX_ATTEMPTS", 2)
    sandbox.switch(error_rate=1.0, fault_operations=["PutAlternateContact"])
    change = deliver_until_ended(ask(account, alice))
    assert (change.status, change.problem, change.attempts) == (ChangeStatus.FAILED, Cause.UNAVAILABLE, 2)
    event = AuditEvent.objects.get(change_id=change.pk, action="contact.change_failed")
    assert event.detail == {"cause": "unavailable", "attempts": 2, "read_back": True}


def test_an_outage_costs_no_attempt_and_nothing_is_lost(account, alice, sandbox):
    sandbox.switch(outage="unavailable")
    change = ask(account, alice)
    deliver_due()
    change.refresh_from_db()
    assert (change.status, change.attempts) == (ChangeStatus.QUEUED, 0)
    sandbox.switch(outage=None)
    assert deliver_until_ended(change).status == ChangeStatus.APPLIED


def test_what_never_gets_better_gives_up_after_the_last_date(account, alice, sandbox, settings):
    settings.CHANGE_GIVE_UP_AFTER = 1
    sandbox.switch(outage="unavailable")
    change = deliver_until_ended(ask(account, alice))
    assert (change.status, change.problem) == (ChangeStatus.FAILED, Cause.UNAVAILABLE)


@pytest.mark.parametrize(("kind", "cause"), [("identity", Cause.POLICY_DENIES), ("scp", Cause.SCP_DENIES)])
def test_a_refused_write_fails_with_its_cause(account, alice, sandbox, kind, cause):
    sandbox.switch(deny=[{"account": account.aws_id, "operation": "PutAlternateContact", "kind": kind}])
    change = deliver_until_ended(ask(account, alice))
    assert (change.status, change.problem) == (ChangeStatus.FAILED, cause)
    assert contact_of(account).status != ContactStatus.UNKNOWN, "the read was fine"


def test_a_refused_read_makes_the_contact_unknown_and_nothing_is_sent(account, alice, sandbox):
    sandbox.switch(deny=[{"account": account.aws_id, "operation": "GetAlternateContact"}])
    change = deliver_until_ended(ask(account, alice))
    assert change.status == ChangeStatus.FAILED
    assert contact_of(account).status == ContactStatus.UNKNOWN
    assert writes(sandbox) == []


def test_expired_credentials_wait_for_new_ones(account, alice, sandbox, monkeypatch):
    change = ask(account, alice)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SANDBOX000000000009")
    aws.forget_clients()
    deliver_due()
    change.refresh_from_db()
    assert (change.status, change.problem) == (ChangeStatus.QUEUED, Cause.CREDENTIALS_REJECTED)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SANDBOX111111111111")
    aws.forget_clients()
    assert deliver_until_ended(change).status == ChangeStatus.APPLIED


def test_credentials_of_another_account_write_nowhere(organization, alice, sandbox, monkeypatch):
    """The management account is written without AccountId: swapped credentials must not redirect that."""
    account = organization.accounts.get(aws_id=organization.management_account_id)
    read_account(account, lane=Lane.PERSON)
    change = ask(account, alice)
    for name, value in sandbox.env(STANDALONE_IDS[0]).items():
        monkeypatch.setenv(name, value)
    aws.forget_clients()
    deliver_due()
    change.refresh_from_db()
    assert (change.status, change.problem) == (ChangeStatus.QUEUED, Cause.WRONG_ACCOUNT)
    assert writes(sandbox) == []


def lose_role(account, person):
    person.grants.all().delete()


def deactivate(account, person):
    person.is_active = False
    person.save(update_fields=["is_active"])


def suspend(account, person):
    Account.objects.filter(pk=account.pk).update(state="SUSPENDED")


def leave(account, person):
    Account.objects.filter(pk=account.pk).update(left_at=timezone.now())


@pytest.mark.parametrize(
    ("happens", "cause"),
    [
        (lose_role, Cause.REQUESTER),
        (deactivate, Cause.REQUESTER),
        (suspend, Cause.STATE),
        (leave, Cause.LEFT),
    ],
)
def test_what_happened_between_asking_and_sending_counts(account, alice, sandbox, happens, cause):
    change = ask(account, alice)
    happens(account, alice)
    change = deliver_until_ended(change)
    assert (change.status, change.problem) == (ChangeStatus.FAILED, cause)
    assert writes(sandbox) == []


def test_a_worker_that_died_after_its_put(account, alice, sandbox):
    change = claim_change(ask(account, alice).pk)
    sandbox.set_contact(account.aws_id, "SECURITY", **asdict(WANTED))
    ContactChange.objects.filter(pk=change.pk).update(claimed_at=timezone.now() - timedelta(seconds=60))
    sweep()
    change.refresh_from_db()
    assert change.status == ChangeStatus.UNCONFIRMED
    change = deliver_until_ended(change)
    assert change.status == ChangeStatus.APPLIED
    assert writes(sandbox) == []
    assert actions(change) == ["requested", "unconfirmed", "applied"]


def test_a_claim_that_was_lost_settles_nothing(account, alice):
    change = claim_change(ask(account, alice).pk)
    ContactChange.objects.filter(pk=change.pk).update(claim="somebody-else")
    bring_further(change)
    change.refresh_from_db()
    assert change.status == ChangeStatus.SENDING
    assert actions(change) == ["requested"]


def test_a_claim_too_old_sends_nothing(account, alice, sandbox):
    change = claim_change(ask(account, alice).pk)
    change.claimed_at -= timedelta(seconds=2.5)
    bring_further(change)
    assert writes(sandbox) == []


def test_a_lost_write_that_shows_up_later_is_nobody_elses_change(account, alice, sandbox, settings):
    settings.CHANGE_GIVE_UP_AFTER, settings.AWS_READ_LAG = 1, 0
    sandbox.switch(drop_after=1.0, fault_operations=["PutAlternateContact"])
    change = ask(account, alice)
    deliver_due()
    sandbox.switch(deny=[{"account": account.aws_id, "operation": "GetAlternateContact"}])
    change = deliver_until_ended(change)
    assert (change.status, change.problem) == (ChangeStatus.FAILED, Cause.OUTCOME_UNKNOWN)
    sandbox.switch(deny=[])
    read_account(account, lane=Lane.PERSON)
    assert contact_of(account).details == WANTED
    assert not AuditEvent.objects.filter(action="contact.drift").exists()
    assert actions(change)[-2:] == ["failed", "read_back"]


def test_cancelling(account, alice, bob):
    change = ask(account, alice)
    with pytest.raises(PermissionDenied):
        cancel_change(change, context=by(bob))
    cancel_change(change, context=by(alice))
    change.refresh_from_db()
    assert change.status == ChangeStatus.CANCELLED
    assert actions(change) == ["requested", "cancelled"]
    with pytest.raises(ValidationError):
        cancel_change(change, context=by(alice))


def test_too_late_to_cancel(account, alice):
    change = claim_change(ask(account, alice).pk)
    with pytest.raises(ValidationError, match="too late"):
        cancel_change(change, context=by(alice))


@pytest.mark.parametrize("name", ["bob", "carol", "dana", "frank"])
def test_who_may_not_ask(account, cast, name):
    with pytest.raises(PermissionDenied):
        ask(account, cast[name])
    assert not ContactChange.objects.exists()


def test_no_person_means_no(account):
    with pytest.raises(PermissionDenied):
        ask(account, None)


def test_bad_values_name_their_fields(account, alice):
    bad = ContactDetails("n" * 65, "", "a@b", "ext. 5")
    with pytest.raises(ValidationError) as error:
        request_change(account, "SECURITY", bad, context=by(alice, reason="  "), seen=None)
    assert set(error.value.message_dict) == {"name", "title", "email", "phone", "reason"}


@pytest.mark.parametrize("state", INACTIVE)
def test_accounts_that_are_not_active_are_never_written(organization, alice, sandbox, state):
    account = organization.accounts.get(state=state)
    with pytest.raises(ValidationError, match="can only be read"):
        request_change(account, "BILLING", WANTED, context=by(alice), seen=None)
    assert writes(sandbox) == []


def test_seen_tokens():
    assert Seen.parse(Seen(3, None).token) == Seen(3, None)
    assert Seen.parse(Seen(3, 17).token) == Seen(3, 17)
    for token in ("", "x", "1", "1:x"):
        with pytest.raises(ValueError):  # noqa: PT011
            Seen.parse(token)


def test_what_somebody_else_wrote_is_not_laid_at_the_door_of_who_asked(account, alice, sandbox):
    change = ask(account, alice)
    sandbox.set_contact(account.aws_id, "SECURITY", **OUTSIDER)
    deliver_until_ended(change)
    drift = AuditEvent.objects.get(action="contact.drift")
    assert (drift.actor_id, drift.actor_label, drift.source) == (None, "", "worker")
    assert drift.request_id == change.request_id


def test_the_first_sight_of_a_contact_leaves_its_baseline_whoever_looks(organization, alice, sandbox):
    account = organization.accounts.filter(state="ACTIVE").exclude(aws_id=MANAGEMENT_ID).first()
    sandbox.set_contact(account.aws_id, "SECURITY", **OUTSIDER)
    assert deliver_until_ended(ask(account, alice)).status == ChangeStatus.CONFLICT
    baseline = AuditEvent.objects.get(action="contact.baseline")
    assert baseline.after == {"SECURITY": {"status": "set", **OUTSIDER}}
    assert (baseline.contact_type, baseline.actor_id) == ("SECURITY", None)


def test_a_form_that_showed_a_value_is_stale_once_the_contact_is_unknown(account, alice, sandbox):
    seen = seen_of(contact_of(account))
    sandbox.switch(deny=[{"account": account.aws_id, "operation": "GetAlternateContact"}])
    read_account(account, lane=Lane.PERSON)
    assert contact_of(account).status == ContactStatus.UNKNOWN
    with pytest.raises(Stale):
        ask(account, alice, seen=seen)
    decided = seen_of(contact_of(account))
    read_account(account, lane=Lane.PERSON)
    assert seen_of(contact_of(account)) == decided, "unknown still: nothing moved"


def test_a_refusal_from_before_the_last_good_answer_says_nothing(account, alice):
    asked_at = timezone.now()
    deliver_until_ended(ask(account, alice))
    with transaction.atomic():
        note_failure(lock_contact(contact_of(account).pk), Cause.POLICY_DENIES, at=asked_at)
    contact = contact_of(account)
    assert (contact.status, contact.details, contact.problem) == (ContactStatus.SET, WANTED, "")


def test_the_last_try_is_judged_only_when_a_read_would_show_it(
    account, alice, sandbox, settings, monkeypatch
):
    settings.AWS_READ_LAG, settings.DELIVERY_LEASE = 2.5, 4.0
    monkeypatch.setattr("contacts.sending.MAX_ATTEMPTS", 1)
    put = aws.put_alternate_contact

    def put_and_answer_500(*args):
        put(*args)
        raise aws.OutcomeUnknown(Cause.OUTCOME_UNKNOWN, answered=True)

    monkeypatch.setattr("portal.aws.put_alternate_contact", put_and_answer_500)
    sandbox.switch(read_lag_seconds=1.8)
    assert deliver_until_ended(ask(account, alice)).status == ChangeStatus.APPLIED
