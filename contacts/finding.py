"""Finding what a person may see. Unknown and invisible are one and the same: 404."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404

from audit.models import AuditEvent
from audit.queries import AuditEventQuerySet
from contacts.mirror import ensure_contacts
from contacts.models import AlternateContact, ChangeSet, ContactChange, ContactType, Drift
from contacts.within import sets_within
from orgs.access import Right, can, scope_of, visible_to
from orgs.models import Account

NOT_FOUND = "There is no such page, or it is not yours to see."


def contacts_visible_to(user: Any, right: Right = Right.VIEW) -> QuerySet[AlternateContact]:
    """The contacts that the user may see; with another right, those for which the user has it."""
    condition = scope_of(user, right).contacts("account__", type_field="contact_type")
    return AlternateContact.objects.filter(condition)


def get_account_for(user: Any, account_id: str) -> Account:
    """The account with this 12-digit id."""
    accounts = visible_to(user).select_related("organization", "unit")
    return _first(accounts.filter(aws_id=account_id))


def get_contact_for(user: Any, account_id: str, contact_type: str) -> AlternateContact:
    """The mirror of one contact, with its account."""
    if contact_type not in ContactType.values:
        raise Http404(NOT_FOUND)
    account = get_account_for(user, account_id)
    if not can(user, Right.VIEW, account, contact_type):
        raise Http404(NOT_FOUND)
    contacts = AlternateContact.objects.filter(account=account, contact_type=contact_type)
    if not contacts.exists():
        ensure_contacts([account])
    contact = contacts.get()
    contact.account = account
    return contact


def changes_visible_to(user: Any) -> QuerySet[ContactChange]:
    """The changes of every contact the user may see."""
    changes = ContactChange.objects.filter(_seen_by(user))
    return changes.select_related("contact__account__unit", "contact__account__organization", "requested_by")


def get_change_for(user: Any, pk: int) -> ContactChange:
    """One change with its contact and account."""
    return _first(changes_visible_to(user).filter(pk=pk))


def drifts_visible_to(user: Any) -> QuerySet[Drift]:
    """The changes from outside of every contact the user may see."""
    drifts = Drift.objects.filter(_seen_by(user))
    return drifts.select_related(
        "contact__account__unit", "contact__account__organization", "decided_by", "change"
    )


def get_drift_for(user: Any, pk: int) -> Drift:
    """One change from outside with its contact and account."""
    return _first(drifts_visible_to(user).filter(pk=pk))


def change_sets_visible_to(user: Any) -> QuerySet[ChangeSet]:
    """The user's own change sets, and those that were submitted and hold nothing the user may not see.

    A draft is its author's alone.
    """
    scope = scope_of(user, Right.VIEW)
    if not scope.parts:
        return ChangeSet.objects.none()
    mine_or_submitted = Q(requested_by=user) | Q(submitted_at__isnull=False) & sets_within(scope)
    return ChangeSet.objects.filter(mine_or_submitted).select_related("requested_by", "decided_by")


def change_set_seen_by(user: Any, pk: int | None) -> ChangeSet | None:
    """The change set with this key, where there is one and the user sees it; for links to it."""
    return None if pk is None else change_sets_visible_to(user).filter(pk=pk).first()


def get_change_set_for(user: Any, pk: int) -> ChangeSet:
    """One change set with who asked and who decided."""
    return _first(change_sets_visible_to(user).filter(pk=pk))


def events_visible_to(user: Any, right: Right = Right.AUDIT) -> AuditEventQuerySet:
    """The events that the user may read in the audit; with another right, those for which the user has it."""
    return AuditEvent.objects.limited_to(scope_of(user, right).events())


def sees_all_events(user: Any) -> bool:
    """Whether no event of the audit is kept from the user."""
    return scope_of(user, Right.AUDIT).is_everything


def get_event_for(user: Any, pk: int) -> AuditEvent:
    """One event of the audit with its seal."""
    return _first(events_visible_to(user).select_related("seal").filter(pk=pk))


def _seen_by(user: Any) -> Q:
    """Rows of contacts that the user may see."""
    scope = scope_of(user, Right.VIEW)
    return scope.contacts("contact__account__", type_field="contact__contact_type")


def _first(rows: QuerySet) -> Any:
    row = rows.first()
    if row is None:
        raise Http404(NOT_FOUND)
    return row
