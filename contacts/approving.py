"""What approvers see: the requests that wait for a decision, and the rules in words."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.words import Difference, differences
from contacts.details import FIELDS, value_of
from contacts.forms_approval import DecisionForm
from contacts.models import ApprovalRules, ChangeSet, Decision, PlannedChange, SetKind, SetStatus
from contacts.notices import counts_in_words
from contacts.within import has_right_to, sets_within
from orgs.access import Right, people_with, scope_of


@dataclass(frozen=True)
class DecisionPanel:
    """What somebody who may approve can do about one change set; templates/contacts/_decide.html shows it."""

    change_set: ChangeSet
    form: DecisionForm
    is_own: bool
    is_lapsed: bool

    @property
    def is_open(self) -> bool:
        """Whether this person may decide now."""
        return not self.is_own and not self.is_lapsed


@dataclass(frozen=True)
class WaitingSet:
    """A request in the inbox; a set of one is shown whole, so that it can be decided there."""

    change_set: ChangeSet
    row: PlannedChange | None
    differences: list[Difference]
    panel: DecisionPanel | None

    @property
    def counts(self) -> str:
        return counts_in_words(self.change_set)


def awaiting_decision() -> QuerySet[ChangeSet]:
    """What needs a decision: where the glass was broken first, then the oldest request first."""
    waits = Q(status=SetStatus.WAITING) | Q(broke_glass=True)
    undecided = ChangeSet.objects.filter(waits, decision="").select_related("requested_by")
    return undecided.order_by("-broke_glass", "submitted_at", "pk")


def inbox_of(user: Any) -> QuerySet[ChangeSet]:
    """What waits for this approver: what they may approve whole, but for their own."""
    scope = scope_of(user, Right.APPROVE)
    if not scope.parts:
        return ChangeSet.objects.none()
    return awaiting_decision().filter(sets_within(scope)).exclude(requested_by=user)


def own_requests(user: Any) -> QuerySet[ChangeSet]:
    """What this person asked for and somebody else decides."""
    return awaiting_decision().filter(requested_by=user)


def waiting_sets(change_sets: list[ChangeSet], user: Any) -> list[WaitingSet]:
    """The change sets as the inbox shows them."""
    singles = [change_set.pk for change_set in change_sets if change_set.kind == SetKind.SINGLE]
    rows = PlannedChange.objects.filter(change_set__in=singles).select_related("account")
    row_of = {row.change_set_id: row for row in rows}
    scope = scope_of(user, Right.APPROVE)
    pks = [change_set.pk for change_set in change_sets]
    may = set(ChangeSet.objects.filter(sets_within(scope), pk__in=pks).values_list("pk", flat=True))
    return [
        WaitingSet(
            change_set,
            row_of.get(change_set.pk),
            _differences(row_of.get(change_set.pk)),
            _panel(user, change_set) if change_set.pk in may else None,
        )
        for change_set in change_sets
    ]


def panel_for(user: Any, change_set: ChangeSet, form: DecisionForm | None = None) -> DecisionPanel | None:
    """What the user may do about this change set; None when nothing waits here, or not for this person."""
    if not (change_set.awaits_decision and has_right_to(user, Right.APPROVE, change_set)):
        return None
    return _panel(user, change_set, form)


def _panel(user: Any, change_set: ChangeSet, form: DecisionForm | None = None) -> DecisionPanel | None:
    if not change_set.awaits_decision:
        return None
    expires_at = change_set.expires_at
    is_waiting = change_set.status == SetStatus.WAITING
    return DecisionPanel(
        change_set=change_set,
        form=form or decision_form(change_set),
        is_own=change_set.requested_by_id == user.pk,
        is_lapsed=bool(is_waiting and expires_at and expires_at < timezone.now()),
    )


def decision_form(change_set: ChangeSet, data: Any = None) -> DecisionForm:
    """The form of one change set; several of them may stand on one page."""
    initial = {"plan_hash": change_set.plan_hash}
    return DecisionForm(data, initial=initial, auto_id=f"decide-{change_set.pk}-%s")


def decided_words(change_set: ChangeSet) -> str:
    """What the approver is told after the decision."""
    who = change_set.requested_by.label
    if change_set.decision == Decision.APPROVED:
        ran = change_set.broke_glass
        return (
            f"Approved afterwards. {who} is told." if ran else f"Approved. It is being sent; {who} is told."
        )
    if change_set.status == SetStatus.REFUSED:
        return f"Refused. Nothing was sent; {who} is told."
    return f"Refused. What was not sent yet is cancelled; {who} is told. What AWS took can be rolled back."


def rules_in_words(rules: ApprovalRules) -> list[str]:
    """One sentence for each rule in force."""
    said = []
    if rules.more_than is not None:
        said.append(_number_words(rules.more_than))
    if rules.any_delete:
        said.append("Every deletion of a contact needs an approval.")
    if rules.management_account:
        said.append("Every change of a management account's contacts needs an approval.")
    if rules.roles:
        said.append(f"Whatever somebody with the role {' or '.join(rules.roles)} asks for needs an approval.")
    return said or ["Nothing needs an approval."]


def approvers() -> list[Any]:
    """Everybody who may approve something, by name."""
    return list(people_with(Right.APPROVE))


def _differences(row: PlannedChange | None) -> list[Difference]:
    if row is None:
        return []
    found = differences(row.before, value_of(row.wanted_details))
    return [difference for difference in found if difference.field in FIELDS]


def _number_words(more_than: int) -> str:
    if more_than == 0:
        return "Every change needs an approval."
    return f"A change set that writes more than {more_than:,} contacts needs an approval."
