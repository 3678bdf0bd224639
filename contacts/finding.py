"""Finding what a person may see. Unknown and invisible are one and the same: 404."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404

from contacts.mirror import ensure_contacts
from contacts.models import AlternateContact, ChangeSet, ContactChange, ContactType, Drift
from orgs.access import Right, has_right, visible_to
from orgs.models import Account

NOT_FOUND = "There is no such page, or it is not yours to see."


def get_account_for(user: Any, account_id: str) -> Account:
    """The account with this 12-digit id."""
    accounts = visible_to(user).select_related("organization", "unit")
    return _first(accounts.filter(aws_id=account_id))


def get_contact_for(user: Any, account_id: str, contact_type: str) -> AlternateContact:
    """The mirror of one contact, with its account."""
    if contact_type not in ContactType.values:
        raise Http404(NOT_FOUND)
    account = get_account_for(user, account_id)
    contacts = AlternateContact.objects.filter(account=account, contact_type=contact_type)
    if not contacts.exists():
        ensure_contacts([account])
    contact = contacts.get()
    contact.account = account
    return contact


def changes_visible_to(user: Any) -> QuerySet[ContactChange]:
    """The changes of every account the user may see."""
    changes = ContactChange.objects.filter(contact__account__in=visible_to(user))
    return changes.select_related("contact__account__unit", "contact__account__organization", "requested_by")


def get_change_for(user: Any, pk: int) -> ContactChange:
    """One change with its contact and account."""
    return _first(changes_visible_to(user).filter(pk=pk))


def drifts_visible_to(user: Any) -> QuerySet[Drift]:
    """The changes from outside in every account the user may see."""
    drifts = Drift.objects.filter(contact__account__in=visible_to(user))
    return drifts.select_related(
        "contact__account__unit", "contact__account__organization", "decided_by", "change"
    )


def get_drift_for(user: Any, pk: int) -> Drift:
    """One change from outside with its contact and account."""
    return _first(drifts_visible_to(user).filter(pk=pk))


def change_sets_visible_to(user: Any) -> QuerySet[ChangeSet]:
    """Every change set that was submitted, and the user's own plans: a draft is its author's alone."""
    if not has_right(user, Right.VIEW):
        return ChangeSet.objects.none()
    mine_or_submitted = Q(requested_by=user) | Q(submitted_at__isnull=False)
    return ChangeSet.objects.filter(mine_or_submitted).select_related("requested_by", "decided_by")


def get_change_set_for(user: Any, pk: int) -> ChangeSet:
    """One change set with who asked and who decided."""
    return _first(change_sets_visible_to(user).filter(pk=pk))


def _first(rows: QuerySet) -> Any:
    row = rows.first()
    if row is None:
        raise Http404(NOT_FOUND)
    return row
