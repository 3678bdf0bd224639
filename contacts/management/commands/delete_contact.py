"""Deletes one alternate contact, as a person, for a reason."""

from argparse import ArgumentParser
from typing import Any

from contacts.asking import add_arguments, ask, facts_of, require_done, words_for
from portal.commands import PortalCommand


class Command(PortalCommand):
    help = "Delete one alternate contact of one account. Exit 0: asked for (with --wait: it is gone)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def work(self, options: dict[str, Any]) -> None:
        change = ask(options, None)
        self.answer(options, facts_of(change), words_for(change))
        require_done(change, options)
