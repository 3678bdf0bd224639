"""Asking for a change: the one function that every door ends in. Sending it is delivery's work."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from audit.context import Context
from audit.models import Action
from contacts.approval import Weight, why_needed
from contacts.change_sets import why_errors
from contacts.delivery import queue_of, wake
from contacts.details import validate
from contacts.events import record_change
from contacts.mirror import ensure_contacts, lock_contact
from contacts.models import (
    OPEN,
    PENDING,
    AlternateContact,
    ChangeStatus,
    ContactChange,
    PlannedChange,
)
from contacts.set_of_one import close_single, open_single
from contacts.settle import end_pending
from orgs.access import Right, require, require_can_edit
from orgs.models import Account, Unreachable
from portal.aws import ContactDetails, same_contact
from portal.causes import Cause
from portal.quota import Lane

# A second click arrives within seconds; the same wish later is a new wish.
DOUBLE_CLICK = timedelta(seconds=60)


@dataclass(frozen=True)
class Seen:
    """What a form showed: the mirror's version and the open wish, if any."""

    version: int
    open_change: int | None

    @property
    def token(self) -> str:
        """For a hidden field."""
        return f"{self.version}:{self.open_change or 0}"

    @classmethod
    def parse(cls, token: str) -> "Seen":
        """The inverse of token; raises ValueError."""
        version, _, change = token.partition(":")
        return cls(int(version), int(change) or None)


class Stale(Exception):
    """The contact or its open wish moved since the form was shown; both are at hand to be shown again."""

    def __init__(self, contact: AlternateContact, open_change: ContactChange | None) -> None:
        super().__init__(f"contact {contact.pk} moved")
        self.contact = contact
        self.open_change = open_change

    @property
    def seen(self) -> Seen:
        """What the person sees now: sending it back is a decision."""
        return Seen(self.contact.version, self.open_change.pk if self.open_change else None)


def open_change_of(contact: AlternateContact) -> ContactChange | None:
    """The newest wish of this contact that has not ended."""
    return contact.changes.filter(status__in=OPEN).order_by("-pk").first()


def seen_of(contact: AlternateContact) -> Seen:
    """What a form that shows this contact now has seen."""
    change = open_change_of(contact)
    return Seen(contact.version, change.pk if change else None)


def request_change(
    account: Account,
    contact_type: str,
    wanted: ContactDetails | None,
    *,
    context: Context,
    seen: Seen | None,
    lane: Lane = Lane.PERSON,
    break_glass: bool = False,
) -> ContactChange:
    """Write the wish and its audit event in one transaction; None as wanted deletes the contact.

    seen None means that the caller shows nothing and takes what stands there now. Where the rules ask for an
    approval the wish waits for it, unless an administrator breaks the glass.
    Raises PermissionDenied, ValidationError (by field where there is one) and Stale.
    """
    _require_actor(context)
    require_can_edit(context.actor, account, contact_type)
    if break_glass:
        require(context.actor, Right.BREAK_GLASS)
    _validate_request(wanted, context)
    _require_reachable(account)
    with transaction.atomic():
        contact = _lock(account, contact_type)
        open_change = open_change_of(contact)
        twin = _same_wish(contact, wanted, context, seen)
        if twin and not (break_glass and twin.status == ChangeStatus.WAITING):
            return twin
        if seen is not None and seen != Seen(contact.version, open_change.pk if open_change else None):
            raise Stale(contact, open_change)
        change = _write_wish(contact, wanted, context, lane, break_glass)
        transaction.on_commit(lambda: wake(change.caller_key, queue_of(change.lane)))
    return change


def cancel_change(change: ContactChange, *, context: Context) -> ContactChange:
    """Take back a wish that was not sent yet. Raises PermissionDenied, and ValidationError when too late."""
    _require_actor(context)
    require_can_edit(context.actor, change.contact.account, change.contact.contact_type)
    with transaction.atomic():
        lock_contact(change.contact_id)
        change = ContactChange.objects.select_related(
            "contact__account__organization", "contact__account__unit"
        ).get(pk=change.pk)
        if not end_pending(change, ChangeStatus.CANCELLED, Action.CHANGE_CANCELLED, context):
            raise ValidationError("It is too late to cancel: the change is being sent or has ended.")
        close_single(change)
    return change


def _require_actor(context: Context) -> None:
    if context.actor is None:
        raise PermissionDenied("A change needs a person who asks for it.")


def _validate_request(wanted: ContactDetails | None, context: Context) -> None:
    errors = why_errors(context)
    if wanted is not None:
        try:
            validate(wanted)
        except ValidationError as error:
            errors |= error.message_dict
    if errors:
        raise ValidationError(errors)


def _require_reachable(account: Account) -> None:
    try:
        account.reach()
    except Unreachable as error:
        raise ValidationError(f"{error.cause.label} {error.cause.remedy}") from error
    if not account.is_writable:
        raise ValidationError(
            f"The account is {account.get_state_display().lower()}. {Cause.STATE.remedy}", code=Cause.STATE
        )


def _lock(account: Account, contact_type: str) -> AlternateContact:
    ensure_contacts([account])
    pk = AlternateContact.objects.values_list("pk", flat=True).get(account=account, contact_type=contact_type)
    return lock_contact(pk)


def _same_wish(
    contact: AlternateContact, wanted: ContactDetails | None, context: Context, seen: Seen | None
) -> ContactChange | None:
    """The wish that a double click made a moment ago: same person, same form, same values."""
    if seen is None:
        return None
    recent = contact.changes.filter(
        requested_by=context.actor,
        seen_version=seen.version,
        requested_at__gt=timezone.now() - DOUBLE_CLICK,
        status__in=[*OPEN, ChangeStatus.APPLIED, ChangeStatus.UNCHANGED],
    ).first()
    if recent and same_contact(recent.wanted_details, wanted):
        return recent
    return None


def _write_wish(
    contact: AlternateContact,
    wanted: ContactDetails | None,
    context: Context,
    lane: Lane,
    break_glass: bool,
) -> ContactChange:
    waiting = contact.changes.filter(status__in=PENDING).select_related("change_set").first()
    if waiting and end_pending(waiting, ChangeStatus.SUPERSEDED, Action.CHANGE_SUPERSEDED, context):
        close_single(waiting)
    reasons = why_needed(context.actor, Weight.of_one(contact, deletes=wanted is None))
    change = ContactChange(
        contact=contact,
        caller_key=contact.account.caller_key,
        lane=lane,
        status=ChangeStatus.WAITING if reasons and not break_glass else ChangeStatus.QUEUED,
        wanted=None if wanted is None else asdict(wanted),
        before=contact.value,
        seen_version=contact.version,
        requested_by=context.actor,
        requested_at=timezone.now(),
        source=context.source,
        reason=context.reason.strip(),
        ticket=context.ticket.strip(),
        request_id=context.request_id,
    )
    if reasons:
        open_single(change, reasons, context=context, broke_glass=break_glass)
    change.save(force_insert=True)
    if reasons:
        PlannedChange.objects.filter(change_set=change.change_set).update(change=change)
    record_change(Action.CHANGE_REQUESTED, change, context)
    return change
