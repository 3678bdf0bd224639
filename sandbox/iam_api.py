"""IAM: the policy simulator, inline policies of users and roles, and roles with their trust policies."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox import authorization, policy_language
from sandbox.ask import Ask
from sandbox.callers import USERS
from sandbox.errors import Refusal
from sandbox.policy_language import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Malformed, Request

ENTITY = re.compile(
    r"arn:(?P<partition>[\w-]+):iam::(?P<account_id>\d{12}):(?P<kind>user|role)/(?:.*/)?(?P<name>[\w+=,.@-]+)"
)
NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
CONTEXT_TYPES = ("string", "stringList")  # the simulator knows more; calls about contacts have no others
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, white space not counted
LONGEST = {"user": 2048, "role": 10_240}
DECISIONS = {"": ALLOWED, authorization.IDENTITY: IMPLICIT_DENY}


def perform(ask: Ask) -> dict[str, Any] | None:  # Any: nested texts
    """Answer one operation."""
    return ACTIONS[ask.operation](ask)


def _simulate(ask: Ask) -> dict[str, Any]:  # Any: nested texts
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html."""
    source = _required(ask, "PolicySourceArn")
    entity = ENTITY.fullmatch(source)
    if not entity:
        raise _invalid(f"Invalid Entity Arn: {source} does not clearly define entity type and name.")
    _require_allowed(ask, source)
    if entity["account_id"] != ask.caller.account_id:
        raise _access_denied(ask, source, authorization.IDENTITY)
    _require_entity(ask, entity["kind"], entity["name"])
    keys = dict(_context_entries(ask))
    actions, resources = _members(ask, "ActionNames"), _members(ask, "ResourceArns") or ["*"]
    if not actions:
        raise _validation("Value at 'actionNames' failed to satisfy constraint: Member must not be null")
    principal = f"{entity['kind']}/{entity['name']}"
    requests = [Request(action, resource, keys) for action in actions for resource in resources]
    return {"EvaluationResults": [_result(ask, principal, one) for one in requests], "IsTruncated": "false"}


def _result(ask: Ask, principal: str, request: Request) -> dict[str, Any]:  # Any: nested texts
    account_id = ask.caller.account_id
    kind = authorization.denial(ask.world, account_id, principal, request)
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": DECISIONS.get(kind, EXPLICIT_DENY),
        "MatchedStatements": [],
        "MissingContextValues": [],
    }
    if ask.world.is_member(account_id):
        allowed = "false" if kind == authorization.SCP else "true"
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
    return result


def _context_entries(ask: Ask) -> list[tuple[str, list[str]]]:
    found = []
    for number in range(1, 51):
        prefix = f"ContextEntries.member.{number}"
        name = ask.values.get(f"{prefix}.ContextKeyName")
        if name is None:
            break
        kind = ask.values.get(f"{prefix}.ContextKeyType")
        values = _members(ask, f"{prefix}.ContextKeyValues")
        if kind not in CONTEXT_TYPES or not values or (kind == "string" and len(values) > 1):
            raise _invalid(f"Invalid context entry {name}.")
        found.append((name, values))
    return found


def _put_policy(kind: str) -> Callable[[Ask], None]:
    def put(ask: Ask) -> None:
        """Attach an inline policy; from the first one on the principal may do what its policies allow."""
        name, policy = _entity_name(ask, kind), _policy_name(ask)
        text = _document(ask, "PolicyDocument")
        if len("".join(text.split())) > LONGEST[kind]:
            message = f"Maximum policy size of {LONGEST[kind]} bytes exceeded for {kind} {name}"
            raise Refusal(409, "LimitExceeded", message)
        ask.world.set_policy(ask.caller.account_id, f"{kind}/{name}", policy, text)

    return put


def _delete_policy(kind: str) -> Callable[[Ask], None]:
    def delete(ask: Ask) -> None:
        """Take an inline policy off again."""
        name, policy = _entity_name(ask, kind), _policy_name(ask)
        if not ask.world.has_policy(ask.caller.account_id, f"{kind}/{name}", policy):
            raise _not_found(f"The {kind} policy with name {policy} cannot be found.")
        ask.world.set_policy(ask.caller.account_id, f"{kind}/{name}", policy, None)

    return delete


def _create_role(ask: Ask) -> dict[str, Any]:  # Any: nested texts
    name = _required(ask, "RoleName")
    if not ROLE_NAME.fullmatch(name):
        raise _validation("Value at 'roleName' failed to satisfy constraint")
    account_id = ask.caller.account_id
    arn = f"arn:{ask.world.partition}:iam::{account_id}:role/{name}"
    _require_allowed(ask, arn)
    trust = _document(ask, "AssumeRolePolicyDocument", names_principals=True)
    account = ask.world.accounts[account_id]
    if name in account.roles:
        raise Refusal(409, "EntityAlreadyExists", f"Role with name {name} already exists.")
    ask.world.set_account(replace(account, roles={**account.roles, name: None}))
    ask.world.set_trust(account_id, name, trust)
    return {"Role": {"Path": "/", "RoleName": name, "RoleId": f"AROASANDBOX{account_id}", "Arn": arn}}


def _update_trust(ask: Ask) -> None:
    name = _entity_name(ask, "role")
    ask.world.set_trust(ask.caller.account_id, name, _document(ask, "PolicyDocument", names_principals=True))


def _document(ask: Ask, field: str, *, names_principals: bool = False) -> str:
    text = _required(ask, field)
    try:
        policy_language.parse(text, names_principals=names_principals)
    except Malformed as error:
        raise Refusal(400, "MalformedPolicyDocument", str(error)) from error
    return json.dumps(json.loads(text), separators=(",", ":"))


def _entity_name(ask: Ask, kind: str) -> str:
    """The user or role that the call names, once it is known to be there and may be changed."""
    name = _required(ask, f"{kind.title()}Name")
    _require_allowed(ask, f"arn:{ask.world.partition}:iam::{ask.caller.account_id}:{kind}/{name}")
    _require_entity(ask, kind, name)
    return name


def _require_entity(ask: Ask, kind: str, name: str) -> None:
    known = USERS.values() if kind == "user" else ask.world.accounts[ask.caller.account_id].roles
    if name not in known:
        raise _not_found(f"The {kind} with name {name} cannot be found.")


def _policy_name(ask: Ask) -> str:
    name = _required(ask, "PolicyName")
    if not NAME.fullmatch(name):
        raise _validation("Value at 'policyName' failed to satisfy constraint")
    return name


def _require_allowed(ask: Ask, resource: str) -> None:
    request = Request(f"iam:{ask.operation}", resource)
    kind = authorization.denial(ask.world, ask.caller.account_id, ask.caller.principal, request)
    kind = kind or ("identity" if ask.switches.denies_everywhere(ask.operation) else "")
    if kind:
        raise _access_denied(ask, resource, kind)


def _access_denied(ask: Ask, resource: str, kind: str) -> Refusal:
    action = f"iam:{ask.operation}"
    why = {
        authorization.IDENTITY: f"because no identity-based policy allows the {action} action",
        authorization.EXPLICIT: "with an explicit deny in an identity-based policy",
        authorization.SCP: "with an explicit deny in a service control policy",
    }[kind]
    text = f"User: {ask.caller.arn} is not authorized to perform: {action} on resource: {resource} {why}"
    return Refusal(403, "AccessDenied", text)


def _members(ask: Ask, field: str) -> list[str]:
    """The query protocol counts what is in a list."""
    found: list[str] = []
    while (value := ask.values.get(f"{field}.member.{len(found) + 1}")) is not None:
        found.append(value)
    return found


def _required(ask: Ask, field: str) -> str:
    value = ask.values.get(field)
    if not value:
        name = field[:1].lower() + field[1:]
        raise _validation(f"Value null at '{name}' failed to satisfy constraint: Member must not be null")
    return value


def _validation(what: str) -> Refusal:
    return Refusal(400, "ValidationError", f"1 validation error detected: {what}")


def _invalid(message: str) -> Refusal:
    return Refusal(400, "InvalidInput", message)


def _not_found(message: str) -> Refusal:
    return Refusal(404, "NoSuchEntity", message)


ACTIONS: dict[str, Callable[[Ask], dict[str, Any] | None]] = {
    "SimulatePrincipalPolicy": _simulate,
    "PutUserPolicy": _put_policy("user"),
    "PutRolePolicy": _put_policy("role"),
    "DeleteUserPolicy": _delete_policy("user"),
    "DeleteRolePolicy": _delete_policy("role"),
    "CreateRole": _create_role,
    "UpdateAssumeRolePolicy": _update_trust,
}
OPERATIONS = tuple(ACTIONS)
WRITES = frozenset(ACTIONS) - {"SimulatePrincipalPolicy"}
