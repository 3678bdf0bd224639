"""The rows of the account list: an account with its three contacts and what happens to them."""

from dataclasses import dataclass

from django import forms
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from contacts.filters import STANDALONE
from contacts.models import AlternateContact, ChangeStatus, ContactChange, ContactType
from orgs.models import Account, AccountState, Unreachable
from portal.causes import Cause

NOTES: dict[str, str] = {
    ChangeStatus.WAITING: "Waits for approval",
    ChangeStatus.QUEUED: "Change queued",
    ChangeStatus.SENDING: "Sending change",
    ChangeStatus.UNCONFIRMED: "Change unconfirmed",
    ChangeStatus.FAILED: "Change failed",
    ChangeStatus.CONFLICT: "Changed in AWS meanwhile",
}


@dataclass(frozen=True)
class Cell:
    """One contact; note is the state of its latest change where that is open or needs somebody."""

    contact: AlternateContact
    label: str
    cause: str
    note: str
    words: str


@dataclass(frozen=True)
class Row:
    """An account; state is told only where it is not the usual one."""

    account: Account
    where: str
    state: str
    cells: list[Cell]


def with_contacts(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """The accounts with all that their rows show, whatever their number, in two queries."""
    latest = ContactChange.objects.filter(contact=OuterRef("pk")).order_by("-pk").values("status")[:1]
    contacts = AlternateContact.objects.annotate(latest_status=Subquery(latest))
    return accounts.select_related("organization", "unit").prefetch_related(Prefetch("contacts", contacts))


def row_of(account: Account) -> Row:
    """One row; the account comes from with_contacts()."""
    contacts = {contact.contact_type: contact for contact in account.contacts.all()}
    cells = [_cell(contacts.get(kind) or AlternateContact(contact_type=kind), kind) for kind in ContactType]
    return Row(account, str(account.unit or "Standalone"), state_of(account), cells)


def state_of(account: Account) -> str:
    """The state as a page names it, unless it is the usual one."""
    if account.left_at is not None:
        return "left"
    return "" if account.state == AccountState.ACTIVE else account.state.lower()


def reached_by(account: Account) -> str:
    """Whose credentials reach the account, in words."""
    try:
        reach = account.reach()
    except Unreachable as error:
        return f"Nobody. {error.cause.label}"
    if reach.account_id is None or account.organization is None:
        return "Its own credentials"
    return f"{account.organization.get_standing_display()} {reach.caller.account_id}"


def scope_of(form: forms.BaseForm) -> str:
    """The name of the unit or organization that the list is limited to."""
    wanted = getattr(form, "cleaned_data", {})
    organization = wanted.get("organization") or ""
    return str(wanted.get("unit") or ("Standalone" if organization == STANDALONE else organization))


def _cell(contact: AlternateContact, kind: ContactType) -> Cell:
    note = getattr(contact, "latest_status", "")
    words = NOTES.get(note, "")
    cause = Cause(contact.problem).label if contact.is_unknown and contact.problem else ""
    return Cell(contact, kind.label, cause, note if words else "", words)
