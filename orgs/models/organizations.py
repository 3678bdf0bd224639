"""What we own in AWS: organizations, their units, and accounts."""

import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from portal.aws import Caller
from portal.causes import Cause

account_id_validator = RegexValidator(r"\A[0-9]{12}\Z", "An account id has 12 digits.")
role_arn_validator = RegexValidator(
    r"\Aarn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}\Z",
    "A role looks like arn:aws:iam::123456789012:role/AlternateContacts.",
    flags=re.ASCII,
)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
external_id_validator = RegexValidator(
    r"\A[\w+=,.@:/-]{2,1224}\Z",
    "An external id has 2 to 1224 letters, digits or characters of + = , . @ : / - _.",
    flags=re.ASCII,
)


@dataclass(frozen=True)
class Reach:
    """How an account is reached: whose credentials, and the AccountId to send (None: standalone context).

    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-api-modes-of-operation.html
    """

    caller: Caller
    account_id: str | None


class Unreachable(Exception):
    """AWS would refuse every call for this account; cause says why."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.label)
        self.cause = cause


class Standing(models.TextChoices):
    """What the account whose credentials we use is within its organization."""

    MANAGEMENT = "management", "Management account"
    DELEGATED = "delegated", "Delegated administrator"
    MEMBER = "member", "Member account"


RETRY_AFTER_SECONDS = 300


class OrganizationQuerySet(models.QuerySet):
    def due(self) -> "OrganizationQuerySet":
        """Those whose discovery is older than the interval; after a failure five minutes pass."""
        now = timezone.now()
        interval = settings.DISCOVERY_INTERVAL
        old = now - timedelta(seconds=interval)
        tried = now - timedelta(seconds=min(interval, RETRY_AFTER_SECONDS))
        return self.filter(
            Q(observed_at__isnull=True) | Q(observed_at__lte=old),
            Q(tried_at__isnull=True) | Q(tried_at__lte=tried),
        )


class Organization(models.Model):
    """One AWS organization and the credentials that read it. Nothing secret is stored."""

    aws_id = models.CharField(max_length=34, unique=True)
    name = models.CharField(max_length=80, blank=True)
    partition = models.CharField(max_length=12, default="aws")
    management_account_id = models.CharField(max_length=12, validators=[account_id_validator])
    caller_account_id = models.CharField(max_length=12, validators=[account_id_validator])
    standing = models.CharField(max_length=10, choices=Standing.choices)
    profile = models.CharField(max_length=64, blank=True)
    role_arn = models.CharField(max_length=2048, blank=True, validators=[role_arn_validator])
    external_id = models.CharField(max_length=1224, blank=True, validators=[external_id_validator])
    management_role_arn = models.CharField(max_length=2048, blank=True, validators=[role_arn_validator])
    feature_set = models.CharField(max_length=20, blank=True)
    trusted_access = models.BooleanField(null=True)
    problem = models.CharField(max_length=40, choices=Cause.choices, blank=True)
    connected_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When discovery last began.")
    observed_at = models.DateTimeField(null=True, blank=True, help_text="When discovery last succeeded.")
    checks = models.JSONField(default=list, blank=True, help_text="What the last preflight found.")
    checked_at = models.DateTimeField(null=True, blank=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "aws_id"]

    def __str__(self) -> str:
        return self.name or self.aws_id

    @property
    def caller(self) -> Caller:
        """The credentials that reach the organization."""
        return Caller(
            partition=self.partition,
            account_id=self.caller_account_id,
            profile=self.profile,
            role_arn=self.role_arn,
            external_id=self.external_id,
        )

    @property
    def obstacle(self) -> Cause | None:
        """Why AWS would refuse every call for a member, if so."""
        if self.standing == Standing.MEMBER:
            return Cause.NOT_ADMINISTRATOR
        if self.feature_set == "CONSOLIDATED_BILLING":
            return Cause.CONSOLIDATED_BILLING
        if self.trusted_access is False:
            return Cause.TRUSTED_ACCESS_OFF
        return None

    @property
    def management_caller(self) -> Caller | None:
        """The second credential that a delegated administrator needs for the management account."""
        if not self.management_role_arn:
            return None
        return Caller(
            partition=self.partition,
            account_id=self.management_account_id,
            profile=self.profile,
            role_arn=self.management_role_arn,
            external_id=self.external_id,
        )


class OrganizationalUnit(models.Model):
    """A root or a unit; path is "r-ab12/ou-ab12-1/ou-ab12-2/", so a subtree is path__startswith."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="units")
    aws_id = models.CharField(max_length=68, unique=True)
    name = models.CharField(max_length=128)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    path = models.CharField(max_length=500, db_index=True)
    missed_scans = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return self.name


class AccountState(models.TextChoices):
    """Account states of AWS Organizations (State, else the retired Status)."""

    PENDING_ACTIVATION = "PENDING_ACTIVATION", "Pending activation"
    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Suspended"
    PENDING_CLOSURE = "PENDING_CLOSURE", "Pending closure"
    CLOSED = "CLOSED", "Closed"
    UNKNOWN = "UNKNOWN", "Unknown"


class Account(models.Model):
    """An AWS account; without an organization it is standalone. Rows are never deleted."""

    aws_id = models.CharField(max_length=12, unique=True, validators=[account_id_validator])
    partition = models.CharField(max_length=12, default="aws")
    name = models.CharField(max_length=128, blank=True)
    email = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=20, choices=AccountState.choices, default=AccountState.UNKNOWN)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    unit = models.ForeignKey(
        OrganizationalUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    profile = models.CharField(max_length=64, blank=True)
    role_arn = models.CharField(max_length=2048, blank=True, validators=[role_arn_validator])
    external_id = models.CharField(max_length=1224, blank=True, validators=[external_id_validator])
    joined_at = models.DateTimeField(null=True, blank=True)
    missed_scans = models.PositiveSmallIntegerField(default=0)
    left_at = models.DateTimeField(null=True, blank=True)
    contacts_read_at = models.DateTimeField(null=True, blank=True, db_index=True)
    contacts_due_at = models.DateTimeField(default=timezone.now, db_default=Now())
    contacts_failures = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["name", "aws_id"]
        # Beside them account_by_text of migration 0005, which finds any part of name, e-mail and id.
        indexes = [
            models.Index(fields=["name", "aws_id"], name="account_by_name"),
            models.Index(fields=["organization", "unit"], condition=Q(left_at=None), name="account_by_place"),
            models.Index(fields=["contacts_due_at"], condition=Q(left_at=None), name="account_by_turn"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(unit__isnull=True) | Q(organization__isnull=False),
                name="account_unit_needs_organization",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name or self.aws_id}"

    @property
    def is_management(self) -> bool:
        return bool(self.organization and self.organization.management_account_id == self.aws_id)

    @property
    def is_writable(self) -> bool:
        """Only active accounts that are still ours are written."""
        return self.state == AccountState.ACTIVE and self.left_at is None

    @property
    def caller_key(self) -> str:
        """Partition and account whose quota a call for this account uses; known even when unreachable."""
        if self.organization is None:
            return f"{self.partition}:{self.aws_id}"
        if self.is_management and self.organization.standing == Standing.DELEGATED:
            return f"{self.partition}:{self.aws_id}"
        return f"{self.partition}:{self.organization.caller_account_id}"

    def reach(self) -> Reach:
        """Whose credentials reach this account, and whether AccountId is sent; raises Unreachable."""
        if self.left_at is not None:
            raise Unreachable(Cause.LEFT)
        if self.organization is None:
            return Reach(self._own_caller(), None)
        return _reach_member(self, self.organization)

    def _own_caller(self) -> Caller:
        return Caller(
            partition=self.partition,
            account_id=self.aws_id,
            profile=self.profile,
            role_arn=self.role_arn,
            external_id=self.external_id,
        )


def _reach_member(account: Account, organization: Organization) -> Reach:
    if account.aws_id == organization.caller_account_id and organization.standing != Standing.DELEGATED:
        return Reach(organization.caller, None)
    if organization.standing == Standing.MEMBER:
        raise Unreachable(Cause.NOT_ADMINISTRATOR)
    if account.is_management:
        caller = organization.management_caller
        if caller is None:
            raise Unreachable(Cause.MANAGEMENT_ROLE_MISSING)
        return Reach(caller, None)
    if organization.obstacle:
        raise Unreachable(organization.obstacle)
    return Reach(organization.caller, account.aws_id)
