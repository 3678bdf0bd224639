"""The person who asks in the measured portal, and the contacts that she may change."""

import secrets

from django.db.models import QuerySet

from audit.context import Context, Source, command_context
from contacts.approval import RULES_PK
from contacts.models import ApprovalRules
from orgs.models import Account, AccountState, Role
from orgs.people import create_user
from portal.aws import ContactDetails
from portal.models import User

EDITOR = "editor"


def at_page(reason: str) -> Context:
    """The editor at a page; she is made when she first comes, and no rule asks for an approval then."""
    person = User.objects.filter(username=EDITOR).first()
    if person is None:
        person = create_user(
            EDITOR, password=secrets.token_urlsafe(20), roles=[Role.EDITOR], context=command_context()
        )
        ApprovalRules(pk=RULES_PK, more_than=None).save()
    return Context(actor=person, source=Source.PAGE, reason=reason)


def writable_accounts() -> QuerySet[Account]:
    """Active accounts, always in the same order."""
    accounts = Account.objects.filter(state=AccountState.ACTIVE, left_at=None).order_by("aws_id")
    return accounts.select_related("organization", "unit")


def details_of(number: int | str) -> ContactDetails:
    """A value that nobody else has."""
    return ContactDetails(
        f"Desk {number}", "Duty officer", f"desk-{number}@bench.example", "+44 20 7946 0150"
    )


def target_of(account: Account) -> str | None:
    """The AccountId that AWS is given for it, as the log has it."""
    return account.reach().account_id
