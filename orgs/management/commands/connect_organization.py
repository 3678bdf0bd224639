"""connect_organization: connect the organization that our credentials belong to."""

from argparse import ArgumentParser
from typing import Any

from audit.context import command_context
from orgs.connecting import connect_organization
from orgs.models import Organization
from portal.commands import PortalCommand, add_json


class Command(PortalCommand):
    help = (
        "Connect the organization that the AWS credentials belong to; again is an update. "
        "Without options boto3's own credential chain is used."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--profile", default="", help="Named profile of the AWS configuration.")
        parser.add_argument(
            "--role-arn", default="", help="Role to assume: the portal's in the organization."
        )
        parser.add_argument("--external-id", default="", help="External id that the role asks for.")
        parser.add_argument(
            "--management-role-arn",
            default="",
            help="Role in the management account; a delegated administrator needs it for that account.",
        )
        parser.add_argument("--name", default="", help="Name to show; by default the organization's id.")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        names = ("profile", "role_arn", "external_id", "management_role_arn", "name")
        values = {name: options[name] for name in names}
        organization = connect_organization(**values, context=command_context())
        self.answer(options, _facts(organization), _text(organization))


def _facts(organization: Organization) -> dict[str, Any]:
    return {
        "organization": organization.aws_id,
        "name": organization.name,
        "partition": organization.partition,
        "management_account": organization.management_account_id,
        "our_account": organization.caller_account_id,
        "standing": organization.standing,
        "feature_set": organization.feature_set,
        "trusted_access": organization.trusted_access,
        "obstacle": organization.obstacle,
    }


def _text(organization: Organization) -> str:
    lines = [
        f"Connected {organization.aws_id} by account {organization.caller_account_id} "
        f"({organization.get_standing_display().lower()}).",
    ]
    if organization.obstacle:
        lines.append(f"{organization.obstacle.label} {organization.obstacle.remedy}")
    lines.append("Its accounts are read by the next discovery, or now by: manage.py sync_accounts")
    return "\n".join(lines)
