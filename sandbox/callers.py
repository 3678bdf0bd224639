"""Who is asking: read from the access key id in the SigV4 header; the signature itself is not checked."""

import re
from datetime import UTC, datetime

from sandbox.ask import Caller
from sandbox.errors import Refusal
from sandbox.records import Account
from sandbox.wire import IAM, ORGANIZATIONS, STS
from sandbox.world import World

KEY_PREFIX = "SANDBOX"
USERS = {"": "portal", "ADMIN": "admin"}  # by what follows the account in the access key
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key_id>[^/,\s]+)/\d{8}/[\w-]+/[\w-]+/aws4_request, ?"
    r"SignedHeaders=[\w;-]+, ?Signature=[0-9a-f]{64}"
)
# https://docs.aws.amazon.com/accounts/latest/APIReference/CommonErrors.html; STS has shorter names
MISSING = (
    "MissingAuthenticationTokenException",
    "MissingAuthenticationToken",
    "Missing Authentication Token",
)
INCOMPLETE = (
    "IncompleteSignatureException",
    "IncompleteSignature",
    "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' "
    "parameter. Authorization header requires 'SignedHeaders' parameter.",
)
UNKNOWN = (
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "The security token included in the request is invalid.",
)
SKEWED = ("InvalidSignatureException", "SignatureDoesNotMatch", "Signature expired or not yet current")
LATEST_SIGNATURE_SECONDS = 300
EXPIRED = ("ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired")


def identify(world: World, headers: dict[str, str], service: str) -> Caller:
    """Find the principal behind the access key, or refuse as AWS's front door does."""
    authorization = headers.get("authorization")
    if not authorization:
        raise _refusal(service, MISSING)
    match = AUTHORIZATION.fullmatch(authorization)
    if not match:
        raise _refusal(service, INCOMPLETE)
    key_id = match["key_id"]
    if key_id in world.sessions:
        return _session_caller(world, key_id, headers.get("x-amz-security-token"), service)
    return _user_caller(world, key_id, service)


def _user_caller(world: World, key_id: str, service: str) -> Caller:
    account_id, user = key_id.removeprefix(KEY_PREFIX)[:12], key_id.removeprefix(KEY_PREFIX)[12:]
    if not key_id.startswith(KEY_PREFIX) or not _can_act(world.accounts.get(account_id)) or user not in USERS:
        raise _refusal(service, UNKNOWN)
    arn = f"arn:{world.partition}:iam::{account_id}:user/{USERS[user]}"
    return Caller(account_id, arn, f"AIDA{key_id}")


def _session_caller(world: World, key_id: str, token: str | None, service: str) -> Caller:
    session = world.sessions[key_id]
    if token != session.token or not _can_act(world.accounts.get(session.account_id)):
        raise _refusal(service, UNKNOWN)
    if session.expires_at <= world.clock():
        raise _refusal(service, EXPIRED)
    return Caller(session.account_id, session.arn, session.user_id, is_session=True)


def require_clock(headers: dict[str, str], now: float, service: str) -> None:
    """Refuse a signature whose time is five minutes off, as AWS does.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
    """
    try:
        signed = datetime.strptime(headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _refusal(service, INCOMPLETE) from None
    if abs(signed.timestamp() - now) > LATEST_SIGNATURE_SECONDS:
        raise _refusal(service, SKEWED)


def _can_act(account: Account | None) -> bool:
    return account is not None and account.can_act


def _refusal(service: str, problem: tuple[str, str, str]) -> Refusal:
    code, sts_code, message = problem
    # Organizations gives every fault of the client the status 400
    status = 400 if service == ORGANIZATIONS else 403
    return Refusal(status, sts_code if service in (STS, IAM) else code, message)
