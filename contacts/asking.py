"""What set_contact and delete_contact share: ask as a person, then wait for AWS's answer."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied

from audit.context import Context, command_context
from audit.log import record
from audit.models import Action
from contacts.bulk.telling import address_of
from contacts.changes import request_change
from contacts.delivery import deliver_one, due_changes
from contacts.events import account_facts
from contacts.models import ChangeStatus, ContactChange, ContactType
from orgs.access import visible_to
from orgs.models import Account
from portal import quota
from portal.aws import ContactDetails
from portal.causes import Cause
from portal.commands import add_json, add_person, failed, person_of, wrong_usage

DONE = (ChangeStatus.APPLIED, ChangeStatus.UNCHANGED)
LOOK_EVERY = 0.2  # seconds


def add_arguments(parser: ArgumentParser) -> None:
    """ID TYPE --as --reason --ticket --wait --json."""
    parser.add_argument("account_id", metavar="ID", help="The account's 12 digits.")
    parser.add_argument("contact_type", metavar="TYPE", choices=ContactType.values, help="%(choices)s")
    add_person(parser)
    parser.add_argument("--reason", required=True, help="Why. The audit keeps it.")
    parser.add_argument("--ticket", default="", help="A ticket number, optional.")
    parser.add_argument(
        "--wait",
        type=float,
        metavar="SECONDS",
        help="Stay until AWS has answered, at most so long. Works without a worker.",
    )
    add_json(parser)


def ask(options: dict[str, Any], wanted: ContactDetails | None) -> ContactChange:
    """Ask for the change as the person of --as; with --wait, bring it to its end."""
    context = command_context(person_of(options), reason=options["reason"], ticket=options["ticket"])
    account = _account(options["account_id"], context)
    try:
        change = request_change(account, options["contact_type"], wanted, context=context, seen=None)
    except PermissionDenied:
        facts = account_facts(account) | {"contact_type": options["contact_type"]}
        record(Action.ACCESS_REFUSED, context, **facts)
        raise
    if options["wait"] is not None and change.status != ChangeStatus.WAITING:
        _wait(change, options["wait"])
    change.refresh_from_db()
    return change


def facts_of(change: ContactChange) -> dict[str, Any]:
    """The change as --json prints it."""
    return {
        "change": change.pk,
        "account_id": change.contact.account.aws_id,
        "contact_type": change.contact.contact_type,
        "status": change.status,
        "change_set": change.change_set_id,
        "problem": change.problem,
        "aws_request_id": change.aws_request_id,
    }


def words_for(change: ContactChange) -> str:
    """The change in a sentence."""
    where = f"{change.contact.contact_type} of {change.contact.account.aws_id}"
    words = f"Change {change.pk}, {where}: {change.get_status_display().lower()}."
    if change.status == ChangeStatus.UNCHANGED and change.is_deletion:
        words = f"Change {change.pk}, {where}: was already absent."
    if change.problem:
        cause = Cause(change.problem)
        words += f" {cause.label} {cause.remedy}"
    return words


def require_done(change: ContactChange, options: dict[str, Any]) -> None:
    """Exit 1 when the change failed, did not end within --wait, or waits for an approval."""
    if change.status == ChangeStatus.WAITING and change.change_set:
        why = " and ".join(change.change_set.needs_approval)
        raise failed(f"Needs approval, because {why}. See {address_of(change.change_set)}")
    if change.is_open and options["wait"] is None:
        return
    if change.status not in DONE:
        raise failed(words_for(change))


def _account(account_id: str, context: Context) -> Account:
    accounts = visible_to(context.actor).select_related("organization", "unit")
    account = accounts.filter(aws_id=account_id).first()
    if account is None:
        raise wrong_usage(
            f"No account {account_id} is known to you. Run sync_accounts, or check the 12 digits."
        )
    return account


def _wait(change: ContactChange, seconds: float) -> None:
    """Deliver here what no worker has claimed, and look until the change has ended."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        due = due_changes().filter(pk=change.pk).first()
        if due:
            _deliver(due)
        change.refresh_from_db(fields=["status"])
        if not change.is_open:
            return
        time.sleep(LOOK_EVERY)


def _deliver(change: ContactChange) -> None:
    try:
        deliver_one(change)
    except quota.NoToken:
        return
    except quota.QuotaUnavailable as error:
        raise failed(f"{Cause.NO_QUOTA.label} {Cause.NO_QUOTA.remedy}") from error
