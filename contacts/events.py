"""What the audit says of contacts: the facts that every event about a contact or a change carries."""

from typing import Any

from audit.context import Context
from audit.log import event, record, record_all
from audit.models import Action, AuditEvent
from contacts.details import value_of
from contacts.models import AlternateContact, ContactChange, PlannedChange
from orgs.models import Account


def account_facts(account: Account) -> dict[str, str]:
    """Ids as text: they outlive the rows."""
    return {
        "organization_id": account.organization.aws_id if account.organization else "",
        "unit_path": account.unit.path if account.unit else "",
        "account_id": account.aws_id,
    }


def record_contact(action: Action, contact: AlternateContact, context: Context, **facts: Any) -> AuditEvent:
    """An event about one contact."""
    return record(
        action, context, **account_facts(contact.account), contact_type=contact.contact_type, **facts
    )


def record_change(
    action: Action, change: ContactChange, context: Context, after: dict | None = None, **facts: Any
) -> AuditEvent:
    """An event in the life of a wish; after is what the contact is or should become."""
    return record_all([change_event(action, change, context, after, **facts)])[0]


def change_event(
    action: Action, change: ContactChange, context: Context, after: dict | None = None, **facts: Any
) -> AuditEvent:
    """The same, not written yet: for record_all()."""
    return event(
        action,
        context,
        **account_facts(change.contact.account),
        contact_type=change.contact.contact_type,
        change_id=change.pk,
        change_set_id=change.change_set_id,
        before=change.before,
        after=change.wanted_value if after is None else after,
        reason=change.reason,
        ticket=change.ticket,
        **facts,
    )


def planned_event(
    action: Action, row: PlannedChange, contact: AlternateContact, context: Context, **facts: Any
) -> AuditEvent:
    """An event about a planned change for which no wish was written: for record_all()."""
    return event(
        action,
        context,
        **account_facts(contact.account),
        contact_type=contact.contact_type,
        change_set_id=row.change_set_id,
        before=row.before,
        after=value_of(row.wanted_details),
        **facts,
    )
