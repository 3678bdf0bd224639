"""Pages of events, newest first: cheap however deep, and however rare what is looked for.

Two traps lie here on PostgreSQL. Walking down the primary key until a page is full is quick for what is
frequent, and reads millions of rows for what is rare or long ago. Gathering all matches by an index and
sorting them is the other way about. The planner has to choose, and takes what is asked for as spread evenly
over the years. So we choose: the newest few thousand events are walked first; where they cannot fill a
page, the planner has its choice among more of them; only what cannot fill it there either is gathered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connections
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value

NEAR, FAR = 5_000, 160_000
WINDOWS = 16  # of so many events that may be walked to count what is frequent


@dataclass(frozen=True)
class EventPage:
    """One page of events, newest first, with the ids to ask for the pages beside it (None: no such page)."""

    events: list[Any]
    newer_than: int | None
    older_than: int | None


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Which way to go through events.

    span holds every event of the asked dates; events are those in it that meet all filters.
    """

    events: QuerySet
    span: QuerySet
    by_time: bool  # where dates are asked for; else by id, which says nearly the same
    is_whole: bool  # no filter but dates
    is_narrow: bool  # a filter leaves hundreds at most

    def page(self, *, newer_than: int | None, older_than: int | None, size: int) -> EventPage:
        """The newest events, or those next to an id."""
        if newer_than is not None:
            rows = self._rows(newer_than, size + 1, up=True)
            return _page(rows[:size][::-1], has_newer=len(rows) > size, has_older=True)
        rows = self._rows(older_than, size + 1, up=False)
        return _page(rows[:size], has_newer=older_than is not None, has_older=len(rows) > size)

    def holds_more_than(self, limit: int) -> bool:
        """Whether the newest events alone hold more; looks on only while they hold enough of it.

        An index of texts would gather all matches first, millions of them, to count the first thousands.
        """
        if self.is_narrow or connections[self.events.db].vendor != "postgresql":
            return False
        key, found, rest = self._keys[0], 0, Q()
        for window in range(1, WINDOWS + 1):
            horizon = self._horizon(self.span.filter(rest).order_by(f"-{key}"), NEAR)
            if horizon is None:
                return False
            found += self.events.filter(rest, **{f"{key}__gt": horizon}).order_by().count()
            if found > limit or found * WINDOWS <= limit * window:
                return found > limit
            rest = Q(**{f"{key}__lte": horizon})
        return False

    def _rows(self, pk: int | None, count: int, *, up: bool) -> list[Any]:
        beyond = self._beyond(pk, up)
        order = [key if up else f"-{key}" for key in self._keys]
        events, span = (rows.filter(beyond).order_by(*order) for rows in (self.events, self.span))
        if self.is_whole or connections[events.db].vendor != "postgresql":
            return list(events[:count])
        for number in () if self.is_narrow else (NEAR, FAR):
            within = self._within(span, number, up)
            rows = list(events.filter(within)[:count]) if within else []
            if len(rows) == count:
                return rows
        gathered = events.order_by(*self._unindexed(up)).values_list("pk", flat=True)
        return list(self.events.filter(pk__in=list(gathered[:count])).order_by(*order))

    def _beyond(self, pk: int | None, up: bool) -> Q:
        """What lies on that side of the event with this id."""
        if pk is None:
            return Q()
        side = "gt" if up else "lt"
        aside = Q(**{f"pk__{side}": pk})
        if not self.by_time:
            return aside
        at = self.span.model._base_manager.filter(pk=pk).values_list("at", flat=True).first()
        return Q() if at is None else Q(**{f"at__{side}e": at}) & (Q(**{f"at__{side}": at}) | aside)

    def _within(self, ordered: QuerySet, number: int, up: bool) -> Q | None:
        """What lies within the next events, so many; None when there are no more than those."""
        horizon = self._horizon(ordered, number)
        return None if horizon is None else Q(**{f"{self._keys[0]}__{'lte' if up else 'gte'}": horizon})

    def _horizon(self, ordered: QuerySet, number: int) -> Any:
        """Where the next events, so many, end; None when there are no more than those."""
        return ordered.values_list(self._keys[0], flat=True)[number : number + 1].first()

    def _unindexed(self, up: bool) -> Sequence[Any]:
        """The same order in a form that no index has: all matches are gathered, and then sorted."""
        zero = Value(timedelta(0))
        keys = {"at": ExpressionWrapper(F("at") + zero, DateTimeField()), "pk": F("pk") + 0}
        return [keys[name].asc() if up else keys[name].desc() for name in self._keys]

    @property
    def _keys(self) -> tuple[str, ...]:
        return ("at", "pk") if self.by_time else ("pk",)


def _page(events: list[Any], *, has_newer: bool, has_older: bool) -> EventPage:
    return EventPage(
        events,
        newer_than=events[0].pk if events and has_newer else None,
        older_than=events[-1].pk if events and has_older else None,
    )
