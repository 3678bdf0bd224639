"""connect_account: connect an account that is in no connected organization."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError

from audit.context import command_context
from orgs.connecting import connect_account
from orgs.models import account_id_validator
from portal.commands import PortalCommand, add_json, wrong_usage


class Command(PortalCommand):
    help = "Connect a standalone account by a role or a profile of its own; again is an update."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", metavar="ID", help="The account's id, 12 digits.")
        parser.add_argument("--role-arn", default="", help="Role in the account that the portal assumes.")
        parser.add_argument("--external-id", default="", help="External id that the role asks for.")
        parser.add_argument("--profile", default="", help="Named profile of the AWS configuration.")
        parser.add_argument("--name", default="", help="Name to show.")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        account_id = options["account_id"]
        try:
            account_id_validator(account_id)
        except ValidationError as error:
            raise wrong_usage(f"“{account_id}” is no account id: it has 12 digits.") from error
        values = {name: options[name] for name in ("role_arn", "external_id", "profile", "name")}
        account = connect_account(account_id, **values, context=command_context())
        facts = {"account": account.aws_id, "name": account.name, "partition": account.partition}
        self.answer(options, facts, f"Connected the standalone account {account.aws_id}.")
