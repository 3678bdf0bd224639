"""Reads alternate contacts from AWS in this process, at the quota's pace."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from audit.context import command_context
from contacts.mirror import PASSING
from contacts.models import ContactType
from contacts.observation import Outcome, read_accounts
from orgs.models import Account
from portal.causes import Cause
from portal.commands import PortalCommand, add_json, failed, wrong_usage
from portal.quota import Lane


class Command(PortalCommand):
    help = "Read the contacts of all accounts, or of some, from AWS now. Works without a worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--account", nargs="+", default=[], metavar="ID", help="Only these accounts; 12 digits each."
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        accounts = self._accounts(options["account"])
        causes: Counter[str] = Counter()
        read = 0
        with self.progress("Reading contacts", len(accounts)) as bar:

            def note(outcome: Outcome) -> None:
                nonlocal read
                read += len(ContactType.values) - len(outcome.causes)
                causes.update(outcome.causes)
                bar.step()

            read_accounts(accounts, lane=Lane.CHECK, context=command_context(), on_done=note)
        self._report(options, len(accounts), read, causes)

    def _accounts(self, ids: list[str]) -> list[Account]:
        accounts = Account.objects.filter(left_at=None).select_related("organization", "unit")
        if not ids:
            return list(accounts)
        found = list(accounts.filter(aws_id__in=ids))
        missing = sorted(set(ids) - {account.aws_id for account in found})
        if missing:
            raise wrong_usage(f"Not known: {', '.join(missing)}. Run sync_accounts, or check the 12 digits.")
        return found

    def _report(self, options: dict[str, Any], accounts: int, read: int, causes: Counter[str]) -> None:
        skipped = accounts * len(ContactType.values) - read - causes.total()
        facts = {"accounts": accounts, "read": read, "unknown": dict(causes), "not_asked": skipped}
        lines = [f"{read} contacts of {accounts} accounts read."]
        lines += [
            f"{count} unknown: {Cause(cause).label} {Cause(cause).remedy}"
            for cause, count in causes.most_common()
        ]
        self.answer(options, facts, "\n".join(lines))
        if skipped or any(cause in PASSING for cause in causes):
            raise failed("Not everything could be read. Run the command again.")
