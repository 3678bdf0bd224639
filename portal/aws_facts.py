"""What goes into the gateway to AWS and what comes out of it: plain values, no behaviour of AWS."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


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


# AWS's patterns are ECMA 262, whose white space is not Python's.
_SPACE = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def as_aws_keeps(details: ContactDetails) -> ContactDetails:
    """What a read returns after these details were written: AWS strips the e-mail address, and only that.

    Measured on 2026-09-12: spaces around name, title and phone came back as they were sent.
    """
    email = details.email.strip(_SPACE)
    return details if email == details.email else replace(details, email=email)


def same_contact(one: ContactDetails | None, other: ContactDetails | None) -> bool:
    """Whether AWS would keep the two as the same value; None is "not set"."""
    if one is None or other is None:
        return one is other
    return as_aws_keeps(one) == as_aws_keeps(other)


@dataclass(frozen=True)
class Identity:
    """Who we are (STS GetCallerIdentity), and what AWS's clock said when it answered."""

    partition: str
    account_id: str
    arn: str
    answered_at: datetime | None = field(default=None, compare=False)


def date_of(metadata: dict[str, Any]) -> datetime | None:
    """AWS's clock, by the Date header of an answer; None where the answer has none."""
    try:
        return parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
    except (KeyError, TypeError, ValueError):
        return None


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
    """A member account; unit_path is its parent's path, "" where AWS sent no Paths.

    has_state: AWS sent State, and not only the Status that it is retiring.
    """

    aws_id: str
    name: str
    email: str
    state: str
    unit_path: str
    joined_at: datetime | None
    has_state: bool = True


def account_facts(account: dict[str, Any], unit_path: str = "") -> AccountFacts:
    """An Account of AWS Organizations; any of its members but the id may be missing.

    State replaces Status, which is being retired:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
    """
    joined_at = account.get("JoinedTimestamp")
    return AccountFacts(
        aws_id=account["Id"],
        name=account.get("Name", ""),
        email=account.get("Email", ""),
        state=account.get("State") or account.get("Status") or "UNKNOWN",
        unit_path=unit_path or _parent_path(account.get("Paths") or []),
        joined_at=joined_at and joined_at.astimezone(UTC),
        has_state="State" in account,
    )


def _parent_path(paths: list[str]) -> str:
    """What lies in "o-1/r-ab12/ou-ab12-1/123456789012/" has the parent "r-ab12/ou-ab12-1/"."""
    steps = paths[0].strip("/").split("/")[1:-1] if paths else []
    return "".join(f"{step}/" for step in steps)


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
