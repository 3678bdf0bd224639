"""Lists the latest change sets, or tells one whole. Shows no contact values."""

from argparse import ArgumentParser
from typing import Any

from contacts.bulk.telling import address_of, end_lines, facts_of, plan_lines, short_facts_of
from contacts.models import ChangeSet
from portal.commands import PortalCommand, add_json, wrong_usage

LATEST = 20


class Command(PortalCommand):
    """change_sets [ID] [--json]"""

    uses_redis = False
    help = f"List the {LATEST} latest change sets, or tell one whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, nargs="?", metavar="ID", help="The change set's number.")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        change_sets = ChangeSet.objects.select_related("requested_by", "decided_by")
        if options["id"] is None:
            self._list(options, list(change_sets.order_by("-pk")[:LATEST]), change_sets.count())
            return
        change_set = change_sets.filter(pk=options["id"]).first()
        if change_set is None:
            raise wrong_usage(f"There is no change set {options['id']}.")
        self.answer(options, facts_of(change_set), _words_for(change_set))

    def _list(self, options: dict[str, Any], latest: list[ChangeSet], total: int) -> None:
        lines = [
            f"{change_set.pk:>6}  {change_set.get_status_display():<20}  {change_set.writes:>6,}  "
            f"{change_set.requested_by.username:<16}  {change_set.title}"
            for change_set in latest
        ]
        heading = f"{'set':>6}  {'state':<20}  {'writes':>6}  {'by':<16}  title"
        text = (
            "\n".join([heading, *lines, f"{len(latest):,} of {total:,}"]) if lines else "No change set yet."
        )
        self.answer(options, [short_facts_of(change_set) for change_set in latest], text)


def _words_for(change_set: ChangeSet) -> str:
    asked = f"{change_set.get_kind_display()}, by {change_set.requested_by.label}"
    lines = [*plan_lines(change_set), asked + (f": {change_set.reason}" if change_set.reason else ".")]
    if change_set.needs_approval:
        why = " and ".join(change_set.needs_approval)
        state = change_set.get_decision_display().lower() if change_set.decision else "not decided"
        by = f" by {change_set.decided_by.label}" if change_set.decided_by else ""
        lines.append(f"Needs approval, because {why}: {state}{by}.")
    return "\n".join([*lines, *end_lines(change_set), address_of(change_set)])
