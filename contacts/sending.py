"""One claimed wish against AWS: fresh read, compare, send, settle."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from contacts.approval import approver_problem
from contacts.compare import Finding, compare
from contacts.details import details_in, value_of
from contacts.mirror import (
    PASSING,
    note_failure,
    note_reading,
    note_written,
    recent_values,
    record_baselines,
)
from contacts.models import AlternateContact, ChangeStatus, ContactChange
from contacts.settle import context_of, finish, give_back
from orgs.access import can_edit
from orgs.models import AccountState, Reach, Unreachable
from portal import aws, quota
from portal.causes import Cause

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # writes that AWS may have seen
SECOND_LOOK = 3.0  # seconds between two reads that must both show a stranger's value
TRY_LATER = PASSING - {Cause.UNEXPECTED}


def bring_further(change: ContactChange) -> None:
    """Bring a claimed wish a step further; the claim is settled or given back afterwards."""
    refusal = _why_not(change)
    if refusal and not change.lag_until:
        finish(change, ChangeStatus.FAILED, cause=refusal)
        return
    try:
        reach = change.contact.account.reach()
    except Unreachable:  # it may have been sent, and cannot be read back any more
        finish(change, ChangeStatus.FAILED, cause=Cause.OUTCOME_UNKNOWN)
        return
    _look_and_act(change, reach, refusal)


def write_operation(change: ContactChange) -> str:
    """The AWS operation that fulfils this wish, as the quota names it."""
    return "DeleteAlternateContact" if change.is_deletion else "PutAlternateContact"


def lag_end() -> datetime:
    """Until when a read may not show what is written now."""
    return timezone.now() + timedelta(seconds=settings.AWS_READ_LAG)


def _look_and_act(change: ContactChange, reach: Reach, refusal: Cause | None) -> None:
    asked_at = timezone.now()
    try:
        reading = aws.get_alternate_contact(reach.caller, change.contact.contact_type, reach.account_id)
    except aws.AwsError as error:
        _after_failed_read(change, error)
        return
    _act_on(change, reach, reading, asked_at, refusal)


def _why_not(change: ContactChange) -> Cause | None:
    """What changed since the wish was made, so that it must not be sent any more."""
    account = change.contact.account
    if account.left_at is not None:
        return Cause.LEFT
    if account.state != AccountState.ACTIVE:
        return Cause.STATE
    if not can_edit(change.requested_by, account, change.contact.contact_type):
        return Cause.REQUESTER
    if problem := approver_problem(change.change_set, change.contact):
        return problem
    try:
        account.reach()
    except Unreachable as error:
        return error.cause
    return None


def _after_failed_read(change: ContactChange, error: aws.AwsError) -> None:
    if isinstance(error, aws.Throttled):
        quota.slow_down(change.caller_key, "GetAlternateContact")
    if error.cause in TRY_LATER or change.lag_until:
        give_back(change, cause=error.cause)
        return
    at = timezone.now()
    finish(
        change,
        ChangeStatus.FAILED,
        cause=error.cause,
        aws_request_id=error.aws_request_id,
        note=lambda contact: note_failure(contact, error.cause, at=at),
    )


def _act_on(
    change: ContactChange, reach: Reach, reading: aws.Reading, asked_at: datetime, refusal: Cause | None
) -> None:
    ours = recent_values(change.contact, asked_at)
    is_lagging = change.lag_until is not None and asked_at < change.lag_until
    finding = compare(
        reading.details,
        before=details_in(change.before),
        wanted=change.wanted_details,
        ours=ours,
        is_lagging=is_lagging or _was_overtaken(change, ours),
    )
    if finding is Finding.AS_WANTED:
        _settle_as_wanted(change, reading, asked_at)
    elif finding is Finding.PERHAPS_STALE:
        give_back(change, delay=_until_clear(change, asked_at))
    elif finding is Finding.STRANGER:
        _meet_stranger(change, reading, asked_at)
    elif refusal or change.attempts >= MAX_ATTEMPTS:
        _give_up(change, reading, asked_at, refusal or Cause.UNAVAILABLE)
    else:
        _send(change, reach)


def _was_overtaken(change: ContactChange, ours: list[aws.ContactDetails | None]) -> bool:
    """Whether we wrote something else lately over what this wish starts from: its plan is older than that."""
    before = details_in(change.before)
    is_replaced = any(aws.same_contact(before, value) for value in ours)
    return is_replaced and not aws.same_contact(before, change.contact.details)


def _settle_as_wanted(change: ContactChange, reading: aws.Reading, asked_at: datetime) -> None:
    if change.lag_until and not change.is_verification:
        finish(
            change,
            ChangeStatus.APPLIED,
            aws_request_id=reading.aws_request_id,
            note=lambda contact: note_written(contact, change.wanted_details, at=asked_at),
            detail={"read_back": True},
        )
        return
    finish(
        change,
        ChangeStatus.UNCHANGED,
        aws_request_id=reading.aws_request_id,
        note=_reading_note(change, reading, asked_at),
        detail={"was_absent": change.is_deletion},
    )


def _meet_stranger(change: ContactChange, reading: aws.Reading, asked_at: datetime) -> None:
    found = value_of(reading.details)
    if change.stranger != found or change.lag_until and asked_at < change.lag_until:
        give_back(change, delay=SECOND_LOOK, stranger=found)
        return
    finish(
        change,
        ChangeStatus.CONFLICT,
        aws_request_id=reading.aws_request_id,
        note=_reading_note(change, reading, asked_at),
        detail={"found": found},
    )


def _give_up(change: ContactChange, reading: aws.Reading, asked_at: datetime, cause: Cause) -> None:
    finish(
        change,
        ChangeStatus.FAILED,
        cause=cause,
        aws_request_id=reading.aws_request_id,
        note=_reading_note(change, reading, asked_at),
        detail={"attempts": change.attempts, "read_back": True},
    )


def _reading_note(
    change: ContactChange, reading: aws.Reading, asked_at: datetime
) -> Callable[[AlternateContact], object]:
    # Whoever asked for the change did not do what the read shows.
    context = replace(context_of(change), actor=None)

    def note(contact: AlternateContact) -> None:
        if note_reading(contact, reading.details, asked_at=asked_at, context=context):
            record_baselines([contact], context)

    return note


def _until_clear(change: ContactChange, asked_at: datetime) -> float:
    """Seconds until a look is worth its token: soon at first, and once right after the lag is over."""
    if change.lag_until is None:
        return 2.0
    left = (change.lag_until - asked_at).total_seconds()
    return max(0.2, min(left, 2.0))


def _send(change: ContactChange, reach: Reach) -> None:
    operation = write_operation(change)
    try:
        if change.lag_until:
            quota.take(change.caller_key, operation, change.lane, wait=1.0)
        if not _may_still_leave(change):
            logger.warning("change %s: too late to send under this claim", change.pk)
            return
        receipt = _write(change, reach)
    except quota.NoToken as error:
        give_back(change, delay=error.retry_after)
    except quota.QuotaUnavailable:
        give_back(change, cause=Cause.NO_QUOTA)
    except aws.AwsError as error:
        _after_failed_write(change, error)
    else:
        _settle_written(change, receipt)


def _may_still_leave(change: ContactChange) -> bool:
    """AWS has no compare-and-set: a call leaves only when its answer fits into the claim's lease."""
    longest = settings.AWS_CONNECT_TIMEOUT + settings.AWS_READ_TIMEOUT
    left = timedelta(seconds=settings.DELIVERY_LEASE - longest)
    return change.claimed_at is not None and timezone.now() < change.claimed_at + left


def _write(change: ContactChange, reach: Reach) -> aws.Receipt:
    contact_type = change.contact.contact_type
    if change.wanted_details is None:
        return aws.delete_alternate_contact(reach.caller, contact_type, reach.account_id)
    return aws.put_alternate_contact(reach.caller, contact_type, change.wanted_details, reach.account_id)


def _settle_written(change: ContactChange, receipt: aws.Receipt) -> None:
    at = timezone.now()
    # A 404 on our own second try means that the first one worked.
    absent_before = receipt.was_absent and not change.lag_until
    finish(
        change,
        ChangeStatus.UNCHANGED if absent_before else ChangeStatus.APPLIED,
        aws_request_id=receipt.aws_request_id,
        note=lambda contact: note_written(contact, change.wanted_details, at=at),
        detail={"was_absent": absent_before},
    )


def _after_failed_write(change: ContactChange, error: aws.AwsError) -> None:
    if isinstance(error, aws.OutcomeUnknown):
        # AWS answered, so look again at once; but what the last try did is judged when a read must show it.
        is_last = change.attempts + 1 >= MAX_ATTEMPTS
        lag_until = timezone.now() if error.answered and not is_last else lag_end()
        give_back(
            change,
            cause=error.cause,
            delay=1.0,
            lag_until=lag_until,
            attempts=change.attempts + 1,
            stranger=None,
        )
        return
    if isinstance(error, aws.Throttled):
        quota.slow_down(change.caller_key, write_operation(change))
    if error.cause in TRY_LATER:
        give_back(change, cause=error.cause)
        return
    detail = {"field": error.field} if isinstance(error, aws.Invalid) else {}
    finish(change, ChangeStatus.FAILED, cause=error.cause, aws_request_id=error.aws_request_id, detail=detail)
