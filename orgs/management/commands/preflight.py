"""preflight: ask AWS whether the portal can work, and say what mends what it finds."""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from audit.context import command_context
from orgs.checks import Check, Status
from orgs.models import Organization
from orgs.preflight import run_checks
from orgs.selecting import chosen_organizations
from portal.commands import PortalCommand, add_json, failed

MARKS = {Status.OK: "ok", Status.WARNING: "look", Status.FAILING: "FAIL", Status.UNKNOWN: "?"}


class Command(PortalCommand):
    help = (
        "Check credentials, organization, reads and writes against AWS; nothing is changed there. "
        "Exit code 0: nothing fails; 1: something does; 2: wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "organization",
            nargs="?",
            metavar="o-…",
            help="Only this organization; by default every connected one.",
        )
        parser.add_argument(
            "--strict", action="store_true", help="What should be looked at fails too: writes denied, say."
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        context = command_context()
        found = {
            organization: run_checks(organization, context)
            for organization in chosen_organizations(options["organization"])
        }
        facts = [_facts(organization, checks) for organization, checks in found.items()]
        text = "\n\n".join("\n".join(_lines(organization, checks)) for organization, checks in found.items())
        self.answer(options, facts, text or "No organization is connected.")
        bad = {Status.FAILING, Status.WARNING} if options["strict"] else {Status.FAILING}
        count = sum(check.status in bad for checks in found.values() for check in checks)
        if count:
            raise failed(f"{count} {'check fails' if count == 1 else 'checks fail'}.")


def _facts(organization: Organization, checks: list[Check]) -> dict[str, Any]:
    return {"organization": organization.aws_id, "checks": [asdict(check) for check in checks]}


def _lines(organization: Organization, checks: list[Check]) -> Iterator[str]:
    yield f"{organization} ({organization.aws_id})"
    for check in checks:
        yield f"{MARKS[Status(check.status)]:>5}  {check.label}: {check.detail}"
        yield from (f"       {line}" for line in _mend(check))


def _mend(check: Check) -> Iterator[str]:
    if check.remedy:
        yield check.remedy
    if check.command:
        yield f"AWS CLI, in {check.where}:"
        yield from (f"  {line}" for line in check.command.splitlines())
    if check.portal:
        yield f"{'Then' if check.command else 'Run'}: {check.portal}"
    if check.console:
        yield f"Console: {check.console}"
    if check.statement:
        yield f"Policy: {check.statement}"
