"""Account Management: the three alternate-contact operations, in the order in which AWS decides."""

from typing import Any

from sandbox import authorization
from sandbox.ask import Ask
from sandbox.errors import Refusal
from sandbox.policy_language import Request
from sandbox.quotas import account_limits
from sandbox.records import ACCOUNT_MANAGEMENT, Contact
from sandbox.rules import require_schema, strip_email

OPERATIONS = ("GetAlternateContact", "PutAlternateContact", "DeleteAlternateContact")
WRITES = frozenset({"PutAlternateContact", "DeleteAlternateContact"})

BAD_TYPE = "You specified an invalid Alternate Contact type."
OWN_ID = (
    "The management account can only be managed using the standalone context from the management account."
)
NO_TRUST = "Your organization must first enable trusted access with AWS Account Management."
NOT_SET = "No contact of the inputted alternate contact type found."
DENIALS = {
    "identity": "because no identity-based policy allows the {action} action",
    "session": "because no session policy allows the {action} action",
    "explicit": "with an explicit deny in an identity-based policy",
    "scp": "with an explicit deny in a service control policy",
}


def perform(ask: Ask) -> dict[str, Any] | None:  # Any: JSON
    """Answer one operation; AccountId alone chooses between standalone and organization context.

    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-api-modes-of-operation.html
    """
    require_schema(ask.operation, ask.values)
    contact_type = ask.values["AlternateContactType"]
    if contact_type not in ask.switches.contact_types:
        raise _denied(ask, f" ({BAD_TYPE})")
    target = ask.values.get("AccountId")
    resource = _organization_resource(ask, target) if target else _standalone_resource(ask)
    target = target or ask.caller.account_id
    _require_policy(ask, target, contact_type, resource)
    limits = account_limits(ask.world.partition, ask.operation, ask.caller.account_id)
    if not ask.buckets.take(ask.operation, limits):
        raise Refusal(429, "TooManyRequestsException", "Too Many Requests")
    return ACTIONS[ask.operation](ask, target, contact_type)


def _standalone_resource(ask: Ask) -> str:
    return f"arn:{ask.world.partition}:account::{ask.caller.account_id}:account"


def _organization_resource(ask: Ask, target: str) -> str:
    """Check that the caller may act on this member, and give the ARN that policies see."""
    world, caller_id = ask.world, ask.caller.account_id
    is_management = caller_id == world.management_id
    if not is_management and not _is_delegated_administrator(ask):
        raise _denied(ask)
    if ACCOUNT_MANAGEMENT not in world.trusted:
        raise _denied(ask, f" ({NO_TRUST})")
    if target == world.management_id:
        raise _denied(ask, f" ({OWN_ID})")
    if world.feature_set != "ALL" or not _is_usable(ask, target):
        raise _denied(ask)
    return f"arn:{world.partition}:account::{world.management_id}:account/{world.organization_id}/{target}"


def _is_delegated_administrator(ask: Ask) -> bool:
    caller_id = ask.caller.account_id
    return ask.world.is_member(caller_id) and ask.world.is_delegated(caller_id, ACCOUNT_MANAGEMENT)


def _is_usable(ask: Ask, target: str) -> bool:
    if not ask.world.is_member(target):
        return False
    return ask.switches.may_use(ask.world.accounts[target].state, ask.operation in WRITES)


def _require_policy(ask: Ask, target: str, contact_type: str, resource: str) -> None:
    kind = ask.switches.denial(target, contact_type, ask.operation)
    if not kind and ask.world.has_policies:
        request = Request(f"account:{ask.operation}", resource, _condition_keys(ask, target, contact_type))
        kind = authorization.denial(ask.world, ask.caller.account_id, ask.caller.principal, request)
    if kind:
        reason = DENIALS[kind].format(action=f"account:{ask.operation}")
        raise _denied(ask, f" on resource: {resource} {reason}")


def _condition_keys(ask: Ask, target: str, contact_type: str) -> dict[str, list[str]]:
    """Those of the organization are there only when the call names an account.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsaccountmanagement.html
    """
    keys = {"account:AlternateContactTypes": [contact_type]}
    account = ask.world.accounts[target]
    if "AccountId" not in ask.values or account.parent_id is None:
        return keys
    tags = {f"account:AccountResourceOrgTags/{key}": [value] for key, value in account.tags.items()}
    return {**keys, **tags, "account:AccountResourceOrgPaths": [ask.world.path(account.parent_id)]}


def _denied(ask: Ask, why: str = "") -> Refusal:
    text = f"User: {ask.caller.arn} is not authorized to perform: account:{ask.operation}{why}"
    return Refusal(403, "AccessDeniedException", text)


def _get(ask: Ask, target: str, contact_type: str) -> dict[str, Any]:  # Any: JSON
    contact = ask.world.contact(target, contact_type, ask.switches.read_lag_seconds)
    if contact is None:
        raise Refusal(404, "ResourceNotFoundException", NOT_SET)
    details = {
        "Name": contact.name,
        "Title": contact.title,
        "EmailAddress": contact.email,
        "PhoneNumber": contact.phone,
    }
    return {"AlternateContact": {**details, "AlternateContactType": contact_type}}


def _put(ask: Ask, target: str, contact_type: str) -> None:
    values = ask.values
    email = strip_email(values["EmailAddress"])
    contact = Contact(values["Name"], values["Title"], email, values["PhoneNumber"])
    ask.world.set_contact(target, contact_type, contact)


def _delete(ask: Ask, target: str, contact_type: str) -> None:
    if ask.world.contact(target, contact_type) is None:
        raise Refusal(404, "ResourceNotFoundException", NOT_SET)
    ask.world.set_contact(target, contact_type, None)


ACTIONS = {"GetAlternateContact": _get, "PutAlternateContact": _put, "DeleteAlternateContact": _delete}
