"""Reads alternate contacts from AWS in this process, at the quota's pace."""

import time
from argparse import ArgumentParser
from collections import Counter
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from audit.context import command_context
from contacts.mirror import PASSING
from contacts.models import AlternateContact, ContactType
from contacts.observation import Outcome, read_due
from orgs.models import Account, Organization
from orgs.reading import ask_for, due_accounts
from portal.causes import Cause
from portal.commands import PortalCommand, add_json, failed, wrong_usage
from portal.quota import Lane

LOOK_EVERY = 0.5  # seconds


class Command(PortalCommand):
    help = "Read the contacts of all accounts, or of some, from AWS now. Works without a worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--account", nargs="+", default=[], metavar="ID", help="Only these accounts; 12 digits each."
        )
        parser.add_argument("--organization", metavar="ID", help="Only the accounts of this organization.")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        accounts = self._accounts(options["account"], options["organization"])
        # A few accounts that somebody named go before bulk work; all of them would hold it up for long.
        lane = Lane.CHECK if options["account"] else Lane.ROLLING
        began_at, number = timezone.now(), ask_for(accounts)
        with self.progress("Reading contacts", number) as bar:

            def note(outcome: Outcome) -> None:
                bar.step()

            while read_due(_due_of(accounts), lane=lane, context=command_context(), on_done=note):
                if not _is_any_left(accounts, began_at):
                    break
                time.sleep(LOOK_EVERY)  # a worker has some of them, or died with them
        self._report(options, accounts, began_at)

    def _accounts(self, ids: list[str], organization: str | None) -> QuerySet[Account]:
        accounts = Account.objects.filter(left_at=None)
        if organization:
            if not Organization.objects.filter(aws_id=organization).exists():
                raise wrong_usage(f"The organization {organization} is not connected.")
            accounts = accounts.filter(organization__aws_id=organization)
        if not ids:
            return accounts
        found = accounts.filter(aws_id__in=ids)
        missing = sorted(set(ids) - set(found.values_list("aws_id", flat=True)))
        if missing:
            raise wrong_usage(f"Not known: {', '.join(missing)}. Run sync_accounts, or check the 12 digits.")
        return found

    def _report(self, options: dict[str, Any], accounts: QuerySet[Account], began_at: datetime) -> None:
        """What became of it, whoever read it: this process or a worker beside it."""
        contacts = AlternateContact.objects.filter(account__in=accounts, tried_at__gte=began_at).order_by()
        causes = Counter(dict(contacts.exclude(problem="").values_list("problem").annotate(Count("pk"))))
        read, number = contacts.filter(problem="").count(), accounts.count()
        skipped = number * len(ContactType.values) - read - causes.total()
        facts = {"accounts": number, "read": read, "unknown": dict(causes), "not_asked": skipped}
        lines = [f"{read} contacts of {number} accounts read."]
        lines += [
            f"{count} unknown: {Cause(cause).label} {Cause(cause).remedy}"
            for cause, count in causes.most_common()
        ]
        self.answer(options, facts, "\n".join(lines))
        if skipped or any(cause in PASSING for cause in causes):
            raise failed("Not everything could be read. Run the command again.")


def _due_of(accounts: QuerySet[Account]) -> QuerySet[Account]:
    return due_accounts().filter(pk__in=accounts.values("pk"))


def _is_any_left(accounts: QuerySet[Account], began_at: datetime) -> bool:
    unread = accounts.filter(Q(contacts_read_at=None) | Q(contacts_read_at__lt=began_at), contacts_failures=0)
    return unread.exists()
