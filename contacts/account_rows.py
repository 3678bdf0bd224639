"""The rows of the account list: an account with its three contacts and what happens to them."""

from dataclasses import dataclass

from django import forms
from django.db.models import Case, OuterRef, Prefetch, QuerySet, Subquery, Value, When

from contacts.attention import let_stand
from contacts.filters import STANDALONE
from contacts.models import AlternateContact, ChangeStatus, ContactChange, ContactType
from orgs.models import Account, AccountState, Unreachable
from orgs.scope import Scope
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
    """One contact; note is the state of its latest change where that is open or needs somebody.

    Without a contact: it is not for this person to see.
    """

    contact: AlternateContact | None
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


def with_contacts(accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> QuerySet[Account]:
    """The accounts with these contacts and all else that rows show, whatever their number, in two queries."""
    noted = Case(When(let_stand(), then=Value("")), default="status")
    latest = ContactChange.objects.filter(contact=OuterRef("pk")).order_by("-pk").values(noted=noted)[:1]
    contacts = contacts.annotate(latest_status=Subquery(latest))
    return accounts.select_related("organization", "unit").prefetch_related(Prefetch("contacts", contacts))


def row_of(account: Account, scope: Scope) -> Row:
    """One row, with a cell for each type of the scope; the account comes from with_contacts()."""
    contacts = {contact.contact_type: contact for contact in account.contacts.all()}
    kinds = [ContactType(name) for name in scope.types]
    cells = [
        _cell(contacts.get(kind) or AlternateContact(contact_type=kind), kind)
        if scope.covers(account, kind)
        else Cell(None, kind.label, "", "", "")
        for kind in kinds
    ]
    return Row(account, str(account.unit or "Standalone"), state_of(account), cells)


def state_of(account: Account) -> str:
    """The state as a page names it, unless it is the usual one."""
    if account.left_at is not None:
        return "left"
    return "" if account.state == AccountState.ACTIVE else account.state.lower()


def reached_by(account: Account, *, is_whole: bool) -> str:
    """Whose credentials reach the account, in words; is_whole: the reader sees its organization whole."""
    try:
        reach = account.reach()
    except Unreachable as error:
        return f"Nobody. {error.cause.label}"
    if reach.account_id is None or account.organization is None:
        return "Its own credentials"
    if not is_whole:
        return "The credentials of its organization"
    return f"{account.organization.get_standing_display()} {reach.caller.account_id}"


def scope_words(form: forms.BaseForm) -> str:
    """The name of the unit or organization that the list is limited to."""
    wanted = getattr(form, "cleaned_data", {})
    organization = wanted.get("organization") or ""
    return str(wanted.get("unit") or ("Standalone" if organization == STANDALONE else organization))


def _cell(contact: AlternateContact, kind: ContactType) -> Cell:
    note = getattr(contact, "latest_status", "")
    words = NOTES.get(note, "")
    cause = Cause(contact.problem).label if contact.is_unknown and contact.problem else ""
    return Cell(contact, kind.label, cause, note if words else "", words)
