"""What a plan says of one line: the line held against what we know of its contact. Asks no database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from django.conf import settings
from django.core.exceptions import ValidationError

from contacts.bulk.line import Line, Problem
from contacts.details import FIELDS, advice, validate
from contacts.models import AlternateContact, ContactStatus, ContactType, PlannedChange, Verdict
from orgs.models import Account, AccountState, Unreachable
from orgs.scope import Scope
from portal.aws import ContactDetails, same_contact
from portal.causes import Cause

# As the file names them; see contacts/exporting.py.
ACCOUNT, TYPE = "AccountId", "AlternateContactType"
COLUMNS = {"name": "Name", "title": "Title", "email": "EmailAddress", "phone": "PhoneNumber"}
# The first remark of a row that is shown, but sent only when somebody chooses it.
LEFT_OUT = "Left out unless it is chosen."

TYPES = frozenset(ContactType.values)
NOTHING = ContactDetails("", "", "", "")
ACCOUNT_TEXT_LIMIT, TYPE_LIMIT = 64, 20


@dataclass
class Known:
    """What the database says of the accounts that some lines name."""

    editable: Scope  # where the person who plans may change contacts
    visible: Scope  # where they may see them
    accounts: dict[str, Account] = field(default_factory=dict)
    contacts: dict[tuple[int, str], AlternateContact] = field(default_factory=dict)
    values: dict[int, dict[str, ContactDetails]] = field(default_factory=dict)  # of all types, by account
    asked_by: dict[int, str] = field(default_factory=dict)  # who has an open wish, by the contact's key
    obstacles: dict[int, list[Problem]] = field(default_factory=dict)

    def keep(self, contact: AlternateContact) -> None:
        """Take the contact in."""
        self.contacts[contact.account_id, contact.contact_type] = contact
        if details := contact.details:
            self.values.setdefault(contact.account_id, {})[contact.contact_type] = details

    def contact_of(self, account: Account | None, contact_type: str) -> AlternateContact | None:
        """The mirror of a contact that the actor may change; else None, as for what is not known at all.

        What the row of another one said, and its fingerprint with it, would tell what stands there.
        """
        if account is None or not self.editable.covers(account, contact_type):
            return None
        return self.contacts.get((account.pk, contact_type))

    def value_of(self, contact: AlternateContact | None) -> ContactDetails | None:
        """What AWS said last; None when it was absent, or never read."""
        return self.values.get(contact.account_id, {}).get(contact.contact_type) if contact else None

    def siblings_of(self, contact: AlternateContact) -> list[ContactDetails]:
        """The values of the account's other contacts, as far as they are known to the actor."""
        account = self.by_pk[contact.account_id]
        kept = self.values.get(contact.account_id, {})
        others = [kind for kind in kept if kind != contact.contact_type]
        return [kept[kind] for kind in others if self.visible.covers(account, kind)]

    @cached_property
    def by_pk(self) -> dict[int, Account]:
        """The accounts by their keys."""
        return {account.pk: account for account in self.accounts.values()}

    def obstacles_of(self, account: Account) -> list[Problem]:
        """Why AWS would take no write for this account; looked for once."""
        if account.pk not in self.obstacles:
            self.obstacles[account.pk] = list(_obstacles(account))
        return self.obstacles[account.pk]


def judge(line: Line, known: Known) -> PlannedChange:
    """The row of the plan for this line, with every problem that it has. Not saved, without its set."""
    account = known.accounts.get(line.account_id)
    contact = known.contact_of(account, line.contact_type)
    current = known.value_of(contact)
    wanted, trimmed = _wanted(line, contact, current)
    problems = [*line.problems, *_problems(line, account, contact, known)]
    problems += _value_problems(line, contact, wanted)
    row = _row_for(line, account, contact)
    row.wanted = None if wanted is None else dict(vars(wanted))
    row.remarks = [*line.remarks, *trimmed]
    if problems:
        row.verdict = Verdict.REFUSED
        row.problems = [problem.facts for problem in problems]
        return _storable(row)
    row.verdict = _verdict(current, wanted)
    return _with_remarks(row, line, contact, wanted, known)


def _row_for(line: Line, account: Account | None, contact: AlternateContact | None) -> PlannedChange:
    """What the row is about, and what stood there when it was planned."""
    row = PlannedChange(
        line=line.number,
        account_text=line.account_id[:ACCOUNT_TEXT_LIMIT],
        contact_type=line.contact_type[:TYPE_LIMIT],
        account_id=account.pk if account else None,
        contact_id=contact.pk if contact else None,
        caller_key=account.caller_key if account else "",
        undoes_id=line.undoes,
    )
    if contact:
        row.before = contact.value
        row.seen_version, row.observed_at = contact.version, contact.observed_at
    return row


def _problems(
    line: Line, account: Account | None, contact: AlternateContact | None, known: Known
) -> Iterator[Problem]:
    """What speaks against the line, beside its values. A mistake that was found before is not told twice."""
    if line.problems and not line.account_id:
        return  # it names no account: the line of the column names, for one
    told = {problem.field for problem in line.problems}
    if line.contact_type not in TYPES and TYPE not in told:
        yield Problem(TYPE, Cause.BAD_TYPE.remedy)
    if account is None:
        if ACCOUNT not in told:
            yield Problem(ACCOUNT, f"No account {line.account_id} is known to you.")
        return
    if not known.editable.covers(account, line.contact_type):
        yield Problem("", f"You may not change the {line.contact_type} contact of this account.")
    obstacles = known.obstacles_of(account)
    yield from obstacles
    if contact:
        yield from _in_the_way(contact, obstacles, known)


def _in_the_way(contact: AlternateContact, obstacles: list[Problem], known: Known) -> Iterator[Problem]:
    if contact.is_unknown:
        yield from _unreadable(contact, obstacles)
    if contact.pk in known.asked_by:
        who = known.asked_by[contact.pk]
        yield Problem(
            "", f"A change of this contact that {who} asked for has not ended. It has to end first."
        )


def _unreadable(contact: AlternateContact, obstacles: list[Problem]) -> Iterator[Problem]:
    words = _sentences(Cause(contact.problem or Cause.NOT_READ_YET))
    if words not in [problem.text for problem in obstacles]:
        yield Problem("", f"What AWS has here is not known. {words}")


def _obstacles(account: Account) -> Iterator[Problem]:
    try:
        account.reach()
    except Unreachable as error:
        yield Problem(ACCOUNT, _sentences(error.cause))
    if account.left_at is None and account.state != AccountState.ACTIVE:
        state = account.get_state_display().lower()
        yield Problem(ACCOUNT, f"The account is {state}. {Cause.STATE.remedy}")


def _sentences(cause: Cause) -> str:
    return f"{cause.label} {cause.remedy}"


# Values


def _wanted(
    line: Line, contact: AlternateContact | None, current: ContactDetails | None
) -> tuple[ContactDetails | None, list[str]]:
    """The four values as AWS will get them, None for a deletion, and what was trimmed in words."""
    if line.values is None:
        return None, []
    current = current or NOTHING
    if line.is_raw:
        return _details(current, line.values), []
    # A value that equals the one AWS has is kept as it stands, spaces included; so is an empty one.
    given = {
        name: value
        for name, value in line.values.items()
        if value.strip() and value != getattr(current, name)
    }
    if not given and contact and contact.status == ContactStatus.ABSENT:
        return None, []  # an untouched line: what is not set stays so
    trimmed = {name: value.strip() for name, value in given.items()}
    columns = ", ".join(COLUMNS[name] for name in FIELDS if trimmed.get(name) != given.get(name))
    remarks = [f"Spaces around {columns} were taken off."] if columns else []
    return _details(current, trimmed), remarks


def _details(current: ContactDetails, values: dict[str, str]) -> ContactDetails:
    return ContactDetails(**{**vars(current), **values})


def _value_problems(
    line: Line, contact: AlternateContact | None, wanted: ContactDetails | None
) -> Iterator[Problem]:
    if wanted is None:
        return
    missing = [name for name in FIELDS if not getattr(wanted, name)]
    if missing and contact and contact.status == ContactStatus.ABSENT:
        columns = [COLUMNS[name] for name in missing]
        words = " and ".join(filter(None, [", ".join(columns[:-1]), columns[-1]]))
        verb = "is" if len(columns) == 1 else "are"
        yield Problem(columns[0], f"Not set today, so AWS needs all four values: {words} {verb} empty.")
    told = {problem.field for problem in line.problems}
    for problem in _mistakes(wanted):
        if problem.field not in told and not any(problem.field == COLUMNS[name] for name in missing):
            yield problem


def _mistakes(wanted: ContactDetails) -> list[Problem]:
    """What AWS would say of the values."""
    try:
        validate(wanted)
    except ValidationError as error:
        messages = error.message_dict
        return [Problem(COLUMNS[name], text) for name in messages for text in messages[name]]
    return []


def _verdict(current: ContactDetails | None, wanted: ContactDetails | None) -> Verdict:
    if same_contact(current, wanted):
        return Verdict.UNCHANGED
    if wanted is None:
        return Verdict.DELETE
    return Verdict.NEW if current is None else Verdict.CHANGE


# The row


def _with_remarks(
    row: PlannedChange,
    line: Line,
    contact: AlternateContact | None,
    wanted: ContactDetails | None,
    known: Known,
) -> PlannedChange:
    if line.is_left_out:
        row.is_left_out = True
        row.remarks.insert(0, LEFT_OUT)
    if wanted is not None and row.verdict != Verdict.UNCHANGED and contact:
        others = known.siblings_of(contact)
        row.remarks += [found.text for found in advice(wanted, others, settings.COMPANY_EMAIL_DOMAINS)]
    return row


def _storable(row: PlannedChange) -> PlannedChange:
    """A refused row may hold what no database keeps: NUL, and half a character."""
    row.account_text, row.contact_type = _text(row.account_text), _text(row.contact_type)
    row.remarks = [_text(remark) for remark in row.remarks]
    row.problems = [{key: _text(value) for key, value in problem.items()} for problem in row.problems]
    if row.wanted is not None:
        row.wanted = {name: _text(value) for name, value in row.wanted.items()}
    return row


def _text(value: str) -> str:
    return value.replace("\0", "\ufffd").encode(errors="replace").decode()
