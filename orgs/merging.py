"""Writes what a scan showed: accounts and units by set, in short transactions, each with its audit events."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from django.db import transaction
from django.db.models import F, Model, QuerySet
from django.utils import timezone

from audit.context import Context
from audit.log import event, record_all
from audit.models import Action, AuditEvent
from orgs.models import Account, AccountState, Organization, OrganizationalUnit
from portal.aws_facts import AccountFacts, UnitFacts

# 200 accounts are written in about a tenth of a second; SQLite's one writer is kept that long.
CHUNK = 200
# ListAccounts is no snapshot, so one scan without an account proves nothing.
SCANS_UNTIL_GONE = 2
UNIT_FIELDS = ["organization_id", "name", "parent_id", "path", "missed_scans"]
ACCOUNT_FIELDS = [
    "partition",
    "name",
    "email",
    "state",
    "organization_id",
    "unit_id",
    "joined_at",
    "missed_scans",
    "left_at",
]
Units = dict[str, OrganizationalUnit]
T = TypeVar("T")


# Units


def merge_units(organization: Organization, facts: Iterable[UnitFacts]) -> Units:
    """Write new, renamed and moved units, parents first; return all units of the organization by id."""
    levels: dict[int, list[UnitFacts]] = {}
    for unit in facts:
        levels.setdefault(unit.path.count("/"), []).append(unit)
    known = {unit.aws_id: unit for unit in organization.units.all()}
    for _, level in sorted(levels.items()):
        rows = [_unit_row(organization, unit, known) for unit in level]
        changed = [row for row in rows if _differs(known.get(row.aws_id), row, UNIT_FIELDS)]
        known |= _write_units(changed)
    return known


def _unit_row(organization: Organization, facts: UnitFacts, known: Units) -> OrganizationalUnit:
    parent = known[facts.parent_id] if facts.parent_id else None
    return OrganizationalUnit(
        organization=organization, aws_id=facts.aws_id, name=facts.name, parent=parent, path=facts.path
    )


def _write_units(rows: list[OrganizationalUnit]) -> Units:
    OrganizationalUnit.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["aws_id"], update_fields=UNIT_FIELDS
    )
    return OrganizationalUnit.objects.in_bulk([row.aws_id for row in rows], field_name="aws_id")


def drop_missing_units(organization: Organization, seen: set[str]) -> None:
    """Remove units that two full scans did not show, once no account, unit or grant points at them."""
    missing = [pk for aws_id, pk in organization.units.values_list("aws_id", "pk") if aws_id not in seen]
    for chunk in chunks(missing):
        organization.units.filter(pk__in=chunk).update(missed_scans=F("missed_scans") + 1)
    gone = organization.units.filter(missed_scans__gte=SCANS_UNTIL_GONE)
    while gone.filter(accounts__isnull=True, children__isnull=True, grants__isnull=True).delete()[0]:
        pass  # a level is gone, so its parents may be empty now


# Accounts


def merge_accounts(
    organization: Organization, facts: list[AccountFacts], units: Units, context: Context
) -> Counter[str]:
    """Write the accounts that differ from what we knew, and an event for each difference; count these."""
    with transaction.atomic():
        ids = [account.aws_id for account in facts]
        known = _locked(Account.objects.all()).in_bulk(ids, field_name="aws_id")
        rows: list[Account] = []
        events: list[AuditEvent] = []
        for account in facts:
            old = known.get(account.aws_id)
            new = _account_row(organization, account, units, old)
            if _differs(old, new, ACCOUNT_FIELDS):
                rows.append(new)
                events += _events(old, new, units, context)
        Account.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["aws_id"], update_fields=ACCOUNT_FIELDS
        )
        return _counted(record_all(events))


def _account_row(
    organization: Organization, facts: AccountFacts, units: Units, old: Account | None
) -> Account:
    """The account as AWS shows it; what AWS leaves out stays as it was."""
    return Account(
        aws_id=facts.aws_id,
        partition=organization.partition,
        name=facts.name or (old.name if old else ""),
        email=facts.email or (old.email if old else ""),
        state=facts.state if facts.state in AccountState.values else AccountState.UNKNOWN,
        organization=organization,
        unit=units[facts.unit_path.strip("/").split("/")[-1]] if facts.unit_path else None,
        joined_at=facts.joined_at or (old.joined_at if old else None),
    )


def _differs(old: Model | None, new: Model, fields: list[str]) -> bool:
    return old is None or any(getattr(old, name) != getattr(new, name) for name in fields)


def _events(old: Account | None, new: Account, units: Units, context: Context) -> Iterator[AuditEvent]:
    if old is None or old.left_at or old.organization_id is None:
        yield _event(Action.ACCOUNT_JOINED, context, new, after=_joined(new, units))
        return
    before, after = _place(old, units), _place(new, units)
    if old.unit_id and before != after:
        yield _event(Action.ACCOUNT_MOVED, context, new, before=before, after=after)
    if old.state != new.state:
        before, after = {"state": old.state}, {"state": new.state}
        yield _event(Action.ACCOUNT_STATE_CHANGED, context, new, before=before, after=after)
    before, after = _named(old), _named(new)
    if before != after:
        yield _event(Action.ACCOUNT_RENAMED, context, new, before=before, after=after)


def _event(action: Action, context: Context, account: Account, **facts: dict) -> AuditEvent:
    return event(
        action,
        context,
        account_id=account.aws_id,
        organization_id=_organization_id(account),
        unit_path=account.unit.path if account.unit else "",
        **facts,
    )


def _joined(account: Account, units: Units) -> dict:
    return {**_named(account), "state": account.state, **_place(account, units)}


def _named(account: Account) -> dict:
    return {"name": account.name, "email": account.email}


def _place(account: Account, units: Units) -> dict:
    """Where an account is: ids for machines, names for people."""
    path = account.unit.path if account.unit else ""
    steps = [step for step in path.split("/") if step]
    names = " / ".join(units[step].name if step in units else step for step in steps)
    return {"organization": _organization_id(account), "unit_path": path, "unit": names}


def _organization_id(account: Account) -> str:
    return account.organization.aws_id if account.organization else ""


def count_missing(organization: Organization, seen: set[str], context: Context) -> Counter[str]:
    """Count a full scan without an account; the second one in a row says that it left, in an event."""
    present = organization.accounts.filter(left_at__isnull=True).values_list("aws_id", flat=True)
    counts: Counter[str] = Counter()
    for chunk in chunks(sorted(set(present) - seen)):
        with transaction.atomic():
            rows = list(_locked(organization.accounts.all()).filter(aws_id__in=chunk))
            gone = [row for row in rows if _is_gone(row)]
            Account.objects.bulk_update(rows, ["missed_scans", "left_at"])
            counts.update(_counted(record_all([_left(row, context) for row in gone])))
    return counts


def _counted(events: list[AuditEvent]) -> Counter[str]:
    return Counter(event.action for event in events)


def _is_gone(row: Account) -> bool:
    row.missed_scans += 1
    if row.missed_scans >= SCANS_UNTIL_GONE:
        row.left_at = timezone.now()
    return row.left_at is not None


def _left(account: Account, context: Context) -> AuditEvent:
    before = {**_named(account), "state": account.state}
    return _event(Action.ACCOUNT_LEFT, context, account, before=before)


def _locked(accounts: QuerySet[Account]) -> QuerySet[Account]:
    return accounts.select_for_update(of=("self",)).select_related("organization", "unit")


def chunks(values: list[T]) -> Iterator[list[T]]:
    """The values, CHUNK at a time."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
