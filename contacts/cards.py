"""What the account page shows of each contact: the value, the open wishes, how the last one ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from audit.words import Difference, differences
from contacts.attention import let_stand
from contacts.checking import is_being_checked
from contacts.details import FIELDS
from contacts.mirror import ensure_contacts
from contacts.models import (
    OPEN,
    PENDING,
    AlternateContact,
    ChangeStatus,
    ContactChange,
    ContactStatus,
    ContactType,
    Drift,
    DriftState,
)
from orgs.access import Right, can_edit, scope_of
from orgs.models import Account, Unreachable
from portal.causes import Cause

WORDS: dict[str, str] = {
    ChangeStatus.WAITING: "Waits for approval",
    ChangeStatus.QUEUED: "Queued, not sent yet",
    ChangeStatus.SENDING: "Being sent to AWS",
    ChangeStatus.UNCONFIRMED: "Sent; AWS has not confirmed it yet",
    ChangeStatus.APPLIED: "Applied; AWS confirmed it",
    ChangeStatus.UNCHANGED: "Nothing to change: AWS had this already",
    ChangeStatus.FAILED: "Failed; nothing is tried any more",
    ChangeStatus.CONFLICT: "Changed in AWS meanwhile. Not overwritten",
    ChangeStatus.CANCELLED: "Cancelled before it was sent",
    ChangeStatus.SUPERSEDED: "A newer change took its place",
}
NEEDS_A_DECISION = (ChangeStatus.FAILED, ChangeStatus.CONFLICT)


@dataclass(frozen=True)
class Wish:
    """A change with its rows old -> new."""

    change: ContactChange
    rows: list[Difference]
    may_cancel: bool

    @property
    def against(self) -> list[Difference]:
        """What AWS has instead, and what was wanted: where somebody else wrote in between."""
        if self.change.status != ChangeStatus.CONFLICT:
            return []
        return _detail_rows(self.change.stranger, self.change.wanted_value)

    @property
    def is_first(self) -> bool:
        """Whether there was nothing, or nothing known, before it."""
        return self.change.before["status"] != ContactStatus.SET

    @property
    def words(self) -> str:
        """Its state, said of what it does."""
        if self.change.is_deletion and self.change.status == ChangeStatus.UNCHANGED:
            return "Nothing to delete: it was already absent"
        return WORDS.get(self.change.status, "")

    @property
    def cause(self) -> Cause | None:
        return Cause(self.change.problem) if self.change.problem else None


@dataclass(frozen=True)
class Card:
    """One contact of the account."""

    contact: AlternateContact
    wishes: list[Wish]
    ended: Wish | None
    applied: ContactChange | None
    drift: Drift | None
    may_edit: bool
    is_checking: bool

    @property
    def cause(self) -> Cause | None:
        return Cause(self.contact.problem) if self.contact.problem else None

    @property
    def may_delete(self) -> bool:
        """Whether there is, or may be, something to delete."""
        return self.may_edit and self.contact.status != ContactStatus.ABSENT

    @property
    def is_live(self) -> bool:
        """Whether waiting a moment may show something new."""
        return self.is_checking or any(wish.change.status != ChangeStatus.WAITING for wish in self.wishes)

    @property
    def was_changed_outside(self) -> bool:
        """Whether the value that stands there is not the last one we wrote."""
        if self.drift is None or self.drift.state == DriftState.SUPERSEDED:
            return False
        written_at = self.applied.finished_at if self.applied else None
        return written_at is None or self.drift.found_at > written_at


def wish_of(change: ContactChange, *, may_edit: bool) -> Wish:
    """The change as pages show it."""
    may_cancel = may_edit and change.status in PENDING
    return Wish(change, _detail_rows(change.before, change.wanted_value), may_cancel)


def _detail_rows(before: dict | None, after: dict) -> list[Difference]:
    return [row for row in differences(before, after) if row.field in FIELDS]


def cards_of(account: Account, user: Any) -> list[Card]:
    """The account's cards: those of its three contacts that the user may see.

    What is under way is read before the values: read after them, a change that ends in between would leave
    the old value on a page that has stopped asking.
    """
    is_checking = is_being_checked(account)
    changes = list(_changes_of(account))
    seen = scope_of(user, Right.VIEW).types_in(account)
    contacts = [contact for contact in _contacts_of(account) if contact.contact_type in seen]
    drifts = _drifts_of(account)
    is_fixed = bool(why_fixed(account))
    return [
        _card(
            contact,
            [change for change in changes if change.contact_id == contact.pk],
            may_edit=can_edit(user, account, contact.contact_type) and not is_fixed,
            drift=drifts.get(contact.pk),
            is_checking=is_checking,
        )
        for contact in contacts
    ]


def _card(
    contact: AlternateContact,
    changes: list[ContactChange],
    *,
    may_edit: bool,
    drift: Drift | None,
    is_checking: bool,
) -> Card:
    """changes are the contact's open ones, its latest unless that was settled since, and the latest that was
    applied; oldest first.
    """
    latest = changes[-1] if changes else None
    applied = [change for change in changes if change.status == ChangeStatus.APPLIED]
    needs_a_decision = latest is not None and latest.status in NEEDS_A_DECISION
    return Card(
        contact=contact,
        wishes=[wish_of(change, may_edit=may_edit) for change in changes if change.is_open],
        ended=wish_of(latest, may_edit=may_edit) if latest and needs_a_decision else None,
        applied=applied[-1] if applied else None,
        drift=drift,
        may_edit=may_edit,
        is_checking=is_checking,
    )


def why_fixed(account: Account) -> str:
    """Why nobody can change this account's contacts now, in words; empty when they can."""
    try:
        account.reach()
    except Unreachable as error:
        return f"{error.cause.label} {error.cause.remedy}"
    if not account.is_writable:
        state = account.get_state_display().lower()
        return f"The account's state is “{state}”. {Cause.STATE.remedy}"
    return ""


def seconds_until_next_look(cards: list[Card]) -> int:
    """How soon a page that is open should ask again; 0: nothing is going on."""
    asked = [wish.change.requested_at for card in cards if card.is_live for wish in card.wishes]
    if not any(card.is_live for card in cards):
        return 0
    return pace(max(asked, default=timezone.now()))


def pace(since: datetime) -> int:
    """Every second at first; the longer it takes, the rarer the looks."""
    age = timezone.now() - since
    if age < timedelta(seconds=20):
        return 1
    return 3 if age < timedelta(minutes=2) else 15


def _contacts_of(account: Account) -> list[AlternateContact]:
    contacts = AlternateContact.objects.filter(account=account).order_by("contact_type")
    if len(contacts) < len(ContactType):
        ensure_contacts([account])
        contacts = contacts.all()
    return list(contacts)


def _changes_of(account: Account) -> QuerySet[ContactChange]:
    same = ContactChange.objects.filter(contact=OuterRef("contact")).order_by("-pk")
    latest = Subquery(same.values("pk")[:1])
    applied = Subquery(same.filter(status=ChangeStatus.APPLIED).values("pk")[:1])
    telling = Q(status__in=OPEN) | Q(pk=latest) & ~let_stand() | Q(pk=applied)
    changes = ContactChange.objects.filter(telling, contact__account=account)
    return changes.select_related("requested_by").order_by("pk")


def _drifts_of(account: Account) -> dict[int, Drift]:
    """The latest change from outside of each contact, by the contact's key."""
    same = Drift.objects.filter(contact=OuterRef("contact")).order_by("-pk")
    latest = Drift.objects.filter(contact__account=account, pk=Subquery(same.values("pk")[:1]))
    return {drift.contact_id: drift for drift in latest.select_related("change", "decided_by")}
