"""forget_second_step: for somebody who lost the phone, the passkeys and the recovery codes."""

from argparse import ArgumentParser
from typing import Any

from audit.context import command_context
from orgs.locked_out import forget_second_step
from portal.commands import PortalCommand, person_named


class Command(PortalCommand):
    help = "Remove a person's authenticator app, passkeys and recovery codes, and end their sessions."
    uses_redis = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME", help="User name of the person.")

    def work(self, options: dict[str, Any]) -> None:
        person = person_named(options["username"])
        removed = forget_second_step(person, context=command_context())
        text = (
            "Nothing was set up." if not removed else "Everything is removed, and their sessions are ended."
        )
        self.stdout.write(f"{person.username}: {text}")
