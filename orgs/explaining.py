"""Why somebody can, or cannot, do something: each grant held against the very rule that decides."""

from collections.abc import Iterator
from dataclasses import dataclass

from orgs.access import Lack, Right, grants_of, lack_of, scope_of
from orgs.models import AccessGrant, Account
from orgs.scope import Part
from portal.models import User


@dataclass(frozen=True)
class Judged:
    """One grant of the person, and what it lacks for the right that is asked about; nothing: it gives it."""

    grant: AccessGrant
    lacks: tuple[Lack, ...]

    @property
    def gives(self) -> bool:
        return not self.lacks


@dataclass(frozen=True)
class Explanation:
    """The decision of orgs/access.py, and what led to it."""

    allowed: bool
    is_active: bool
    is_superuser: bool
    grants: list[Judged]

    @property
    def giving(self) -> list[Judged]:
        """The grants that give the right; they count only while the person is active."""
        return [judged for judged in self.grants if judged.gives]

    @property
    def lacking(self) -> list[Judged]:
        return [judged for judged in self.grants if not judged.gives]


def explain(user: User, right: Right, account: Account | None = None, contact_type: str = "") -> Explanation:
    """Whether the person has the right, there and for that contact, and why; no account: anywhere at all."""
    scope = scope_of(user, right)
    in_force = {grant.pk for grant in grants_of(user)}
    grants = AccessGrant.objects.of(user).with_places().order_by("role", "pk")
    return Explanation(
        allowed=scope.covers(account, contact_type) if account else bool(scope.parts),
        is_active=user.is_active,
        is_superuser=user.is_superuser,
        grants=[
            Judged(grant, tuple(_lacks(grant, right, account, contact_type, grant.pk in in_force)))
            for grant in grants
        ],
    )


def _lacks(
    grant: AccessGrant, right: Right, account: Account | None, contact_type: str, holds: bool
) -> Iterator[Lack]:
    """Everything that keeps it from giving the right, so that nobody mends one thing to find the next."""
    if not holds:
        yield Lack.ENDED
    if lack := lack_of(grant, right):
        yield lack
    part = Part.of(grant)
    if account and not part.has_account(account):
        yield Lack.PLACE
    if account and not part.has_type(contact_type):
        yield Lack.TYPE
