"""Files that a person fills in or mends: the current values of some accounts, and the mistakes of a plan."""

from collections.abc import Iterator

from django.db.models import QuerySet

from contacts.bulk.cells import ACTION, DELETE
from contacts.bulk.verdicts import ACCOUNT, COLUMNS, TYPE
from contacts.models import AlternateContact, ChangeSet, ContactStatus, PlannedChange, Verdict
from orgs.models import Account
from orgs.scope import Scope

TEMPLATE_COLUMNS = (ACCOUNT, "AccountName", TYPE, ACTION, *COLUMNS.values())
ERROR_COLUMNS = ("Line", ACCOUNT, TYPE, ACTION, *COLUMNS.values(), "Problem")
ACCOUNTS_AT_ONCE = 300
ROWS_AT_ONCE = 1000


def template_rows(accounts: QuerySet[Account], scope: Scope) -> Iterator[tuple[str, ...]]:
    """The header, then a row for each contact of the scope as it is now, three for an account that is in it
    whole. Sent back untouched, they change nothing.
    """
    yield TEMPLATE_COLUMNS
    pks = list(accounts.values_list("pk", flat=True))
    for start in range(0, len(pks), ACCOUNTS_AT_ONCE):  # no cursor stays open while somebody downloads
        piece = pks[start : start + ACCOUNTS_AT_ONCE]
        found = (
            Account.objects.filter(pk__in=piece).select_related("unit").prefetch_related("contacts").in_bulk()
        )
        for pk in piece:
            yield from _rows_of(found[pk], scope)


def error_rows(change_set: ChangeSet) -> Iterator[tuple[str, ...]]:
    """The header, then each refused line with all that is wrong with it, to be mended and sent back."""
    yield ERROR_COLUMNS
    rows = change_set.rows.filter(verdict=Verdict.REFUSED).order_by("line")
    last = 0
    while piece := list(rows.filter(line__gt=last)[:ROWS_AT_ONCE]):
        last = piece[-1].line
        for row in piece:
            told = " ".join(_told(problem) for problem in row.problems)
            yield (str(row.line), row.account_text, row.contact_type, *_wanted(row), told)


def _wanted(row: PlannedChange) -> list[str]:
    """The action and what would be new; a value that was to be kept is an empty cell, which keeps it."""
    before = row.before or {}
    if row.wanted is not None:
        new = {name: value for name, value in row.wanted.items() if value != before.get(name)}
        return ["", *(new.get(name, "") for name in COLUMNS)]
    is_untouched = not row.account_text or before.get("status") == ContactStatus.ABSENT
    return ["" if is_untouched else DELETE, *[""] * len(COLUMNS)]


def _rows_of(account: Account, scope: Scope) -> Iterator[tuple[str, ...]]:
    contacts = {contact.contact_type: contact for contact in account.contacts.all()}
    for contact_type in scope.types_in(account):
        values = _values_of(contacts.get(contact_type))
        yield (account.aws_id, account.name, contact_type, "", *values)


def _values_of(contact: AlternateContact | None) -> list[str]:
    """Empty where nothing is set and where nothing is known: an empty cell keeps what is there."""
    if contact is None or contact.is_unknown:
        return [""] * len(COLUMNS)
    return [getattr(contact, name) for name in COLUMNS]


def _told(problem: dict[str, str]) -> str:
    return f"{problem['field']}: {problem['text']}" if problem["field"] else problem["text"]
