"""The doctor: asks AWS step by step whether the portal can work, and says what mends what it finds."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property

from django.db import models
from django.utils import timezone

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, require_in
from orgs.models import Account, AccountState, Organization, Standing, Unreachable
from orgs.pace import pace
from orgs.standing import View, look
from orgs.waking import PREFLIGHT, send
from portal import aws, aws_organizations, quota
from portal.aws import AwsError, Refused
from portal.aws_organizations import SERVICE_PRINCIPAL, Take
from portal.causes import Cause

# These say nothing about the set-up: ask again later.
_PASSING = {Cause.THROTTLED, Cause.UNAVAILABLE, Cause.NO_QUOTA, Cause.NOT_READ_YET}


class Status(models.TextChoices):
    """What a check found; unknown: it could not be asked."""

    OK = "ok", "OK"
    FAILING = "failing", "Failing"
    UNKNOWN = "unknown", "Unknown"


@dataclass(frozen=True)
class Check:
    """One point of the list. remedy is for people, command for a terminal in the management account."""

    label: str
    status: str
    detail: str = ""
    cause: str = ""
    remedy: str = ""
    command: str = ""


class Examination:
    """Asks each question of AWS once. A question returns what it found, or raises AwsError."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.caller = organization.caller

    @cached_property
    def take(self) -> Take:
        return pace(self.caller, lane=quota.Lane.CHECK, organization_id=self.organization.aws_id)

    @cached_property
    def view(self) -> View:
        view = look(self.caller, self.take)
        if view is None:
            raise Refused(Cause.NO_ORGANIZATION)
        return view

    def credentials(self) -> str:
        identity = aws.who_am_i(self.caller)
        if identity.account_id != self.organization.caller_account_id:
            raise Refused(Cause.WRONG_ACCOUNT)
        return f"We are {identity.arn}."

    def membership(self) -> str:
        if self.view.facts.aws_id != self.organization.aws_id:
            raise Refused(Cause.WRONG_ACCOUNT)
        return f"{self.view.facts.aws_id}, managed by account {self.view.facts.management_account_id}."

    def standing(self) -> str:
        if self.view.standing == Standing.MEMBER:
            raise Refused(Cause.NOT_ADMINISTRATOR)
        return f"{self.view.standing.label}."

    def features(self) -> str:
        if self.view.facts.feature_set != "ALL":
            raise Refused(Cause.CONSOLIDATED_BILLING)
        return "All features are enabled."

    def trusted_access(self) -> str:
        if self.view.trusted_access is None:
            raise AwsError(Cause.NOT_READ_YET)
        if not self.view.trusted_access:
            raise Refused(Cause.TRUSTED_ACCESS_OFF)
        return f"{SERVICE_PRINCIPAL} is trusted."

    def listing(self) -> str:
        next(aws_organizations.list_accounts(self.caller, self.take), None)
        return "Accounts can be listed."

    def management(self) -> str:
        if self.view.standing == Standing.MANAGEMENT:
            return "Our credentials are the management account's own."
        caller = self.organization.management_caller
        if caller is None:
            raise Refused(Cause.MANAGEMENT_ROLE_MISSING)
        if aws.who_am_i(caller).account_id != self.view.facts.management_account_id:
            raise Refused(Cause.WRONG_ACCOUNT)
        return f"By the role {caller.role_arn}."

    def member(self) -> str:
        account = _some_member(self.organization)
        if account is None:
            raise AwsError(Cause.NOT_READ_YET)
        try:
            reach = account.reach()
        except Unreachable as error:
            raise Refused(error.cause) from error
        pace(reach.caller, lane=quota.Lane.CHECK)("GetAlternateContact")
        aws.get_alternate_contact(reach.caller, "SECURITY", reach.account_id)
        return f"Account {account.aws_id} can be read."


QUESTIONS: list[tuple[str, Callable[[Examination], str]]] = [
    ("Credentials work", Examination.credentials),
    ("They belong to this organization", Examination.membership),
    ("Management account or delegated administrator", Examination.standing),
    ("All features of the organization", Examination.features),
    ("Trusted access for Account Management", Examination.trusted_access),
    ("Accounts can be listed", Examination.listing),
    ("The management account's own contacts are in reach", Examination.management),
    ("Contacts of a member can be read", Examination.member),
]


def request_checks(organization: Organization, *, context: Context) -> None:
    """Have a worker run the checks soon, because a person asked; raises PermissionDenied and Unavailable."""
    require_in(context, Right.CONNECT)
    send(PREFLIGHT, organization)
    record(Action.ORGANIZATION_CHECKED, context, organization_id=organization.aws_id)


def run_checks(organization: Organization) -> list[Check]:
    """Ask everything and keep the answers in the organization's row."""
    checks = examine(organization)
    organization.checks = [asdict(check) for check in checks]
    organization.checked_at = timezone.now()
    organization.save(update_fields=["checks", "checked_at"])
    return checks


def examine(organization: Organization) -> list[Check]:
    """All checks in order. Without working credentials the others are unknown, and AWS is not asked."""
    examination = Examination(organization)
    checks: list[Check] = []
    for label, question in QUESTIONS:
        if checks and checks[0].status != Status.OK:
            checks.append(Check(label, Status.UNKNOWN, "Not asked: the credentials come first."))
        else:
            checks.append(_check(label, question, examination))
    return checks


def _check(label: str, question: Callable[[Examination], str], examination: Examination) -> Check:
    try:
        return Check(label, Status.OK, question(examination))
    except AwsError as error:
        cause = error.cause
    status = Status.UNKNOWN if cause in _PASSING else Status.FAILING
    command = _command(cause, examination.organization)
    remedy = "In the management account run:" if command else cause.remedy
    return Check(label, status, cause.label, cause.value, remedy, command)


def _command(cause: Cause, organization: Organization) -> str:
    """What to run in the management account, filled with our ids; "" where no command helps."""
    if cause == Cause.TRUSTED_ACCESS_OFF:
        return f"aws organizations enable-aws-service-access --service-principal {SERVICE_PRINCIPAL}"
    if cause == Cause.NOT_ADMINISTRATOR:
        return (
            "aws organizations register-delegated-administrator "
            f"--service-principal {SERVICE_PRINCIPAL} --account-id {organization.caller_account_id}"
        )
    if cause == Cause.CONSOLIDATED_BILLING:
        return "aws organizations enable-all-features"
    return ""


def _some_member(organization: Organization) -> Account | None:
    members = organization.accounts.filter(state=AccountState.ACTIVE, left_at__isnull=True)
    return members.exclude(aws_id=organization.management_account_id).order_by("pk").first()
