"""Sets one alternate contact, as a person, for a reason."""

from argparse import ArgumentParser
from typing import Any

from contacts.asking import add_arguments, ask, facts_of, require_done, words_for
from contacts.details import FIELDS, trim
from portal.aws import ContactDetails
from portal.commands import PortalCommand


class Command(PortalCommand):
    help = "Set one alternate contact of one account. Exit 0: asked for (with --wait: AWS took it)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)
        for field in FIELDS:
            parser.add_argument(f"--{field}", required=True)

    def work(self, options: dict[str, Any]) -> None:
        wanted, trimmed = trim(ContactDetails(**{field: options[field] for field in FIELDS}))
        if trimmed:
            self.stderr.write(f"Spaces around {', '.join(trimmed)} were removed.")
        change = ask(options, wanted)
        self.answer(options, facts_of(change), words_for(change))
        require_done(change, options)
