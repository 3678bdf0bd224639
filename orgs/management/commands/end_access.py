"""end_access: take a grant back now."""

from argparse import ArgumentParser
from typing import Any

from audit.context import command_context
from orgs.access_commands import add_reason, facts_of, line_of
from orgs.grants import end_grant
from orgs.models import AccessGrant
from portal.commands import PortalCommand, add_json, add_person, person_of, wrong_usage


class Command(PortalCommand):
    """end_access GRANT"""

    uses_redis = False
    help = "End a grant now; list_access tells its number. An administrator always remains."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("grant", metavar="GRANT", type=int, help="The grant's number.")
        add_reason(parser)
        add_person(parser, required=False)
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        grants = AccessGrant.objects.with_places()
        grant = grants.filter(pk=options["grant"]).first()
        if grant is None:
            raise wrong_usage(f"There is no grant {options['grant']}. list_access tells their numbers.")
        end_grant(grant, context=command_context(person_of(options), reason=options["reason"]))
        grant = grants.get(pk=grant.pk)
        self.answer(options, facts_of(grant), f"Ended: {line_of(grant).strip()}")
