"""THE gateway to AWS, alone with botocore: takes a Caller and values, gives dataclasses and typed errors.

A failed call raises Throttled, Unavailable, OutcomeUnknown (writes only), Refused or Invalid. A call for a
contact is one request, whose quota token was taken before. Organizations: portal/aws_organizations.py.
"""

import logging
import os
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import boto3
from botocore import exceptions, xform_name
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from botocore.session import Session
from django.conf import settings

from portal.aws_errors import Absent, AwsError, ErrorAnswer, OutcomeUnknown, Refused, Unavailable, sort_answer
from portal.aws_errors import Invalid as Invalid
from portal.aws_errors import Throttled as Throttled
from portal.aws_facts import Caller, ContactDetails, Identity, Reading, Receipt, date_of
from portal.aws_facts import as_aws_keeps as as_aws_keeps
from portal.aws_facts import same_contact as same_contact
from portal.causes import Cause

logger = logging.getLogger(__name__)
# At DEBUG botocore writes bodies, and with them contact values, into the log.
logging.getLogger("botocore").setLevel(logging.WARNING)

# Where the one endpoint of Organizations and of Account Management lies; STS has one there too.
REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
}
# A hidden retry of Account Management goes round the quota and turns a delete that worked into "was absent".
ATTEMPTS = {"account": 1, "organizations": 3, "sts": 3, "iam": 3}
CONNECTIONS_KEPT = 256
ROLE_SESSION = "alternate-contacts-portal"
_NOTHING_SENT = (
    exceptions.EndpointConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.ProxyConnectionError,
)
_NO_ANSWER = (exceptions.HTTPClientError, exceptions.ConnectionError, ResponseParserError)
_CREDENTIALS_MISSING = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.ConfigNotFound,
    exceptions.ConfigParseError,
    exceptions.InfiniteLoopConfigError,
)
_CREDENTIALS_REJECTED = (
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.MetadataRetrievalError,
    exceptions.NoAuthTokenError,
    exceptions.SSOError,
    exceptions.LoginError,
)

_LOAD_ANEW = {Cause.CREDENTIALS_MISSING, Cause.CREDENTIALS_REJECTED, Cause.WRONG_ACCOUNT}


class _WrongAccount(exceptions.BotoCoreError):
    fmt = "The credentials belong to another account."


def partition_of(profile: str = "", role_arn: str = "") -> str:
    """The partition that the role names, else that of the region configured for the profile, else "aws"."""
    if role_arn:
        named = role_arn.split(":")[1:2]
        return named[0] if named and named[0] in REGIONS else "aws"
    try:
        session = Session(profile=profile or None)
        region = session.get_config_variable("region")
        return session.get_partition_for_region(region) if region else "aws"
    except exceptions.BotoCoreError as error:
        raise _sort(error, "GetCallerIdentity", writes=False) from None


def who_am_i(caller: Caller) -> Identity:
    """STS GetCallerIdentity: the account that our credentials belong to."""
    answer = call(caller, "sts", "GetCallerIdentity")
    arn = answer["Arn"]
    return Identity(arn.split(":")[1], answer["Account"], arn, date_of(answer["ResponseMetadata"]))


# Alternate contacts. account_id None is the standalone context: the caller's own account.
# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-api-modes-of-operation.html


def get_alternate_contact(caller: Caller, contact_type: str, account_id: str | None) -> Reading:
    """One contact as AWS has it now."""
    try:
        answer = call(caller, "account", "GetAlternateContact", **_target(contact_type, account_id))
    except Absent as absent:
        return Reading(None, absent.aws_request_id)
    kept, request_id = answer.get("AlternateContact"), request_id_of(answer)
    if not kept:
        raise Refused(Cause.UNEXPECTED, operation="GetAlternateContact", aws_request_id=request_id)
    values = (kept.get(key, "") for key in ("Name", "Title", "EmailAddress", "PhoneNumber"))
    return Reading(ContactDetails(*values), request_id)


def put_alternate_contact(
    caller: Caller, contact_type: str, details: ContactDetails, account_id: str | None
) -> Receipt:
    """Write all four values, over whatever was there."""
    answer = call(
        caller,
        "account",
        "PutAlternateContact",
        writes=True,
        Name=details.name,
        Title=details.title,
        EmailAddress=details.email,
        PhoneNumber=details.phone,
        **_target(contact_type, account_id),
    )
    return Receipt(request_id_of(answer))


def delete_alternate_contact(caller: Caller, contact_type: str, account_id: str | None) -> Receipt:
    """Remove the contact; says whether it was absent already."""
    target = _target(contact_type, account_id)
    try:
        answer = call(caller, "account", "DeleteAlternateContact", writes=True, **target)
    except Absent as absent:
        return Receipt(absent.aws_request_id, was_absent=True)
    return Receipt(request_id_of(answer))


def _target(contact_type: str, account_id: str | None) -> dict[str, Any]:
    standalone = {"AlternateContactType": contact_type}
    return standalone if account_id is None else standalone | {"AccountId": account_id}


def request_id_of(answer: dict[str, Any]) -> str:
    return answer["ResponseMetadata"].get("RequestId", "")


def call(
    caller: Caller, service: str, operation: str, *, writes: bool = False, **parameters: Any
) -> dict[str, Any]:
    """One request, and the SDK's retries where ATTEMPTS allows them; raises nothing but an AwsError.

    Parameters and answer are what the service model says, hence Any.
    """
    outcome = _attempt(caller, service, operation, writes, parameters)
    if not isinstance(outcome, AwsError):
        return outcome
    if outcome.cause in _LOAD_ANEW:
        _forget(caller)
    if not isinstance(outcome, Absent):
        where = parameters.get("AccountId") or caller.key
        logger.warning("%s of %s: %s (request %s)", operation, where, outcome.cause, outcome.aws_request_id)
    # Outside of any except block: a chained botocore error would carry AWS's text, which quotes values.
    raise outcome


def _attempt(
    caller: Caller, service: str, operation: str, writes: bool, parameters: dict[str, Any]
) -> dict[str, Any] | AwsError:
    try:
        # Credentials first: what fails there (AssumeRole included) has sent nothing, even for a write.
        connection = _connection(caller)
        client = connection.client(service)
        if service == "account":
            connection.require_account()
    except (exceptions.BotoCoreError, exceptions.ClientError, ResponseParserError) as error:
        return _sort(error, operation, writes=False)
    try:
        return getattr(client, xform_name(operation))(**parameters)
    except (exceptions.BotoCoreError, exceptions.ClientError, ResponseParserError) as error:
        return _sort(error, operation, writes=writes)


def _sort(error: Exception, operation: str, *, writes: bool) -> AwsError:
    if isinstance(error, exceptions.ClientError):
        return sort_answer(_error_answer(error, operation, writes))
    if isinstance(error, _WrongAccount):
        return Refused(Cause.WRONG_ACCOUNT, operation=operation)
    if isinstance(error, _CREDENTIALS_MISSING):
        return Refused(Cause.CREDENTIALS_MISSING, operation=operation)
    if isinstance(error, _CREDENTIALS_REJECTED):
        return Refused(Cause.CREDENTIALS_REJECTED, operation=operation)
    if isinstance(error, _NOTHING_SENT) or (isinstance(error, _NO_ANSWER) and not writes):
        return Unavailable(Cause.UNAVAILABLE, operation=operation)
    if isinstance(error, exceptions.ParamValidationError) or not writes:
        return Refused(Cause.UNEXPECTED, operation=operation)
    return OutcomeUnknown(Cause.OUTCOME_UNKNOWN, answered=False, operation=operation)


def _error_answer(error: exceptions.ClientError, operation: str, writes: bool) -> ErrorAnswer:
    said, facts = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    return ErrorAnswer(
        operation="AssumeRole" if error.operation_name == "AssumeRole" else operation,
        status=facts.get("HTTPStatusCode", 0),
        code=str(said.get("Code", "")),
        writes=writes,
        aws_request_id=facts.get("RequestId", ""),
        message=str(said.get("Message", "")),
        fields=tuple(str(field.get("name", "")) for field in error.response.get("fieldList") or []),
        answered_at=date_of(facts),
    )


# Credentials and clients of this process


class _Connection:
    """A caller's credentials and the clients made with them; both are safe to share between threads."""

    def __init__(self, caller: Caller) -> None:
        self._region = REGIONS[caller.partition]
        # A session of its own costs 0.3 MB when the service models are shared, and 7 MB when they are not.
        core = Session(profile=caller.profile or None)
        core.register_component("data_loader", _loader)
        if caller.role_arn:
            core.register_component("credential_provider", _AssumedRole(caller))
        self._session = boto3.Session(botocore_session=core)
        self._credentials = core.get_credentials()
        if self._credentials is None:
            raise exceptions.NoCredentialsError
        self._account_id = caller.account_id
        self._clients: dict[str, Any] = {}  # botocore makes its client classes at run time

    def client(self, service: str) -> Any:
        self._credentials.get_frozen_credentials()
        with _lock:
            if service not in self._clients:
                config = _config(ATTEMPTS[service])
                self._clients[service] = self._session.client(service, self._region, config=config)
            return self._clients[service]

    def require_account(self) -> None:
        """Swapped credentials would make a call without AccountId land in another account."""
        expected = self._account_id  # read once: another thread may have its answer meanwhile
        if expected and self.client("sts").get_caller_identity()["Account"] != expected:
            raise _WrongAccount
        self._account_id = ""  # asked once for each set of clients


class _AssumedRole:
    """Credentials for botocore: assumes the role when first needed, and anew before the hour is over."""

    def __init__(self, caller: Caller) -> None:
        self._source = Caller(partition=caller.partition, profile=caller.profile)
        # With less than 1,000 seconds botocore would assume the role anew for every call.
        self._request = {"RoleArn": caller.role_arn, "RoleSessionName": ROLE_SESSION, "DurationSeconds": 3600}
        if caller.external_id:
            self._request["ExternalId"] = caller.external_id

    def load_credentials(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._assume, "assume-role")

    def _assume(self) -> dict[str, str]:
        given = _connection(self._source).client("sts").assume_role(**self._request)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }


def _config(attempts: int) -> Config:
    return Config(
        # Named, because legacy mode is the default here and its settings leak from one client into the next.
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=settings.AWS_CONNECT_TIMEOUT,
        read_timeout=settings.AWS_READ_TIMEOUT,
        max_pool_connections=64,
        tcp_keepalive=True,
    )


_loader = create_loader()
_lock = threading.RLock()
_connections: OrderedDict[Caller, _Connection] = OrderedDict()  # the one used last is last


def _connection(caller: Caller) -> _Connection:
    with _lock:
        connection = _connections.pop(caller, None) or _Connection(caller)
        _connections[caller] = connection
        if len(_connections) > CONNECTIONS_KEPT:
            _connections.popitem(last=False)
        return connection


def _forget(caller: Caller) -> None:
    """Load the credentials anew next time: those of the role and those that assume it."""
    with _lock:
        _connections.pop(caller, None)
        _connections.pop(replace(caller, account_id="", role_arn="", external_id=""), None)


def forget_clients() -> None:
    """Drop all clients and credentials of this process."""
    with _lock:
        _connections.clear()


def _start_over() -> None:
    # A forked child must not share sockets, nor a lock that another thread held.
    global _lock
    _lock = threading.RLock()
    _connections.clear()


os.register_at_fork(after_in_child=_start_over)
