"""Places and contact types as conditions: for rows of the database, and for one contact at hand."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from orgs.contact_types import ContactType
from orgs.models import AccessGrant, Account


@dataclass(frozen=True)
class Part:
    """One part of what we own: nothing given means everything. Contact types: none named means all."""

    organization: int | None = None  # its key; with unit_path, that of the unit's organization
    unit_path: str = ""
    account: int | None = None  # its key
    contact_types: frozenset[str] = frozenset()

    @classmethod
    def of(cls, grant: AccessGrant) -> "Part":
        """Where the grant holds."""
        unit = grant.unit
        return cls(
            organization=unit.organization_id if unit else grant.organization_id,
            unit_path=unit.path if unit else "",
            account=grant.account_id,
            contact_types=frozenset(grant.contact_types),
        )

    def covers(self, account: Account, contact_type: str = "") -> bool:
        """Whether the account lies in it; with a type, whether that contact does."""
        return self.has_type(contact_type) and self.has_account(account)

    def has_type(self, contact_type: str) -> bool:
        """Whether contacts of this type lie in it; with none named, one of them does."""
        return not (contact_type and self.contact_types) or contact_type in self.contact_types

    def has_account(self, account: Account) -> bool:
        """Whether the account lies in it, whatever the type of the contact."""
        if self.account:
            return self.account == account.pk
        if self.unit_path:
            path = account.unit.path if account.unit else ""
            return self.organization == account.organization_id and path.startswith(self.unit_path)
        return self.organization in (None, account.organization_id)

    def condition(self, prefix: str = "") -> Q:
        """The same for rows of the database; without a contact type."""
        if self.account:
            return Q((f"{prefix}pk", self.account))
        found = Q() if self.organization is None else Q((f"{prefix}organization", self.organization))
        return found & Q((f"{prefix}unit__path__startswith", self.unit_path)) if self.unit_path else found


EVERYTHING = Part()


@dataclass(frozen=True)
class Scope:
    """Where somebody has a right: the parts together."""

    parts: tuple[Part, ...]

    @property
    def is_everything(self) -> bool:
        """Whether no account and no contact lies outside."""
        return EVERYTHING in self.parts

    @property
    def has_all_accounts(self) -> bool:
        """Whether no account lies outside; of its contacts, some may."""
        return any(part.condition() == Q() for part in self.parts)

    @property
    def has_all_types(self) -> bool:
        """Whether every contact of its accounts lies inside."""
        return not any(part.contact_types for part in self.parts)

    @property
    def types(self) -> list[str]:
        """The types of the contacts that may lie inside, in AWS's order."""
        return [
            name
            for name in ContactType.values
            if any(not part.contact_types or name in part.contact_types for part in self.parts)
        ]

    def covers_unit_of(self, account: Account) -> bool:
        """Whether the account's unit, or without one its organization, lies inside with all below it."""
        return any(part.covers(account) and not part.account for part in self.parts)

    def covers(self, account: Account, contact_type: str = "") -> bool:
        """Whether the account, or that contact of it, lies inside."""
        return any(part.covers(account, contact_type) for part in self.parts)

    def accounts(self, prefix: str = "") -> Q:
        """Rows whose account lies inside; prefix leads from the rows to their account: "account__"."""
        return any_of(part.condition(prefix) for part in self.parts)

    def types_in(self, account: Account) -> list[str]:
        """The types of those of the account's contacts that lie inside."""
        return [name for name in ContactType.values if self.covers(account, name)]

    def covers_event(self, account: Account, contact_type: str) -> bool:
        """Whether events() finds what happened to the account's contact, or without a type to the account."""
        return any(
            part.covers(account, contact_type) and (contact_type or not part.contact_types)
            for part in self.parts
        )

    def events(self) -> Q:
        """Events of the audit about what lies inside; those about no account are for a scope of everything.

        Where contact types limit a part, events that speak of a whole account are not in it.
        """
        if self.is_everything:
            return Q()
        return any_of(
            Q(account_id__in=Account.objects.filter(part.condition()).order_by().values("aws_id"))
            & (Q(contact_type__in=sorted(part.contact_types)) if part.contact_types else Q())
            for part in self.parts
        )

    def contacts(self, prefix: str = "", *, type_field: str) -> Q:
        """Rows whose contact lies inside; prefix leads to their account, type_field to the contact's type."""
        return any_of(
            part.condition(prefix) & Q((f"{type_field}__in", sorted(part.contact_types)))
            if part.contact_types
            else part.condition(prefix)
            for part in self.parts
        )


def any_of(conditions: Iterable[Q]) -> Q:
    """One of them: with none no row, and an empty condition, which Q's own "or" would drop, is every row."""
    found = list(conditions)
    if not found:
        return Q(pk__in=[])
    return Q() if Q() in found else Q(*found, _connector=Q.OR)
