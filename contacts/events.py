"""What the audit says of contacts: the facts that every event about a contact or a change carries."""

from typing import Any

from audit.context import Context
from audit.log import record
from audit.models import Action, AuditEvent
from contacts.models import AlternateContact, ContactChange
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
    return record_contact(
        action,
        change.contact,
        context,
        change_id=change.pk,
        before=change.before,
        after=change.wanted_value if after is None else after,
        reason=change.reason,
        ticket=change.ticket,
        **facts,
    )
