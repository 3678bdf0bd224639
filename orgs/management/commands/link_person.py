"""link_person: let a person who is here already sign in by the identity provider."""

from argparse import ArgumentParser
from typing import Any

from audit.context import command_context
from orgs.locked_out import link_to_provider
from portal.commands import PortalCommand, person_named


class Command(PortalCommand):
    help = "Let a person sign in as a subject (claim sub) of the identity provider, and as no other."
    uses_redis = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME", help="User name of the person.")
        parser.add_argument("subject", metavar="SUBJECT", help="Who the person is at the provider (sub).")

    def work(self, options: dict[str, Any]) -> None:
        person = person_named(options["username"])
        link_to_provider(person, options["subject"], context=command_context())
        self.stdout.write(f"{person.username} signs in by the identity provider from now on.")
