"""THE gateway to AWS: the only place that imports boto3. Takes a Caller and plain values, gives dataclasses and typed errors."""

from dataclasses import dataclass
from datetime import datetime

from portal.causes import Cause


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whose credentials make a call: boto3's own chain, a named profile, or a role assumed from either."""

    partition: str = "aws"
    account_id: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""

    @property
    def key(self) -> str:
        """Partition and account: what AWS counts quotas by."""
        return f"{self.partition}:{self.account_id}"


@dataclass(frozen=True)
class ContactDetails:
    """The four values of an alternate contact, raw as AWS holds them.

    https://docs.aws.amazon.com/accounts/latest/reference/API_AlternateContact.html
    """

    name: str
    title: str
    email: str
    phone: str


@dataclass(frozen=True)
class Identity:
    """Who we are (STS GetCallerIdentity)."""

    partition: str
    account_id: str
    arn: str


@dataclass(frozen=True)
class OrganizationFacts:
    """DescribeOrganization. aws_id is "o-…"."""

    aws_id: str
    management_account_id: str
    feature_set: str


@dataclass(frozen=True)
class UnitFacts:
    """A root or an organizational unit; path is "r-ab12/ou-ab12-1/", its own id included."""

    aws_id: str
    name: str
    parent_id: str | None
    path: str


@dataclass(frozen=True)
class AccountFacts:
    """A member account; unit_path is its parent's path, "" where AWS sent no Paths."""

    aws_id: str
    name: str
    email: str
    state: str
    unit_path: str
    joined_at: datetime | None


@dataclass(frozen=True)
class Reading:
    """Answer to GetAlternateContact: None is AWS's 404, "not set"."""

    details: ContactDetails | None
    aws_request_id: str


@dataclass(frozen=True)
class Receipt:
    """Answer to a Put or Delete. was_absent: the contact to delete was not there."""

    aws_request_id: str
    was_absent: bool = False


class AwsError(Exception):
    """A call did not succeed. Its text holds no contact value and no secret."""

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


class Invalid(Refused):
    """AWS rejected a value; field is "name", "title", "email" or "phone" where it could be told, else ""."""

    def __init__(self, *, field: str = "", operation: str = "", aws_request_id: str = "") -> None:
        super().__init__(Cause.INVALID, operation=operation, aws_request_id=aws_request_id)
        self.field = field
