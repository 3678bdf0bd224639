"""Gives every contact of a change set the value that it had before, as a person."""

from argparse import ArgumentParser
from typing import Any

from audit.context import Context
from contacts.bulk.commands import ChangeSetCommand
from contacts.bulk.telling import many, plan_lines
from contacts.bulk.undo import plan_roll_back
from contacts.finding import change_sets_visible_to
from portal.commands import failed, wrong_usage


class Command(ChangeSetCommand):
    """roll_back ID --as USER --reason TEXT [--ticket TEXT] [--wait SECONDS] [--json]"""

    name = "roll_back"
    help = (
        "Plan and send the way back of a change set that has ended. What somebody changed since is left "
        "alone. Exit 0: asked for all of it (with --wait: every contact is as it was before)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID", help="The change set's number.")
        super().add_arguments(parser)

    def act(self, options: dict[str, Any], context: Context) -> None:
        origin = change_sets_visible_to(context.actor).filter(pk=options["id"]).first()
        if origin is None:
            raise wrong_usage(f"There is no change set {options['id']}. The command change_sets lists them.")
        change_set = plan_roll_back(origin, context=context)
        self.say(options, *plan_lines(change_set))
        if change_set.writes:
            self.send(options, change_set, context, without_refused=True)
        else:
            self.discard(options, change_set, "Nothing was sent: no contact is to be written.")
        left = change_set.counts.get("left_out", 0) + change_set.counts.get("refused", 0)
        if left:
            raise failed(
                f"{many(left, 'contact', 'was', 'were')} not rolled back. The reason stands beside each."
            )
