"""Finding places, people and groups by what somebody types: an id, a name, or words of either."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q, QuerySet

from orgs.access import visible_to
from orgs.account_ids import plain_id
from orgs.models import Account, Organization, OrganizationalUnit
from portal.models import User

M = TypeVar("M", bound=models.Model)
SHOWN = 6  # of each kind
GROUP = "group:"


@dataclass(frozen=True)
class Found:
    """What somebody may mean: the value that the form takes, and what they see of it."""

    value: str
    title: str
    note: str
    icon: str


class Finder:
    """Finds one kind of thing. The value of a thing is what people type where they know it."""

    kind: str  # names the address of its suggestions, and the field that asks for them
    unknown: str

    def get(self, text: str) -> Any:  # Any: what is found
        """What is meant by exactly this text, or None."""
        raise NotImplementedError

    def all_found(self, text: str) -> Iterator[Found]:
        """What may be meant, some of each kind."""
        raise NotImplementedError

    def found_of(self, thing: Any) -> Found:
        """What people see of it."""
        raise NotImplementedError

    def meant(self, text: str) -> Any:
        """What is meant, or the only thing that it can be; raises ValidationError where that is not clear."""
        if (thing := self.get(text)) is not None:
            return thing
        found = list(self.all_found(text))
        if len(found) == 1:
            return self.get(found[0].value)
        raise ValidationError("Choose one of those found." if found else self.unknown)


class PlaceFinder(Finder):
    """Organizations, units with all below them, and accounts."""

    kind = "place"
    unknown = "The portal knows no organization, unit or account of this name or id."

    def get(self, text: str) -> Organization | OrganizationalUnit | Account | None:
        text = plain_id(text)
        if text.startswith("o-"):
            return Organization.objects.filter(aws_id=text).first()
        if text.startswith(("r-", "ou-")):
            return OrganizationalUnit.objects.select_related("organization").filter(aws_id=text).first()
        return _accounts().filter(aws_id=text).first()

    def all_found(self, text: str) -> Iterator[Found]:
        units = _by_words(OrganizationalUnit.objects.select_related("organization"), text, "name")
        accounts = _by_words(_accounts(), text, "name", "aws_id")[:SHOWN]
        things: list[Organization | OrganizationalUnit | Account] = [
            *_by_words(Organization.objects.all(), text, "name")[:SHOWN],
            *sorted(units[:SHOWN], key=lambda unit: unit.path.count("/")),
            *accounts,
        ]
        yield from _places(things)

    def found_of(self, thing: Organization | OrganizationalUnit | Account) -> Found:
        return next(_places([thing]))


class AccountFinder(Finder):
    """The accounts that somebody may see; another is as unknown as one that does not exist."""

    kind = "account"
    unknown = "There is no account of this name or id that you may see."

    def __init__(self, user: Any) -> None:  # Any: a user or nobody
        self.user = user

    def get(self, text: str) -> Account | None:
        return _accounts(visible_to(self.user)).filter(aws_id=plain_id(text)).first()

    def all_found(self, text: str) -> Iterator[Found]:
        yield from _places(_by_words(_accounts(visible_to(self.user)), text, "name", "aws_id")[:SHOWN])

    def found_of(self, thing: Account) -> Found:
        return next(_places([thing]))


class PersonFinder(Finder):
    """People who did not leave, by any of their names."""

    kind = "person"
    unknown = "Nobody here has this name."

    def get(self, text: str) -> User | Group | None:
        return User.objects.filter(username=text, is_former=False).first()

    def all_found(self, text: str) -> Iterator[Found]:
        people = people_named(User.objects.filter(is_former=False), text)
        yield from map(self.found_of, people.order_by("-is_active", "username")[:SHOWN])

    def found_of(self, thing: Any) -> Found:  # Any: a person, or what a subclass finds
        state = "" if thing.is_active else ", deactivated"
        return Found(thing.username, thing.label, f"{thing.username}{state}", "person")


class HolderFinder(PersonFinder):
    """People, and groups: whoever can have a grant. A group's name may stand behind “group:”."""

    kind = "holder"
    unknown = "Neither a person nor a group has this name."

    def get(self, text: str) -> User | Group | None:
        person = None if text.startswith(GROUP) else super().get(text)
        return person or Group.objects.filter(name=text.removeprefix(GROUP)).first()

    def all_found(self, text: str) -> Iterator[Found]:
        groups = _by_words(Group.objects.order_by("name"), text.removeprefix(GROUP), "name")
        yield from map(self.found_of, groups.annotate(members=Count("user"))[:SHOWN])
        yield from super().all_found(text)

    def found_of(self, thing: User | Group) -> Found:
        if isinstance(thing, User):
            return super().found_of(thing)
        count = getattr(thing, "members", None)
        note = "group" if count is None else f"group with {count:,} member{'' if count == 1 else 's'}"
        return Found(f"{GROUP}{thing.name}", thing.name, note, "people")


def people_named(users: QuerySet[User], text: str) -> QuerySet[User]:
    """Those in whose names or address each word occurs."""
    return _by_words(users, text, "username", "first_name", "last_name", "email")


def ways_of(units: Iterable[OrganizationalUnit]) -> dict[int, str]:
    """The names of what lies above each unit, from its organization on, by the unit's key: one query."""
    units = list(units)
    above = {aws_id for unit in units for aws_id in unit.path.strip("/").split("/")[1:-1]}
    names = dict(OrganizationalUnit.objects.filter(aws_id__in=above).values_list("aws_id", "name"))
    return {
        unit.pk: " / ".join(
            [
                str(unit.organization),
                *(names.get(aws_id, aws_id) for aws_id in unit.path.strip("/").split("/")[1:-1]),
            ]
        )
        for unit in units
    }


def _accounts(accounts: QuerySet[Account] | None = None) -> QuerySet[Account]:
    accounts = Account.objects.all() if accounts is None else accounts
    return accounts.select_related("organization", "unit__organization").order_by("name", "aws_id")


def _by_words(rows: QuerySet[M], text: str, *fields: str) -> QuerySet[M]:
    for word in text.split():
        rows = rows.filter(Q(*((f"{field}__icontains", word) for field in fields), _connector=Q.OR))
    return rows


def _places(things: Iterable[Organization | OrganizationalUnit | Account]) -> Iterator[Found]:
    things = list(things)
    units = [
        thing if isinstance(thing, OrganizationalUnit) else getattr(thing, "unit", None) for thing in things
    ]
    ways = ways_of(unit for unit in units if unit)
    for thing, unit in zip(things, units, strict=True):
        if isinstance(thing, Organization):
            yield Found(thing.aws_id, str(thing), f"organization {thing.aws_id}", "building")
        elif isinstance(thing, OrganizationalUnit):
            yield Found(thing.aws_id, thing.name, f"unit in {ways[thing.pk]}", "folder2")
        else:
            where = f"{ways[unit.pk]} / {unit.name}" if unit else str(thing.organization or "standalone")
            yield Found(thing.aws_id, str(thing), f"account {thing.aws_id} in {where}", "hdd-stack")
