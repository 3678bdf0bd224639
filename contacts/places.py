"""How many accounts there are in each place: an organization and a unit of it, or none."""

from typing import Any

from django.db.models import Count

from orgs.access import visible_to

Place = tuple[int | None, int | None]  # the keys of an organization and a unit


def accounts_by_place(user: Any) -> dict[Place, int]:
    """The accounts that the user may see, those that left aside; one query, which an index alone answers."""
    accounts = visible_to(user).filter(left_at=None).order_by()
    # Rows are counted, not keys: those are not in account_by_place.
    grouped = accounts.values_list("organization_id", "unit_id").annotate(number=Count("*"))
    return {(owner, unit): number for owner, unit, number in grouped}
