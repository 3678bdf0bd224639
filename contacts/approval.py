"""Which changes need a second pair of eyes, and whether one has looked at a plan."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from audit.context import Context
from audit.log import record
from audit.models import Action
from contacts.models import AlternateContact, ApprovalRules, ChangeSet, Decision
from contacts.within import has_right_to
from orgs.access import Right, can, require, roles_of
from portal.causes import Cause

RULES_PK = 1


class NotCleared(PermissionDenied):
    """The change set may not run: it needs an approval that it does not have, or no longer has."""


@dataclass(frozen=True)
class Weight:
    """What the rules look at: how many contacts are written, deleted, and of the management account."""

    writes: int
    deletes: int
    management: int

    @classmethod
    def of(cls, change_set: ChangeSet) -> "Weight":
        """What the plan of this set sums up to."""
        counts = change_set.counts
        return cls(change_set.writes, counts.get("delete", 0), counts.get("management", 0))

    @classmethod
    def of_one(cls, contact: AlternateContact, *, deletes: bool) -> "Weight":
        """What a single change of this contact weighs."""
        return cls(1, int(deletes), int(contact.account.is_management))


def get_rules() -> ApprovalRules:
    """The rules in force; the defaults of the model until somebody saves others."""
    return ApprovalRules.objects.filter(pk=RULES_PK).first() or ApprovalRules(pk=RULES_PK)


def save_rules(rules: ApprovalRules, *, context: Context) -> None:
    """Put other rules in force. Requests that wait keep theirs. Raises PermissionDenied."""
    require(context.actor, Right.RULES)
    with transaction.atomic():
        before = _facts(get_rules())
        rules.pk = RULES_PK
        rules.save()
        if before != _facts(rules):
            record(Action.APPROVAL_RULES_CHANGED, context, before=before, after=_facts(rules))


def why_needed(actor: Any, weight: Weight) -> list[str]:
    """Why this needs an approval, as words that follow “because”; empty when it does not."""
    rules = get_rules()
    strict = [role for role in roles_of(actor) if role in rules.roles]
    reasons = [
        (rules.more_than is not None and weight.writes > rules.more_than) and _more_than(rules.more_than),
        (rules.any_delete and weight.deletes > 0) and "it deletes a contact",
        (rules.management_account and weight.management > 0) and "it touches a management account",
        bool(strict) and f"somebody with the role {', '.join(strict)} asks for it",
    ]
    return [reason for reason in reasons if reason]


def require_cleared(change_set: ChangeSet) -> None:
    """Raise NotCleared unless this plan may run: no rule held it, it is approved, or glass was broken."""
    if not change_set.needs_approval or change_set.broke_glass:
        return
    if change_set.decision != Decision.APPROVED:
        raise NotCleared("This change set waits for an approval.")
    if change_set.decided_hash != change_set.plan_hash:
        raise NotCleared("Another plan was approved than this one.")
    if change_set.decided_by_id == change_set.requested_by_id:
        raise NotCleared("Nobody approves their own change set.")
    if change_set.expires_at and change_set.expires_at < timezone.now():
        raise NotCleared("The approval has lapsed. Cancel the rest and plan it again.")
    if not has_right_to(change_set.decided_by, Right.APPROVE, change_set):
        raise NotCleared(f"{Cause.APPROVER.label} {Cause.APPROVER.remedy}")


def approver_problem(change_set: ChangeSet | None, contact: AlternateContact) -> Cause | None:
    """Cause.APPROVER when who approved this set could not approve a change of this contact today."""
    if change_set is None or not change_set.needs_approval or change_set.broke_glass:
        return None
    is_allowed = can(change_set.decided_by, Right.APPROVE, contact.account, contact.contact_type)
    return None if is_allowed else Cause.APPROVER


def _facts(rules: ApprovalRules) -> dict[str, Any]:
    return model_to_dict(rules, exclude=["id"])


def _more_than(limit: int) -> str:
    if limit == 0:
        return "every change needs one"
    return f"it touches more than {limit} contact{'' if limit == 1 else 's'}"
