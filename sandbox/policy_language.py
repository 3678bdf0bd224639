"""IAM's policy language, as far as policies about contacts need it; anything else is malformed. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

ALLOWED, IMPLICIT_DENY, EXPLICIT_DENY = "allowed", "implicitDeny", "explicitDeny"
Document = dict[str, Any]  # Any: JSON, checked by parse()

_OPERATORS = {
    "StringEquals": "equals",
    "StringNotEquals": "equals",
    "StringLike": "like",
    "StringNotLike": "like",
    "ArnEquals": "arn",
    "ArnNotEquals": "arn",
    "ArnLike": "arn",
    "ArnNotLike": "arn",
}
_ELEMENTS = {"Sid", "Effect", "Action", "Condition"}
_SID = re.compile(r"[A-Za-z0-9]*")


class Malformed(ValueError):
    """No policy that this language can say; the text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to do; keys are the condition keys that the call has, each with its values."""

    action: str
    resource: str
    keys: Mapping[str, list[str]] = field(default_factory=dict)


def parse(text: str, *, names_principals: bool = False) -> Document:
    """The policy in this text; raises Malformed. Trust policies name principals in place of resources."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Malformed("Syntax errors in policy.") from error
    if not isinstance(document, dict) or document.get("Version") != "2012-10-17":
        raise Malformed("The policy needs the Version 2012-10-17.")
    if document.keys() - {"Version", "Id", "Statement"}:
        raise Malformed("Syntax errors in policy.")
    statements = _listed(document.get("Statement"))
    if not statements:
        raise Malformed("Policy statement must contain at least one statement.")
    for statement in statements:
        _check(statement, "Principal" if names_principals else "Resource")
    _check_sids(statements)
    return document


def decide(documents: Iterable[Document], request: Request) -> str:
    """An explicit deny beats every allow; what nobody allows is denied."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _listed(document["Statement"])
        if _applies(statement, request)
    }
    if "Deny" in effects:
        return EXPLICIT_DENY
    return ALLOWED if "Allow" in effects else IMPLICIT_DENY


def trusts(document: Document, principal_arn: str, request: Request) -> bool:
    """Whether a trust policy lets this principal make the request."""
    statements = [
        statement
        for statement in _listed(document["Statement"])
        if any(_is_principal(name, principal_arn) for name in _listed(statement["Principal"]["AWS"]))
    ]
    return decide([{"Statement": [{**one, "Resource": "*"} for one in statements]}], request) == ALLOWED


def _check(statement: Any, target: str) -> None:  # Any: JSON
    if not isinstance(statement, dict) or statement.keys() - (_ELEMENTS | {target}):
        raise Malformed("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny") or not _SID.fullmatch(statement.get("Sid", "")):
        raise Malformed("Syntax errors in policy.")
    actions, said = statement.get("Action"), statement.get(target)
    if not _are_words(actions) or not all(":" in one or one == "*" for one in _listed(actions)):
        raise Malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if target == "Principal":
        said = said.get("AWS") if isinstance(said, dict) else None
    if not _are_words(said):
        raise Malformed(f"The statement needs a {target}.")
    for operator, wanted in statement.get("Condition", {}).items():
        _check_condition(operator, wanted)


def _check_condition(operator: str, wanted: Any) -> None:  # Any: JSON
    quantifier, _, name = operator.rpartition(":")
    if name not in _OPERATORS or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise Malformed(f"Invalid Condition type : {operator}.")
    if not isinstance(wanted, dict) or not all(map(_are_words, wanted.values())):
        raise Malformed("Syntax errors in policy.")


def _check_sids(statements: list[dict[str, Any]]) -> None:  # Any: JSON
    sids = [statement["Sid"] for statement in statements if "Sid" in statement]
    if len(sids) != len(set(sids)):
        raise Malformed("Statement IDs (SID) in a single policy must be unique.")


def _are_words(value: Any) -> bool:  # Any: JSON
    return bool(value) and all(isinstance(one, str) and one for one in _listed(value))


def _listed(value: Any) -> list[Any]:  # Any: JSON; one thing may stand without its list
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _applies(statement: dict[str, Any], request: Request) -> bool:  # Any: JSON
    action, resource = request.action.lower(), request.resource
    if not any(_like(one.lower(), action) for one in _listed(statement["Action"])):
        return False
    if not any(_arn_like(one, resource) for one in _listed(statement["Resource"])):
        return False
    return all(
        _holds(operator, _listed(values), _values(request, key))
        for operator, wanted in statement.get("Condition", {}).items()
        for key, values in wanted.items()
    )


def _values(request: Request, key: str) -> list[str]:
    """Names of condition keys have no case."""
    return next((values for name, values in request.keys.items() if name.lower() == key.lower()), [])


def _holds(operator: str, wanted: list[str], present: list[str]) -> bool:
    """Absent keys: ForAllValues holds, ForAnyValue does not, a plain operator only where it negates."""
    quantifier, _, name = operator.rpartition(":")
    negates, matches = "Not" in name, _MATCHES[_OPERATORS[name]]
    verdicts = [any(matches(one, value) for one in wanted) != negates for value in present]
    if quantifier == "ForAllValues":
        return all(verdicts)
    if quantifier == "ForAnyValue":
        return any(verdicts)
    return (all(verdicts) if negates else any(verdicts)) if verdicts else negates


def _arn_like(pattern: str, value: str) -> bool:
    """Each of the six parts by itself, so that a wildcard ends at its colon; only "*" alone is everything."""
    if pattern == "*":
        return True
    parts, values = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(values) and all(map(_like, parts, values))


def _like(pattern: str, value: str) -> bool:
    return _regex(pattern).fullmatch(value) is not None


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(sign, re.escape(sign)) for sign in pattern), re.DOTALL)


def _is_principal(name: str, arn: str) -> bool:
    """An account's number or root stands for everybody in it whom a policy there lets."""
    account_id = arn.split(":")[4]
    return name in (arn, account_id) or (name.split(":")[4:] == [account_id, "root"])


_MATCHES = {"equals": str.__eq__, "like": _like, "arn": _arn_like}
