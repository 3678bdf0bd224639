"""give_access: give a person or a group a role somewhere."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date

from audit.context import command_context
from orgs.access_commands import add_holder, add_reason, facts_of, holder_of, line_of
from orgs.contact_types import ContactType
from orgs.finding import PlaceFinder
from orgs.grants import Place, give_grant
from orgs.models import Role
from portal.commands import PortalCommand, add_json, add_person, person_of, wrong_usage


class Command(PortalCommand):
    """give_access ROLE (--user NAME | --group NAME) [--place ID] [--type TYPE …] [--until DAY]"""

    uses_redis = False
    help = "Give a person or a group a role, everywhere or in one place. The same again gives nothing new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", metavar="ROLE", choices=Role.values, help="%(choices)s")
        add_holder(parser)
        parser.add_argument(
            "--place", metavar="ID", help="An organization, a unit with all below it, or an account."
        )
        parser.add_argument(
            "--type",
            dest="types",
            action="append",
            default=[],
            choices=ContactType.values,
            help="For these contacts only; may be repeated: %(choices)s",
        )
        parser.add_argument("--until", metavar="YYYY-MM-DD", help="The last day, in UTC.")
        add_reason(parser)
        add_person(parser, required=False)
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        grant = give_grant(
            holder_of(options),
            Role(options["role"]),
            place=_place(options["place"]),
            contact_types=options["types"],
            ends_at=_end(options["until"]),
            context=command_context(person_of(options), reason=options["reason"]),
        )
        self.answer(options, facts_of(grant), line_of(grant))


def _place(aws_id: str | None) -> Place:
    if aws_id is None:
        return None
    place = PlaceFinder().get(aws_id)
    if place is None:
        raise wrong_usage(f"The portal knows no organization, unit or account “{aws_id}”. Give its id.")
    return place


def _end(day: str | None) -> datetime | None:
    """The end of that day."""
    if day is None:
        return None
    try:
        last = parse_date(day)
    except ValueError:
        last = None
    if last is None:
        raise wrong_usage(f"“{day}” is no day. Write it like 2027-12-31.")
    return timezone.make_aware(datetime(last.year, last.month, last.day)) + timedelta(days=1)
