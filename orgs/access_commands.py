"""What the commands about access share: whom they are about, and how they tell a grant."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group

from orgs.grant_words import until
from orgs.models import AccessGrant
from portal.commands import wrong_usage
from portal.models import User


def add_holder(parser: ArgumentParser) -> None:
    """--user NAME or --group NAME, one of both."""
    holder = parser.add_mutually_exclusive_group(required=True)
    holder.add_argument("--user", metavar="NAME", help="User name of the person who gets it.")
    holder.add_argument("--group", metavar="NAME", help="Name of the group that gets it.")


def add_reason(parser: ArgumentParser) -> None:
    """--reason TEXT"""
    parser.add_argument("--reason", default="", help="Why. The audit keeps it.")


def holder_of(options: dict[str, Any]) -> User | Group:
    """The person or the group that the options name; anybody else is wrong usage."""
    if options["user"]:
        return user_of(options["user"])
    group = Group.objects.filter(name=options["group"]).first()
    if group is None:
        raise wrong_usage(f"There is no group “{options['group']}”. Make it on the page People, Groups.")
    return group


def user_of(name: str) -> User:
    """The person of this user name; anybody else is wrong usage."""
    user = User.objects.filter(username=name).first()
    if user is None:
        raise wrong_usage(f"There is no user “{name}”. Give the user name of a person who signs in here.")
    return user


def facts_of(grant: AccessGrant) -> dict[str, Any]:
    """The grant as --json prints it."""
    place = grant.account or grant.unit or grant.organization
    return {
        "grant": grant.pk,
        "user": grant.person.username if grant.person else None,
        "group": grant.group.name if grant.group else None,
        "role": grant.role,
        "place": place.aws_id if place else None,
        "where": grant.place_words,
        "contact_types": list(grant.contact_types) or "all",
        "given_at": grant.given_at,
        "ends_at": grant.ends_at,
        "in_force": grant.is_in_force,
    }


def line_of(grant: AccessGrant) -> str:
    """The grant as a line of a table."""
    who = grant.person.username if grant.person else f"group {grant.group}"
    ends = until(grant) if grant.is_in_force else f"ended {grant.ends_at:%Y-%m-%d %H:%M} UTC"
    return f"{grant.pk:>6}  {who:<24}  {grant.role:<13}  {grant.place_words}, {grant.type_words}, {ends}"
