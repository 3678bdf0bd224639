"""Organizations: trusted access, delegated administrators, and accounts that move, close and leave."""

from dataclasses import replace

from sandbox.ask import Ask
from sandbox.errors import Refusal
from sandbox.pages import invalid_input
from sandbox.records import ACCOUNT_MANAGEMENT
from sandbox.shapes import require_account, require_unit


def _enable_access(ask: Ask) -> None:
    if ask.world.feature_set != "ALL":
        raise Refusal(400, "AccessDeniedException", "You don't have permissions to access this resource.")
    ask.world.set_trusted(_principal(ask), True)


def _disable_access(ask: Ask) -> None:
    ask.world.set_trusted(_principal(ask), False)


def _register_administrator(ask: Ask) -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html."""
    account, principal = require_account(ask), _principal(ask)
    if account.account_id == ask.world.management_id:
        raise _constraint(
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register master account/yourself as delegated administrator for your organization.",
        )
    if principal not in ask.world.trusted:
        raise _constraint(
            "SERVICE_ACCESS_NOT_ENABLED",
            "You must first enable service access for this service principal before registering a "
            "delegated administrator.",
        )
    if ask.world.is_delegated(account.account_id, principal):
        text = "The provided account is already a delegated administrator for your organization."
        raise Refusal(400, "AccountAlreadyRegisteredException", text)
    if principal == ACCOUNT_MANAGEMENT and _has_administrator(ask):
        raise _constraint(
            "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
            "You have exceeded the number of delegated administrators allowed for the service principal.",
        )
    ask.world.set_delegated(account.account_id, principal, True)


def _has_administrator(ask: Ask) -> bool:
    return any(principal == ACCOUNT_MANAGEMENT for _, principal in ask.world.delegated)


def _deregister_administrator(ask: Ask) -> None:
    account, principal = require_account(ask), _principal(ask)
    if not ask.world.is_delegated(account.account_id, principal):
        text = "The provided account is not a registered delegated administrator for your organization."
        raise Refusal(400, "AccountNotRegisteredException", text)
    ask.world.set_delegated(account.account_id, principal, False)


def _move_account(ask: Ask) -> None:
    account = require_account(ask)
    source = require_unit(ask, "SourceParentId", "SourceParentNotFoundException")
    destination = require_unit(ask, "DestinationParentId", "DestinationParentNotFoundException")
    if account.parent_id == destination.unit_id:
        text = "That account is already present in the specified destination."
        raise Refusal(400, "DuplicateAccountException", text)
    if account.parent_id != source.unit_id:
        text = "We can't find a source root or OU with the ParentId that you specified."
        raise Refusal(400, "SourceParentNotFoundException", text)
    ask.world.set_account(replace(account, parent_id=destination.unit_id))


def _close_account(ask: Ask) -> None:
    account = require_account(ask)
    if account.account_id == ask.world.management_id:
        raise _constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You cannot close the management account.")
    if account.state in ("CLOSED", "PENDING_CLOSURE"):
        text = "You attempted to close an account that is already closed."
        raise Refusal(400, "AccountAlreadyClosedException", text)
    ask.world.set_account(replace(account, state="CLOSED"))


def _remove_account(ask: Ask) -> None:
    account = require_account(ask)
    if account.account_id == ask.world.management_id:
        text = "You can't remove a management account from an organization."
        raise Refusal(400, "MasterCannotLeaveOrganizationException", text)
    if ask.world.is_delegated(account.account_id):
        raise _constraint(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            "You must deregister this account as a delegated administrator before you remove it.",
        )
    ask.world.set_account(replace(account, parent_id=None, tags={}))


def _principal(ask: Ask) -> str:
    principal = ask.values.get("ServicePrincipal")
    if not isinstance(principal, str) or not principal.endswith(".amazonaws.com"):
        raise invalid_input("INVALID_PATTERN", "You specified an unrecognized service principal.")
    return principal


def _constraint(reason: str, message: str) -> Refusal:
    return Refusal(400, "ConstraintViolationException", message, Reason=reason)


WRITE_ACTIONS = {
    "EnableAWSServiceAccess": _enable_access,
    "DisableAWSServiceAccess": _disable_access,
    "RegisterDelegatedAdministrator": _register_administrator,
    "DeregisterDelegatedAdministrator": _deregister_administrator,
    "MoveAccount": _move_account,
    "CloseAccount": _close_account,
    "RemoveAccountFromOrganization": _remove_account,
}
