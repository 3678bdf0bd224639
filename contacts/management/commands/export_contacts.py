"""Print every contact that a person may see."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied

from audit.context import command_context
from audit.log import record
from audit.models import Action
from contacts.exporting import FORMATS, Export, export_contacts
from orgs.access import visible_to
from portal.commands import PortalCommand, add_person, person_of
from portal.models import User
from portal.spreadsheets import BYTE_ORDER_MARK


class Command(PortalCommand):
    """export_contacts --as USER [--format csv|json]"""

    uses_redis = False
    help = "Print all contacts that a person may see, one row for each account and type."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_person(parser)
        parser.add_argument("--format", choices=FORMATS, default="csv", help="csv (the default) or json.")

    def work(self, options: dict[str, Any]) -> None:
        export = self._export(person_of(options), options["format"])
        with self.progress("Contacts", export.count) as progress:
            for line in export.lines:
                self.stdout.write(
                    line.removeprefix(BYTE_ORDER_MARK), ending=""
                )  # for programs, not for Excel
                progress.step()

    def _export(self, person: User | None, file_format: str) -> Export:
        context = command_context(person)
        try:
            return export_contacts(visible_to(person), file_format=file_format, filters={}, context=context)
        except PermissionDenied:
            record(Action.ACCESS_REFUSED, context, detail={"command": "export_contacts"})
            raise
