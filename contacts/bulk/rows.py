"""The rows of a change set as its page shows them: in tabs, what needs somebody before the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from audit.words import Difference, differences
from contacts.bulk.plan import optional_rows
from contacts.bulk.verdicts import LEFT_OUT as NOT_CHOSEN
from contacts.details import FIELDS, details_in, value_of
from contacts.models import (
    ChangeSet,
    ChangeStatus,
    ContactStatus,
    ContactType,
    Outcome,
    PlannedChange,
    SetKind,
    Verdict,
)
from portal.aws import ContactDetails
from portal.causes import Cause
from portal.templatetags.looks import CONTACT_TYPE_ICONS

LEFT_OUT = "left_out"
ATTENTION = "attention"
VERDICT_ICONS = {
    Verdict.CHANGE: ("arrow-left-right", ""),
    Verdict.NEW: ("plus-circle", "ico-set"),
    Verdict.DELETE: ("trash", "ico-failed"),
    Verdict.UNCHANGED: ("dash-circle", "faint"),
    Verdict.REFUSED: ("slash-circle", "ico-failed"),
}
OPTIONAL_KINDS = (SetKind.ROLL_BACK, SetKind.RETRY)  # their plans leave lines to be chosen
PLAN_TABS = (*((verdict.value, verdict.label) for verdict in Verdict), (LEFT_OUT, "Left out unless chosen"))
REPORT_TABS = (
    (ATTENTION, "Needs attention"),
    ("applied", "Applied"),
    ("unchanged", "Nothing to change"),
    ("failed", "Failed"),
    ("conflict", "Conflict"),
    ("skipped", "Skipped"),
    ("cancelled", "Cancelled"),
    ("open", "Not done yet"),
    (LEFT_OUT, "Left out"),
    ("refused", "Refused"),
)
_WHY: dict[str, str] = {
    ChangeStatus.CONFLICT: "Changed in AWS after this was planned. Not overwritten: compare, then decide.",
    ChangeStatus.SUPERSEDED: "A newer change of this contact took its place.",
    ChangeStatus.CANCELLED: "Cancelled before it was sent.",
}
_BAD = [ChangeStatus.FAILED, ChangeStatus.CONFLICT]
_SKIPPED = Q(outcome=Outcome.SKIPPED)
_OPEN = [ChangeStatus.WAITING, ChangeStatus.QUEUED, ChangeStatus.SENDING, ChangeStatus.UNCONFIRMED]
_NOT_ASKED = Q(change=None, outcome="", is_left_out=False) & ~Q(verdict=Verdict.REFUSED)
_CANCELLED = [ChangeStatus.CANCELLED, ChangeStatus.SUPERSEDED]
_REPORTED = {
    "skipped": _SKIPPED,
    "cancelled": Q(change__status__in=_CANCELLED) | Q(outcome=Outcome.CANCELLED),
    "open": Q(change__status__in=_OPEN) | _NOT_ASKED,
    LEFT_OUT: Q(is_left_out=True),
    "refused": Q(verdict=Verdict.REFUSED),
}


@dataclass(frozen=True)
class Tab:
    """One choice of rows, with its number."""

    name: str
    label: str
    count: int
    is_current: bool


@dataclass(frozen=True)
class ShownRow:
    """One row in words."""

    row: PlannedChange

    @property
    def type_label(self) -> str:
        kind = self.row.contact_type
        return ContactType(kind).label if kind in ContactType.values else kind

    @property
    def type_icon(self) -> str:
        return CONTACT_TYPE_ICONS.get(self.row.contact_type, "")

    @property
    def icon(self) -> str:
        return VERDICT_ICONS[Verdict(self.row.verdict)][0]

    @property
    def icon_look(self) -> str:
        return VERDICT_ICONS[Verdict(self.row.verdict)][1]

    @property
    def diffs(self) -> list[Difference]:
        """What moves in a contact that stays, field by field."""
        before, after = self.row.before, value_of(self.row.wanted_details)
        if self._is_refused or before["status"] != ContactStatus.SET or self.row.wanted is None:
            return []
        return [row for row in differences(before, after) if row.field in FIELDS]

    @property
    def came(self) -> str:
        """A contact that was not there, in one line."""
        if self._is_refused or self.row.before["status"] == ContactStatus.SET:
            return ""
        return _in_a_line(self.row.wanted_details)

    @property
    def went(self) -> str:
        """A contact that will not be there, in one line."""
        if self._is_refused or self.row.wanted is not None:
            return ""
        return _in_a_line(details_in(self.row.before))

    @property
    def _is_refused(self) -> bool:
        return self.row.verdict == Verdict.REFUSED or not self.row.before

    @property
    def state(self) -> str:
        """What became of it, as portal/templatetags/looks.py names it; empty: nothing yet."""
        if self.row.change:
            return self.row.change.status
        return self.row.outcome

    @property
    def cause(self) -> Cause | None:
        cause = self.row.change.problem if self.row.change else self.row.cause
        return Cause(cause) if cause else None

    @property
    def why(self) -> str:
        """Why it did not come to pass, and what to do; empty where there is nothing to say."""
        if self.cause:
            return f"{self.cause.label} {self.cause.remedy}"
        return _WHY.get(self.state, "")

    @property
    def problems(self) -> list[str]:
        """Why the line is refused, each with the column as the file names it."""
        return [_problem_words(problem) for problem in self.row.problems]

    @property
    def is_optional(self) -> bool:
        """Whether the plan left it out until somebody chooses it."""
        return self.row.remarks[:1] == [NOT_CHOSEN]

    @property
    def remarks(self) -> list[str]:
        """What a careful colleague would say."""
        return self.row.remarks[self.is_optional :]

    @property
    def url(self) -> str:
        """Where one sees more: the change, else the account."""
        if self.row.change_id:
            return reverse("contacts:change_detail", args=[self.row.change_id])
        if self.row.account:
            return reverse("contacts:account_detail", args=[self.row.account.aws_id])
        return ""


class InTurn(Sequence):
    """Several querysets one after the other, for a paginator; only the rows of a page are fetched."""

    def __init__(self, *parts: QuerySet[PlannedChange]) -> None:
        self.parts = [(part, part.count()) for part in parts]

    def __len__(self) -> int:
        return sum(count for _, count in self.parts)

    def __getitem__(self, place: Any) -> Any:
        """Any: typing of Sequence wants an overload for single places, which nobody asks for."""
        start, stop = place.start or 0, min(place.stop, len(self))
        found: list[PlannedChange] = []
        for part, count in self.parts:
            found += part[max(start, 0) : max(min(stop, count), 0)]
            start, stop = start - count, stop - count
        return found


def plan_rows(change_set: ChangeSet, show: str) -> InTurn:
    """The rows of the plan: those of one verdict, or the refused ones and then all others."""
    rows = _with_names(change_set)
    if show == LEFT_OUT:
        return InTurn(optional_rows(change_set).order_by("line").select_related("account", "change"))
    if show in Verdict.values:
        return InTurn(rows.filter(verdict=show, is_left_out=False))
    return InTurn(rows.filter(verdict=Verdict.REFUSED), rows.exclude(verdict=Verdict.REFUSED))


def report_rows(change_set: ChangeSet, show: str) -> InTurn:
    """The rows with what became of them: those of one state, or what needs somebody and then all others."""
    rows = _with_names(change_set)
    if show == ATTENTION:
        return InTurn(needing(change_set))
    if show in dict(REPORT_TABS):
        return InTurn(rows.filter(_REPORTED.get(show, Q(change__status=show))))
    return InTurn(needing(change_set), rows.exclude(pk__in=_bad(change_set)))


def needing(change_set: ChangeSet) -> QuerySet[PlannedChange]:
    """What ended badly so far."""
    return _with_names(change_set).filter(pk__in=_bad(change_set))


def _bad(change_set: ChangeSet) -> QuerySet:
    """The keys of the rows that need somebody: two questions that indexes answer, where OR would read all."""
    rows = change_set.rows.order_by()
    ended = change_set.changes.filter(status__in=_BAD).order_by()
    return rows.filter(change__in=ended.values("pk")).values("pk").union(rows.filter(_SKIPPED).values("pk"))


def latest(change_set: ChangeSet, changes: Sequence[int]) -> list[ShownRow]:
    """The rows of these changes, in this order."""
    found = {row.change_id: row for row in _with_names(change_set).filter(change__in=changes)}
    return [ShownRow(found[pk]) for pk in changes if pk in found]


def plan_tabs(change_set: ChangeSet, show: str) -> list[Tab]:
    """The verdicts that the plan has, and the lines that wait to be chosen."""
    counts = change_set.counts
    if change_set.kind in OPTIONAL_KINDS:
        counts = counts | {LEFT_OUT: optional_rows(change_set).count()}
    return _tabs(PLAN_TABS, counts, change_set.rows.count(), show)


def report_tabs(change_set: ChangeSet, outcomes: dict[str, int], show: str) -> list[Tab]:
    """The states that the run has."""
    counts = report_counts(change_set, outcomes)
    return _tabs(REPORT_TABS, counts, change_set.rows.count(), show)


def report_counts(change_set: ChangeSet, outcomes: dict[str, int]) -> dict[str, int]:
    """How many rows stand in each tab of the report."""
    planned = change_set.counts
    asked_for = change_set.writes + planned.get(Verdict.UNCHANGED, 0)
    still_open = sum(outcomes.get(state, 0) for state in _OPEN)
    return {
        **{
            state: outcomes.get(state, 0)
            for state in ("applied", "unchanged", "failed", "conflict", "skipped")
        },
        ATTENTION: sum(outcomes.get(state, 0) for state in ("failed", "conflict", "skipped")),
        "cancelled": sum(outcomes.get(state, 0) for state in _CANCELLED),
        "open": still_open + max(asked_for - sum(outcomes.values()), 0),
        LEFT_OUT: planned.get(LEFT_OUT, 0),
        "refused": planned.get(Verdict.REFUSED, 0),
    }


def _tabs(names: Sequence[tuple[str, str]], counts: dict[str, int], whole: int, show: str) -> list[Tab]:
    tabs = [Tab(name, label, counts.get(name, 0), show == name) for name, label in names]
    shown = [tab for tab in tabs if tab.count or tab.is_current]
    return [Tab("", "All", whole, show not in dict(names)), *shown]


def _with_names(change_set: ChangeSet) -> QuerySet[PlannedChange]:
    return change_set.rows.order_by("line").select_related("account", "change")


def _problem_words(problem: dict[str, str]) -> str:
    return f"{problem['field']}: {problem['text']}" if problem["field"] else problem["text"]


def _in_a_line(details: ContactDetails | None) -> str:
    if details is None:
        return ""
    return " · ".join((details.name, details.title, details.email, details.phone))
