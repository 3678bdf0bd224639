"""Numbered pages of long lists: counted up to a limit, and found by their keys before rows are fetched."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet, Window

COUNTED = 10_000
MOST_OFFSET = 2**31


class KeyPaginator(Paginator):
    """Pages through querysets of one model, one after the other.

    A page is a list of keys first, so that what lies before it costs no joined row; then these rows come out
    of `rows`, which holds all of them. Of more than `limit` rows nobody is told the number, and none beyond
    can be turned to; without a limit all can.
    """

    def __init__(
        self, parts: Sequence[QuerySet], per_page: int, *, rows: QuerySet, limit: int | None = None
    ) -> None:
        super().__init__(parts[0], per_page)
        self.parts = parts
        self.rows = rows
        self.limit = limit
        self._known: dict[int, list[Any]] = {}

    def find_at_once(self, number: str | None) -> None:
        """Find and count the rows of this page in one go, where finding them is what costs: after a search.

        Of one part without a limit. What orders rows by an index, and stops early, would lose by it.
        """
        [part] = self.parts
        start = (int(number) - 1 if number and number.isdecimal() else 0) * self.per_page
        counted = part.annotate(number_found=Window(Count("*"))).values_list("pk", "number_found")
        found = list(counted[start : start + self.per_page]) if 0 <= start < MOST_OFFSET else []
        if found or not start:  # of a page beyond the end nothing is learned
            self._counts = [found[0][1] if found else 0]
            self._known = {start: [key for key, _ in found]}

    @cached_property
    def count(self) -> int:
        """How many rows can be turned to."""
        found = sum(self._counts)
        return found if self.limit is None else min(found, self.limit)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.limit is not None and sum(self._counts) > self.limit

    @property
    def count_words(self) -> str:
        """“1,234”, or “10,000+”."""
        return f"{self.count:,}{'+' if self.is_capped else ''}"

    def page(self, number: int | str) -> Page:
        """One page of rows."""
        number = self.validate_number(number)
        keys = list(self._keys((number - 1) * self.per_page, min(number * self.per_page, self.count)))
        rows = {row.pk: row for row in self.rows.filter(pk__in=keys).order_by()} if keys else {}
        return Page([rows[key] for key in keys if key in rows], number, self)

    def _keys(self, start: int, stop: int) -> list[Any]:
        """Any: whatever the keys of the model are."""
        if start in self._known:
            return self._known[start]
        keys: list[Any] = []
        for part, count in zip(self.parts, self._counts, strict=True):
            if start < count and stop > 0:
                keys += part.values_list("pk", flat=True)[max(start, 0) : stop]
            start, stop = start - count, stop - count
        return keys

    @cached_property
    def _counts(self) -> list[int]:
        """How many rows each part has, none of them counted further than is told."""
        return [_count(part, self.limit) for part in self.parts]


def _count(part: QuerySet, limit: int | None) -> int:
    rows = part.order_by()
    return rows.count() if limit is None else rows[: limit + 1].count()
