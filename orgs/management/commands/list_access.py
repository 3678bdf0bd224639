"""list_access: who has which access, in force."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group

from orgs.access_commands import facts_of, holder_of, line_of
from orgs.models import AccessGrant
from orgs.models.grants import AccessGrantQuerySet
from portal.commands import PortalCommand, add_json


class Command(PortalCommand):
    """list_access [--user NAME | --group NAME] [--ended] [--json]"""

    uses_redis = False
    help = "List the access in force: of everybody, of a person with their groups, or of a group."

    def add_arguments(self, parser: ArgumentParser) -> None:
        holder = parser.add_mutually_exclusive_group()
        holder.add_argument("--user", metavar="NAME", help="What counts for this person, by groups too.")
        holder.add_argument("--group", metavar="NAME", help="What this group has.")
        parser.add_argument(
            "--ended", action="store_true", help="What has ended, in place of what is in force."
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        grants = list(_grants(options).with_places().order_by("pk"))
        heading = f"{'grant':>6}  {'who':<24}  {'role':<13}  where, contacts, until"
        lines = [heading, *map(line_of, grants)] if grants else ["Nobody has any such access."]
        self.answer(options, [facts_of(grant) for grant in grants], "\n".join(lines))


def _grants(options: dict[str, Any]) -> AccessGrantQuerySet:
    grants = AccessGrant.objects.ended() if options["ended"] else AccessGrant.objects.in_force()
    if not (options["user"] or options["group"]):
        return grants
    holder = holder_of(options)
    return grants.filter(group=holder) if isinstance(holder, Group) else grants.of(holder)
