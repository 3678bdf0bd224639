"""Contacts on their way out, as CSV or JSON: one row for each contact, named as AWS names things."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db.models import QuerySet

from audit.context import Context
from audit.log import record
from audit.models import Action
from contacts.bulk.template import template_rows
from contacts.finding import contacts_visible_to
from contacts.models import AlternateContact
from orgs.access import Right, accounts_with, require, scope_of
from orgs.models import Account
from portal.causes import Cause
from portal.spreadsheets import csv_lines

COLUMNS = (
    "AccountId",
    "AccountName",
    "AlternateContactType",
    "Status",
    "Name",
    "Title",
    "EmailAddress",
    "PhoneNumber",
    "Problem",
    "ObservedAt",
)
FORMATS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
CHUNK = 300


@dataclass(frozen=True)
class Export:
    """A file that is written while it is read."""

    lines: Iterator[str]
    content_type: str
    count: int


def export_contacts(
    accounts: QuerySet[Account], *, file_format: str, filters: Mapping[str, Any], context: Context
) -> Export:
    """The contacts of these accounts, in their order. The export is written down before it begins."""
    visible, contacts = _begin(accounts, context)
    count = _write_down(visible, contacts, file_format, filters, context)
    pks = list(visible.values_list("pk", flat=True))
    rows = map(row_of, _pieces_of(contacts, pks))
    lines = csv_lines(chain([COLUMNS], rows)) if file_format == "csv" else _json_lines(rows)
    return Export(lines, FORMATS[file_format], count)


def export_template(
    accounts: QuerySet[Account], *, file_format: str, filters: Mapping[str, Any], context: Context
) -> Iterator[tuple[str, ...]]:
    """The rows of a file to fill in, header first. The export is written down before it begins."""
    visible, contacts = _begin(accounts, context)
    _write_down(visible, contacts, file_format, {**filters, "template": True}, context)
    return template_rows(visible, scope_of(context.actor, Right.EXPORT))


def row_of(contact: AlternateContact) -> tuple[str, ...]:
    """One contact. What is unknown says so and why, beside the value AWS gave last, if it ever gave one."""
    observed_at = contact.observed_at.strftime("%Y-%m-%dT%H:%M:%SZ") if contact.observed_at else ""
    problem = Cause(contact.problem).label if contact.problem else ""
    return (
        contact.account.aws_id,
        contact.account.name,
        contact.contact_type,
        contact.status,
        contact.name,
        contact.title,
        contact.email,
        contact.phone,
        problem,
        observed_at,
    )


def _begin(
    accounts: QuerySet[Account], context: Context
) -> tuple[QuerySet[Account], QuerySet[AlternateContact]]:
    """Those of the accounts that the person may export, and all contacts that the person may export."""
    require(context.actor, Right.EXPORT)
    allowed = accounts_with(context.actor, Right.EXPORT).order_by().values("pk")
    return accounts.filter(pk__in=allowed), contacts_visible_to(context.actor, Right.EXPORT)


def _write_down(
    accounts: QuerySet[Account],
    contacts: QuerySet[AlternateContact],
    file_format: str,
    filters: Mapping[str, Any],
    context: Context,
) -> int:
    """Record the export; returns how many contacts it holds."""
    count = contacts.filter(account__in=accounts.order_by().values("pk")).count()
    detail = {"contacts": count, "format": file_format, "filters": dict(filters)}
    record(Action.CONTACTS_EXPORTED, context, detail=detail)
    return count


def _pieces_of(contacts: QuerySet[AlternateContact], pks: list[int]) -> Iterator[AlternateContact]:
    """In pieces: no cursor stays open for as long as somebody downloads."""
    for start in range(0, len(pks), CHUNK):
        piece = pks[start : start + CHUNK]
        place = {pk: number for number, pk in enumerate(piece)}
        found = contacts.filter(account__in=piece).select_related("account")
        yield from sorted(found, key=lambda contact: (place[contact.account_id], contact.contact_type))


def _json_lines(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A list with one object a line."""
    start = "[\n"
    for row in rows:
        yield start + json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False)
        start = ",\n"
    yield "[]\n" if start == "[\n" else "\n]\n"
