"""How a call can fail, and which failure an error answer means. Keeps no text of AWS: it quotes values."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from portal.causes import Cause


class AwsError(Exception):
    """A call did not succeed. Its text holds no contact value and no secret.

    answered_at: what AWS's clock said, where it answered. policy: which kind of IAM policy refused, where
    AWS said so: "identity", "session", "boundary", or "explicit" for a deny that no allow beats.
    """

    answered_at: datetime | None = None
    policy: str = ""

    def __init__(self, cause: Cause, *, operation: str = "", aws_request_id: str = "") -> None:
        super().__init__(f"{operation}: {cause.label}" if operation else cause.label)
        self.cause = cause
        self.operation = operation
        self.aws_request_id = aws_request_id


class Throttled(AwsError):
    """AWS answered 429: nothing happened, try later."""


class Unavailable(AwsError):
    """No answer, and nothing was sent; or a read that failed on AWS's side. Try later."""


class OutcomeUnknown(AwsError):
    """A write was sent and its answer is lost or was a 5xx: it may or may not have happened.

    answered tells the two apart: True when AWS answered 5xx, False when the connection was lost.
    """

    def __init__(
        self, cause: Cause, *, answered: bool, operation: str = "", aws_request_id: str = ""
    ) -> None:
        super().__init__(cause, operation=operation, aws_request_id=aws_request_id)
        self.answered = answered


class Refused(AwsError):
    """AWS will not do it, and trying again changes nothing."""


class Absent(Refused):
    """AWS says that the thing asked for is not there. The gateway turns it into an answer."""


class Invalid(Refused):
    """AWS rejected a value; field is "name", "title", "email" or "phone" where it could be told, else ""."""

    def __init__(self, *, field: str = "", operation: str = "", aws_request_id: str = "") -> None:
        super().__init__(Cause.INVALID, operation=operation, aws_request_id=aws_request_id)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class ErrorAnswer:
    """An error as AWS sent it. message and fields may quote contact values, so they never leave it."""

    operation: str
    status: int
    code: str
    writes: bool
    aws_request_id: str
    message: str = field(repr=False)
    fields: tuple[str, ...] = field(repr=False, default=())
    answered_at: datetime | None = None


# https://docs.aws.amazon.com/accounts/latest/reference/CommonErrors.html and those of STS and Organizations
_THROTTLED = {"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded"}
_CREDENTIALS_REJECTED = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_ABSENT = {
    "ResourceNotFoundException": Cause.UNEXPECTED,
    "AWSOrganizationsNotInUseException": Cause.NO_ORGANIZATION,
    "AccountNotFoundException": Cause.LEFT,
}
# AccessDeniedException has six meanings that only its text tells apart; the first match counts.
_ACCESS_DENIED = (
    ("standalone context", Cause.STANDALONE_ONLY),
    ("enable trusted access", Cause.TRUSTED_ACCESS_OFF),
    ("invalid alternate contact type", Cause.BAD_TYPE),
    ("service control policy", Cause.SCP_DENIES),
    ("on resource:", Cause.POLICY_DENIES),
)


# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_POLICIES = (
    ("explicit deny", "explicit"),
    ("no identity-based policy", "identity"),
    ("no session policy", "session"),
    ("no permissions boundary", "boundary"),
)


def sort_answer(answer: ErrorAnswer) -> AwsError:
    """The typed error for an error answer of AWS."""
    error = _sort(answer)
    error.answered_at = answer.answered_at
    if error.cause == Cause.POLICY_DENIES:
        text = answer.message.lower()
        error.policy = next((kind for words, kind in _POLICIES if words in text), "")
    return error


def _sort(answer: ErrorAnswer) -> AwsError:
    facts = {"operation": answer.operation, "aws_request_id": answer.aws_request_id}
    throttled = answer.code in _THROTTLED or answer.status == 429
    if answer.operation == "AssumeRole" and (throttled or answer.status >= 500):
        return Unavailable(Cause.UNAVAILABLE, **facts)
    if throttled:
        return Throttled(Cause.THROTTLED, **facts)
    if answer.status >= 500:
        if answer.writes:
            return OutcomeUnknown(Cause.OUTCOME_UNKNOWN, answered=True, **facts)
        return Unavailable(Cause.UNAVAILABLE, **facts)
    if answer.code in _ABSENT:
        return Absent(_ABSENT[answer.code], **facts)
    # Without an error type (an API Gateway answer, measured) botocore gives the HTTP status as the code.
    if answer.code in {"ValidationException", "400"} and answer.operation != "AssumeRole":
        return Invalid(field=guess_field(answer.message, answer.fields), **facts)
    return Refused(_cause_of_refusal(answer), **facts)


def _cause_of_refusal(answer: ErrorAnswer) -> Cause:
    if answer.code in _CREDENTIALS_REJECTED:
        return Cause.CREDENTIALS_REJECTED
    if answer.operation == "AssumeRole":
        return Cause.ROLE_REFUSED
    if answer.status != 403 and not answer.code.startswith("AccessDenied"):
        return Cause.UNEXPECTED
    text = answer.message.lower()
    return next((cause for words, cause in _ACCESS_DENIED if words in text), Cause.NOT_ALLOWED)


_FIELDS = {"name": "name", "title": "title", "emailaddress": "email", "phonenumber": "phone"}
_MAXIMUM = {"64": "name", "50": "title", "254": "email", "25": "phone"}


def guess_field(message: str, fields: tuple[str, ...] = ()) -> str:
    """Which of our fields a ValidationException means, "" if it cannot be told.

    AWS's list of fields is usually missing; the schema's own words (pattern, length, name) give it away.
    """
    if named := [_FIELDS[name.lower()] for name in fields if name.lower() in _FIELDS]:
        return named[0]
    if pattern := re.search(r'regex "(.+?)" does not match', message, re.DOTALL):
        return "email" if "@" in pattern[1] else "phone" if "0-9()" in pattern[1] else ""
    if missing := re.search(r'required properties \(\["(\w+)"', message):
        return _FIELDS.get(missing[1].lower(), "")
    if lengths := re.findall(r"maximum allowed: (\d+)", message):
        return _MAXIMUM.get(lengths[-1], "")
    return ""
