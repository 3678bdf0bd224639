"""The only writer of AlternateContact: what AWS told us becomes the mirror, the baseline and the drift."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.context import Context
from audit.log import event, record_all
from audit.models import Action, AuditEvent
from contacts.alerts import tell_of_drifts
from contacts.details import details_in, value_of
from contacts.events import account_facts, record_contact
from contacts.models import (
    IN_FLIGHT,
    UNDECIDED,
    AlternateContact,
    ChangeStatus,
    ContactChange,
    ContactStatus,
    ContactType,
    Drift,
    DriftState,
)
from orgs.models import Account
from portal.aws import ContactDetails, as_aws_keeps, same_contact
from portal.causes import Cause

# A failure of these kinds says nothing about the contact: the value we had stays, with the time it was read.
PASSING = frozenset(
    {
        Cause.THROTTLED,
        Cause.UNAVAILABLE,
        Cause.NO_QUOTA,
        Cause.UNEXPECTED,
        Cause.CREDENTIALS_MISSING,
        Cause.CREDENTIALS_REJECTED,
        Cause.WRONG_ACCOUNT,
    }
)
_FIELDS = ["status", "name", "title", "email", "phone", "version", "problem", "first_seen_at"]
_but_the_times = attrgetter(*_FIELDS)
_FIELDS += ["observed_at", "tried_at"]
# Why nobody has to decide on a drift any more.
CHANGED_AGAIN = "It was changed outside the portal once more."
WENT_BACK = "The value went back to what it was, outside the portal."
WRITTEN_OVER = "A change of the portal took its place."


@dataclass(frozen=True)
class Answer:
    """What came of asking for one contact: its details (None: not set), or the cause why nobody knows."""

    contact_type: str
    asked_at: datetime
    details: ContactDetails | None = None
    cause: Cause | None = None


def ensure_contacts(accounts: Iterable[Account]) -> None:
    """Give every account its three rows."""
    AlternateContact.objects.bulk_create(
        [
            AlternateContact(account=account, contact_type=contact_type)
            for account in accounts
            for contact_type in ContactType.values
        ],
        ignore_conflicts=True,
        batch_size=300,
    )


def lock_contact(pk: int) -> AlternateContact:
    """The contact's row, locked until the transaction ends, with its account beside it."""
    AlternateContact.objects.select_for_update().get(pk=pk)
    return AlternateContact.objects.select_related("account__organization", "account__unit").get(pk=pk)


def lock_contacts(pks: Iterable[int]) -> list[AlternateContact]:
    """The same for many, always in the same order, so that two who lock do not wait for each other.

    They come without their values: who needs one reads it then.
    """
    rows = AlternateContact.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    rows = rows.only("account", "contact_type")
    # Contacts share their accounts, and accounts their unit: joins would make each anew for every contact.
    return list(rows.prefetch_related("account__organization", "account__unit"))


def lock_contacts_of(accounts: Mapping[int, Account]) -> list[AlternateContact]:
    """All contacts of these accounts by their keys, locked in the same order."""
    rows = AlternateContact.objects.select_for_update().filter(account__in=accounts).order_by("pk")
    contacts = list(rows)
    for contact in contacts:
        contact.account = accounts[contact.account_id]
    return contacts


def recent_values(contact: AlternateContact, asked_at: datetime) -> list[ContactDetails | None]:
    """Values that we replaced or may have written within the lag before asked_at: a read may show them."""
    since = asked_at - timedelta(seconds=settings.AWS_READ_LAG)
    values: list[ContactDetails | None] = []
    for change in contact.changes.filter(finished_at__gt=since):
        if change.status == ChangeStatus.APPLIED:
            values.append(details_in(change.before))
        elif change.lag_until:
            values.append(change.wanted_details)
    return values


def note_reading(
    contact: AlternateContact, found: ContactDetails | None, *, asked_at: datetime, context: Context
) -> bool:
    """AWS said found when asked at asked_at. Returns True when this is the first sight of the contact.

    The caller holds the row's lock. An answer that is older than what we know, or that our own write
    explains, is passed over; any other difference is drift.
    """
    is_first = contact.first_seen_at is None
    if not _take_over(contact, found, asked_at, context):
        return False
    contact.save(update_fields=_FIELDS)
    return is_first


def note_answers(
    asked: Iterable[tuple[AlternateContact, Answer]], context: Context
) -> list[AlternateContact]:
    """The same for many, and for failures, written at once; those that were seen for the first time.

    The caller holds the locks of all rows. Where AWS said what it had said before, only the times move.
    """
    moved, same, first_seen = [], [], []
    for contact, answer in asked:
        is_first, before = contact.first_seen_at is None, _but_the_times(contact)
        if answer.cause:
            is_in = _take_failure(contact, answer.cause, answer.asked_at)
        else:
            is_in = _take_over(contact, answer.details, answer.asked_at, context)
            first_seen += [contact] if is_first and is_in else []
        if is_in and not answer.cause and before == _but_the_times(contact):
            same.append(contact)
        elif is_in:
            moved.append(contact)
    AlternateContact.objects.bulk_create(
        moved,
        update_conflicts=True,
        unique_fields=["account", "contact_type"],
        update_fields=_FIELDS,
    )
    _note_seen_again(same)
    return first_seen


def _note_seen_again(contacts: list[AlternateContact]) -> None:
    """They were asked for within moments: the earliest of these is true of all, in one short statement.

    One that somebody else has read in between keeps that time.
    """
    if contacts:
        at = min(contact.observed_at for contact in contacts if contact.observed_at)
        known = AlternateContact.objects.filter(pk__in=[contact.pk for contact in contacts])
        known.filter(observed_at__lte=at).update(observed_at=at, tried_at=at)


def _take_over(
    contact: AlternateContact, found: ContactDetails | None, asked_at: datetime, context: Context
) -> bool:
    """Put a reading into the locked row, unless it is old or our write explains it; True when it is in."""
    if contact.observed_at and asked_at < contact.observed_at:
        return False
    if contact.first_seen_at is None:
        contact.first_seen_at = asked_at
        _store(contact, found, asked_at)
    elif same_contact(found, contact.details):
        _store(contact, found, asked_at)
    elif _is_ours(contact, found, asked_at):
        return False
    else:
        _note_stranger(contact, found, asked_at, context)
    return True


def _take_failure(contact: AlternateContact, cause: Cause, at: datetime) -> bool:
    """Put a failure into the locked row, unless it is older than what we know; True when it is in."""
    if contact.observed_at and at < contact.observed_at:
        return False
    contact.problem, contact.tried_at = cause, at
    if cause not in PASSING and not contact.is_unknown:
        contact.status = ContactStatus.UNKNOWN
        contact.version += 1  # a form that shows the value has not seen this
    return True


def _note_stranger(
    contact: AlternateContact, found: ContactDetails | None, asked_at: datetime, context: Context
) -> None:
    """A value that no write of ours explains, unless it is one whose answer was lost."""
    before, read_at, lost = value_of(contact.details), contact.observed_at, _lost_write(contact, found)
    _store(contact, found, asked_at)
    facts = {"before": before, "after": contact.value, "reason": "", "ticket": ""}
    if lost:
        record_contact(Action.CHANGE_READ_BACK, contact, context, change_id=lost.pk, **facts)
        _supersede_drifts(contact, WRITTEN_OVER)
    else:
        found_event = record_contact(Action.CONTACT_DRIFT, contact, context, **facts)
        _open_drift(contact, found_event, between=(read_at, asked_at))


def _open_drift(
    contact: AlternateContact, found_event: AuditEvent, between: tuple[datetime | None, datetime]
) -> None:
    """A row for people to decide on. What stood open is over; where the value went back, this is too."""
    first = contact.drifts.filter(UNDECIDED).order_by("pk").first()
    went_back = first is not None and same_contact(details_in(first.before), contact.details)
    _supersede_drifts(contact, WENT_BACK if went_back else CHANGED_AGAIN)
    drift = Drift.objects.create(
        contact=contact,
        event_id=found_event.pk,
        before=found_event.before,
        after=found_event.after,
        last_read_at=between[0],
        found_at=between[1],
        state=DriftState.SUPERSEDED if went_back else DriftState.OPEN,
        decided_at=timezone.now() if went_back else None,
        reason=WENT_BACK if went_back else "",
        is_alarming=contact.contact_type == ContactType.SECURITY,
    )
    if drift.is_alarming:
        # After the commit, so that no mail waits for the locks of a reader; beat finds what gets lost.
        transaction.on_commit(tell_of_drifts, robust=True)


def _supersede_drifts(contact: AlternateContact, reason: str) -> None:
    contact.drifts.filter(UNDECIDED).update(
        state=DriftState.SUPERSEDED, reason=reason, decided_at=timezone.now(), decided_by=None
    )


def _lost_write(contact: AlternateContact, found: ContactDetails | None) -> ContactChange | None:
    """The contact's latest change, if its outcome stayed unknown and this is what it wrote: no drift."""
    latest = contact.changes.first()
    if latest is None or latest.problem != Cause.OUTCOME_UNKNOWN or latest.status != ChangeStatus.FAILED:
        return None
    return latest if same_contact(found, latest.wanted_details) else None


def _is_ours(contact: AlternateContact, found: ContactDetails | None, asked_at: datetime) -> bool:
    if any(same_contact(found, value) for value in recent_values(contact, asked_at)):
        return True
    flying = contact.changes.filter(status__in=IN_FLIGHT).first()
    return flying is not None and same_contact(found, flying.wanted_details)


def note_written(contact: AlternateContact, wanted: ContactDetails | None, *, at: datetime) -> None:
    """AWS took our write at this moment. The caller holds the row's lock and records the event."""
    contact.first_seen_at = contact.first_seen_at or at
    _store(contact, wanted and as_aws_keeps(wanted), at)
    contact.save(update_fields=_FIELDS)
    _supersede_drifts(contact, WRITTEN_OVER)


def note_failure(contact: AlternateContact, cause: Cause, *, at: datetime) -> None:
    """The read failed. What passes leaves the last value standing; what AWS refuses makes it unknown.

    The caller holds the row's lock. A failure that is older than what we know is passed over.
    """
    if _take_failure(contact, cause, at):
        contact.save(update_fields=_FIELDS)


def record_baselines(contacts: Iterable[AlternateContact], context: Context) -> None:
    """One event an account with all that was seen for the first time: what it said then has an answer."""
    by_account: defaultdict[Account, list[AlternateContact]] = defaultdict(list)
    for contact in contacts:
        by_account[contact.account].append(contact)
    record_all([_baseline(account, seen, context) for account, seen in by_account.items()])


def _baseline(account: Account, seen: list[AlternateContact], context: Context) -> AuditEvent:
    return event(
        Action.CONTACT_BASELINE,
        context,
        **account_facts(account),
        contact_type=seen[0].contact_type if len(seen) == 1 else "",
        after={contact.contact_type: contact.value for contact in seen},
    )


def _store(contact: AlternateContact, found: ContactDetails | None, at: datetime) -> None:
    """Put what AWS said into the row, whose lock makes counting the version safe."""
    if contact.is_unknown or not same_contact(found, contact.details):
        contact.version += 1
    contact.status = ContactStatus.ABSENT if found is None else ContactStatus.SET
    for field in ("name", "title", "email", "phone"):
        setattr(contact, field, getattr(found, field) if found else "")
    contact.problem, contact.observed_at, contact.tried_at = "", at, at
