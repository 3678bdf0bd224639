"""STS: who am I, and temporary credentials for a role."""

import re
import secrets
import string
from datetime import UTC, datetime
from typing import Any

from sandbox import authorization, policy_language
from sandbox.ask import Ask
from sandbox.errors import Refusal
from sandbox.policy_language import Request
from sandbox.records import Session

ROLE_ARN = re.compile(
    r"arn:(?P<partition>[\w-]+):iam::(?P<account_id>\d{12}):role/(?:.*/)?(?P<name>[\w+=,.@-]+)"
)
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
SHORTEST, LONGEST, LONGEST_CHAINED = 900, 43_200, 3_600
KEY_ALPHABET = string.ascii_uppercase + "234567"


def perform(ask: Ask) -> dict[str, Any]:  # Any: nested texts
    """Answer one operation."""
    return ACTIONS[ask.operation](ask)


def _get_caller_identity(ask: Ask) -> dict[str, Any]:  # Any: nested texts
    return {"Arn": ask.caller.arn, "UserId": ask.caller.user_id, "Account": ask.caller.account_id}


def _assume_role(ask: Ask) -> dict[str, Any]:  # Any: nested texts
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html."""
    role_arn, session_name = ask.values.get("RoleArn", ""), ask.values.get("RoleSessionName", "")
    match = ROLE_ARN.fullmatch(role_arn)
    if not match:
        raise _invalid(f"{role_arn} is invalid")
    if not SESSION_NAME.fullmatch(session_name):
        raise _constraint("roleSessionName", session_name, r"satisfy regular expression pattern: [\w+=,.@-]*")
    seconds = _duration(ask)
    if not _may_assume(ask, match):
        text = f"User: {ask.caller.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        raise Refusal(403, "AccessDenied", text)
    session, secret = _new_session(ask, match["account_id"], f"{match['name']}/{session_name}", seconds)
    return {
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        "Credentials": {
            "AccessKeyId": session.key_id,
            "SecretAccessKey": secret,
            "SessionToken": session.token,
            "Expiration": datetime.fromtimestamp(session.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }


def _may_assume(ask: Ask, role: re.Match[str]) -> bool:
    account = ask.world.accounts.get(role["account_id"])
    if role["partition"] != ask.world.partition or account is None or not account.can_act:
        return False
    if role["name"] not in account.roles:
        return False
    external_id = ask.values.get("ExternalId")
    keys = {"sts:ExternalId": [external_id]} if external_id else {}
    request = Request("sts:AssumeRole", role.string, keys)
    if authorization.denial(ask.world, ask.caller.account_id, ask.caller.principal, request):
        return False
    trust = ask.world.trusts.get((role["account_id"], role["name"]))
    if trust:
        mine = f"arn:{ask.world.partition}:iam::{ask.caller.account_id}:{ask.caller.principal}"
        return policy_language.trusts(trust, mine, request)
    wanted = account.roles[role["name"]]
    return wanted is None or external_id == wanted


def _duration(ask: Ask) -> int:
    text = ask.values.get("DurationSeconds", "3600")
    seconds = int(text) if text.isascii() and text.isdigit() else 0
    if seconds < SHORTEST:
        raise _constraint("durationSeconds", text, f"have value greater than or equal to {SHORTEST}")
    if seconds > LONGEST:
        raise _constraint("durationSeconds", text, f"have value less than or equal to {LONGEST}")
    if ask.caller.is_session and seconds > LONGEST_CHAINED:
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
            "chaining"
        )
    return seconds


def _new_session(ask: Ask, account_id: str, who: str, seconds: int) -> tuple[Session, str]:
    session = Session(
        key_id="ASIA" + "".join(secrets.choice(KEY_ALPHABET) for _ in range(16)),
        token=secrets.token_urlsafe(96),
        account_id=account_id,
        arn=f"arn:{ask.world.partition}:sts::{account_id}:assumed-role/{who}",
        user_id=f"AROASANDBOX{account_id}:{who.rpartition('/')[2]}",
        expires_at=ask.world.clock() + seconds,
    )
    ask.world.set_session(session)
    return session, secrets.token_urlsafe(30)


def _invalid(message: str) -> Refusal:
    return Refusal(400, "ValidationError", message)


def _constraint(name: str, value: str, rule: str) -> Refusal:
    return _invalid(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must {rule}"
    )


ACTIONS = {"GetCallerIdentity": _get_caller_identity, "AssumeRole": _assume_role}
OPERATIONS = tuple(ACTIONS)
WRITES = frozenset[str]()
