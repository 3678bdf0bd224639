"""One visit of the doctor: who we are, in which organization, and what AWS says of both."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

from django.utils import timezone

from audit.context import Context
from orgs import mends, policies, policy_kit
from orgs.checks import Mend, Status
from orgs.connecting import update_view
from orgs.mends import Case
from orgs.models import Organization, Standing
from orgs.pace import pace
from orgs.policies import Needs
from orgs.standing import View, look
from portal import aws, aws_organizations, quota
from portal.aws import AwsError, Refused, Throttled
from portal.aws_facts import AccountFacts, Caller, Identity
from portal.aws_organizations import SERVICE_PRINCIPAL, Take
from portal.causes import Cause

# AWS refuses signatures that are five minutes off:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
REFUSED_SKEW_SECONDS, LARGE_SKEW_SECONDS = 300, 30
# These say nothing about the set-up: ask again later.
PASSING = {Cause.THROTTLED, Cause.UNAVAILABLE, Cause.NO_QUOTA, Cause.NOT_READ_YET}
# AWS weighs these only for callers that it takes for an administrator.
_ADMINISTRATORS_ONLY = {Cause.TRUSTED_ACCESS_OFF, Cause.POLICY_DENIES, Cause.SCP_DENIES}
MAY_NOT_LIST = "We may not list delegated administrators."


@dataclass(frozen=True)
class Answer:
    """What a question found."""

    detail: str
    status: Status = Status.OK
    cause: str = ""
    mend: Mend = field(default_factory=lambda: Mend(""))
    found: dict[str, str] = field(default_factory=dict)


class Examination:
    """Asks AWS each thing once. A question gives its Answer, or raises AwsError."""

    def __init__(self, organization: Organization, context: Context) -> None:
        self.organization, self.context = organization, context
        self.caller = organization.caller
        self.take: Take = pace(self.caller, lane=quota.Lane.CHECK, organization_id=organization.aws_id)
        self.found: dict[str, str] = {}
        self.skew_seconds: float | None = None

    @cached_property
    def view(self) -> View:
        """The organization as our credentials see it."""
        view = look(self.caller, self.take)
        if view is None:
            raise Refused(Cause.NO_ORGANIZATION)
        return view

    @cached_property
    def first_accounts(self) -> list[AccountFacts]:
        """The first of the organization's accounts, as many as a page holds."""
        accounts = aws_organizations.list_accounts(self.caller, self.take)
        return list(islice(accounts, aws_organizations.PAGE))

    @property
    def needs(self) -> Needs:
        """What the policies are made from, with what this visit found in place of what the last one did."""
        needs = policy_kit.needs_of(self.organization)
        principal = self.found.get(policy_kit.PRINCIPAL, needs.principal)
        base = self.found.get(policy_kit.BASE, needs.base)
        return replace(needs, principal=self.organization.role_arn or principal, base=base)

    def case(self, **known: Any) -> Case:  # Any: fields of a Case
        """What is known, for the one who mends."""
        needs = self.needs
        usual = {"entity": needs.principal, "policy": policies.identity_policy(needs)}
        return Case(needs=needs, connect=connecting_command(self.organization), **(usual | known))

    def trouble(self, error: AwsError, detail: str = "", **known: Any) -> Answer:  # Any: fields of a Case
        """The answer of a question that AWS did not like."""
        if isinstance(error, Throttled):
            quota.slow_down(self.caller.key, error.operation)
        status = Status.UNKNOWN if error.cause in PASSING else Status.FAILING
        case = self.case(policy_kind=error.policy, **known)
        mend = mends.mend_for(error.cause, case)
        return Answer(detail or error.cause.label, status, error.cause.value, mend)

    def may_not(self, detail: str, status: Status = Status.FAILING) -> Answer:
        """AWS Organizations refuses without a reason; since we are administrator, it is a policy."""
        return Answer(detail, status, Cause.POLICY_DENIES.value, mends.allowing(self.case()))


def credentials(visit: Examination) -> Answer:
    """Who we are, and who assumes our roles."""
    organization = visit.organization
    try:
        identity = _identify(visit, visit.caller)
    except AwsError as error:
        _note_clock(visit, error.answered_at)
        raise
    if identity.account_id != organization.caller_account_id:
        raise Refused(Cause.WRONG_ACCOUNT)
    principal = policy_kit.principal_behind(organization, identity.arn)
    visit.found[policy_kit.PRINCIPAL] = visit.found[policy_kit.BASE] = principal
    if organization.role_arn:
        base = Caller(partition=organization.partition, profile=organization.profile)
        visit.found[policy_kit.BASE] = policy_kit.principal_behind(organization, aws.who_am_i(base).arn)
    return Answer(f"We are {identity.arn}.", found=visit.found)


def _identify(visit: Examination, caller: Caller) -> Identity:
    identity = aws.who_am_i(caller)
    _note_clock(visit, identity.answered_at)
    return identity


def _note_clock(visit: Examination, answered_at: datetime | None) -> None:
    if answered_at:
        visit.skew_seconds = (timezone.now() - answered_at).total_seconds()


def clock(visit: Examination) -> Answer:
    """Whether this machine's clock agrees with AWS's, by the Date header of its answer."""
    if visit.skew_seconds is None:
        raise AwsError(Cause.NOT_READ_YET)
    seconds = round(abs(visit.skew_seconds))
    if seconds <= LARGE_SKEW_SECONDS:
        return Answer("It differs from AWS's by less than a minute.")
    side = "ahead of" if visit.skew_seconds > 0 else "behind"
    status = Status.FAILING if seconds > REFUSED_SKEW_SECONDS else Status.WARNING
    remedy = (
        "No command of AWS mends it: let the portal's machines take their time from a time server. "
        "At five minutes AWS refuses every call."
    )
    return Answer(f"This machine's clock is {seconds} seconds {side} AWS's.", status, "clock", Mend(remedy))


def membership(visit: Examination) -> Answer:
    """The organization must be the connected one; what AWS says of it now goes into its row."""
    facts = visit.view.facts
    if facts.aws_id != visit.organization.aws_id:
        raise Refused(Cause.WRONG_ACCOUNT)
    update_view(visit.organization, visit.view, visit.context)
    return Answer(f"{facts.aws_id}, managed by account {facts.management_account_id}.")


def standing(visit: Examination) -> Answer:
    """Management account or delegated administrator; there is one only, so another one is named."""
    if visit.view.standing != Standing.MEMBER:
        return Answer(f"{visit.view.standing.label}, account {visit.caller.account_id}.")
    if _is_taken_for_administrator(visit):
        return visit.may_not(MAY_NOT_LIST)
    holder = _holder(visit)
    case = visit.case(holder=holder, is_trusted=visit.view.trusted_access)
    cause = Cause.NOT_ADMINISTRATOR
    detail = f"{cause.label} Account {visit.caller.account_id} is a plain member."
    return Answer(detail, Status.FAILING, cause.value, mends.mend_for(cause, case))


def _is_taken_for_administrator(visit: Examination) -> bool:
    """Who may not list delegated administrators may be one: no other member may name its own account.

    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-api-modes-of-operation.html
    """
    visit.take("GetAlternateContact")
    try:
        aws.get_alternate_contact(visit.caller, "SECURITY", visit.caller.account_id)
    except Refused as refusal:
        return refusal.cause in _ADMINISTRATORS_ONLY
    return True


def _holder(visit: Examination) -> str:
    """The delegated administrator, asked by whichever of our credentials may."""
    for caller in (visit.caller, visit.organization.management_caller):
        try:
            holders = caller and aws_organizations.delegated_administrators(caller, visit.take)
        except AwsError:
            continue
        if holders:
            return holders[0]
    return ""


def features(visit: Examination) -> Answer:
    """Account Management takes calls for members only where all features are on."""
    if visit.view.facts.feature_set != "ALL":
        raise Refused(Cause.CONSOLIDATED_BILLING)
    return Answer("All features are enabled.")


def trusted_access(visit: Examination) -> Answer:
    """Whether the organization trusts Account Management; members may not ask."""
    if visit.view.trusted_access is None:
        if visit.view.standing == Standing.MEMBER:
            return Answer("A plain member may not ask.", Status.UNKNOWN)
        return visit.may_not("We may not ask which services are trusted.", Status.UNKNOWN)
    if not visit.view.trusted_access:
        raise Refused(Cause.TRUSTED_ACCESS_OFF)
    return Answer(f"{SERVICE_PRINCIPAL} is trusted.")


def listing(visit: Examination) -> Answer:
    """Discovery lists accounts, roots and units."""
    try:
        accounts = visit.first_accounts
        for root in aws_organizations.list_roots(visit.caller, visit.take):
            aws_organizations.list_units(visit.caller, root, visit.take)
    except Refused as refusal:
        if refusal.cause != Cause.NOT_ALLOWED:
            raise
        return visit.may_not("Accounts and units cannot be listed.")
    return Answer(f"Accounts and units can be listed; {len(accounts)} accounts were looked at.")


def shape(visit: Examination) -> Answer:
    """Fields that AWS added lately, and what the portal does without them."""
    accounts = visit.first_accounts
    missing = []
    if not all(account.has_state for account in accounts):
        missing.append("State is missing: Status counts in its place, which AWS is retiring.")
    if not all(account.unit_path for account in accounts):
        missing.append("Paths is missing: units are walked one by one, which takes longer.")
    if not missing:
        return Answer("State and Paths come with every account.")
    mend = Mend(f"{mends.NO_COMMAND} AWS decides what it sends; the portal works without.")
    return Answer(" ".join(missing), Status.WARNING, "old_shape", mend)


def connecting_command(organization: Organization) -> str:
    """How this organization is connected again, with the credentials it has."""
    parts = ["manage.py connect_organization"]
    if organization.profile:
        parts.append(f"--profile {organization.profile}")
    if organization.role_arn:
        parts.append(f"--role-arn {organization.role_arn}")
    return " ".join(parts)


Question = Callable[[Examination], Answer]
