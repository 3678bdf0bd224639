"""sync_accounts: read organizations, units and accounts from AWS, here and now."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from audit.context import Context, command_context
from orgs.discovery import AlreadyRunning, discover
from orgs.models import Organization
from orgs.selecting import chosen_organizations
from portal.aws import AwsError
from portal.commands import PortalCommand, add_json, failed
from portal.quota import Lane


class Command(PortalCommand):
    help = "Read organizations, units and accounts from AWS in this process, without a worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--organization", metavar="o-…", help="Only this organization; by default every connected one."
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        context = command_context()
        results = [
            self._sync(organization, context)
            for organization in chosen_organizations(options["organization"])
        ]
        text = "\n".join(result["text"] for result in results) or "No organization is connected."
        self.answer(options, results, text)
        if any(result["problem"] for result in results):
            raise failed("Not every organization could be read.")

    def _sync(self, organization: Organization, context: Context) -> dict[str, Any]:
        result = {"organization": organization.aws_id, "problem": ""}
        try:
            with self.progress(f"Accounts of {organization}") as bar:
                findings = discover(organization, context=context, lane=Lane.CHECK, seen=bar.step)
        except AwsError as error:
            text = f"{organization}: {error} {error.cause.remedy}"
            return result | {"problem": error.cause.value, "text": text}
        except AlreadyRunning as error:
            return result | {"problem": "already_running", "text": str(error)}
        return result | asdict(findings) | {"text": f"{organization}: {findings}."}
