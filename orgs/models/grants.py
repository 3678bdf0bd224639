"""Who was given which role, where, for which contact types, and until when."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from orgs.contact_types import ContactType
from orgs.models.organizations import Account, Organization, OrganizationalUnit


class Role(models.TextChoices):
    """The six roles; orgs/access.py says what each allows."""

    VIEWER = "Viewer", "Viewer"
    HELPDESK = "Helpdesk", "Helpdesk"
    EDITOR = "Editor", "Editor"
    APPROVER = "Approver", "Approver"
    AUDITOR = "Auditor", "Auditor"
    ADMINISTRATOR = "Administrator", "Administrator"


class AccessGrantQuerySet(models.QuerySet):
    def in_force(self, at: datetime | None = None) -> "AccessGrantQuerySet":
        """Those that hold at this moment."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at or timezone.now()))

    def of(self, user: Any) -> "AccessGrantQuerySet":  # Any: a user or nobody
        """Those given to the person, or to a group that the person is in."""
        return self.filter(Q(person=user.pk) | Q(group__in=user.groups.values("pk")))

    def ended(self) -> "AccessGrantQuerySet":
        """Those that held once."""
        return self.filter(ends_at__lte=timezone.now())

    def with_places(self) -> "AccessGrantQuerySet":
        """With whom and what their words name."""
        places = ("organization", "unit__organization", "account__unit__organization")
        return self.select_related("person", "group", *places)

    def everywhere(self) -> "AccessGrantQuerySet":
        """Those without any limit."""
        return self.filter(organization=None, unit=None, account=None, contact_types=[])


class AccessGrant(models.Model):
    """A role for a person or a group: everywhere, or in one organization, unit with all below it, or account.

    Never changed: another one is given, and this one ended. Contact types mirror what IAM can say with
    account:AlternateContactTypes; an empty list means all of them.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="grants"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    role = models.CharField(max_length=13, choices=Role.choices)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="grants"
    )
    unit = models.ForeignKey(
        OrganizationalUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="grants"
    )
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, blank=True, related_name="grants"
    )
    contact_types = models.JSONField(default=list, blank=True)
    given_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = AccessGrantQuerySet.as_manager()

    class Meta:
        ordering = ["role", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, group__isnull=True)
                | Q(person__isnull=True, group__isnull=False),
                name="grant_to_person_or_group",
            ),
            models.CheckConstraint(
                condition=Q(organization__isnull=True, unit__isnull=True)
                | Q(organization__isnull=True, account__isnull=True)
                | Q(unit__isnull=True, account__isnull=True),
                name="grant_one_place",
            ),
            models.CheckConstraint(
                condition=~Q(role=Role.ADMINISTRATOR)
                | Q(
                    organization__isnull=True,
                    unit__isnull=True,
                    account__isnull=True,
                    contact_types=[],
                ),
                name="grant_administrator_everywhere",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.place_words}"

    def clean(self) -> None:
        """Say by field what the constraints, and the list of types, would not say in words."""
        if unknown := set(self.contact_types) - set(ContactType.values):
            raise ValidationError({"contact_types": f"{', '.join(sorted(unknown))} is no contact type."})
        if self.role == Role.ADMINISTRATOR and not self.is_everywhere:
            raise ValidationError(
                {"role": "An administrator is one everywhere. Give another role for a part."}
            )

    @property
    def is_everywhere(self) -> bool:
        """Whether nothing limits it but time."""
        return not (self.organization_id or self.unit_id or self.account_id or self.contact_types)

    @property
    def is_in_force(self) -> bool:
        return self.ends_at is None or self.ends_at > timezone.now()

    @property
    def holder(self) -> str:
        """Who has it, in words."""
        if self.person:
            return self.person.label
        return f"group {self.group}"

    @property
    def place_words(self) -> str:
        """Where it holds: to stand after the role."""
        if self.account:
            return f"in account {self.account.aws_id} {self.account.name}".rstrip()
        if self.unit:
            return f"in unit {self.unit.name} and below"
        return f"in organization {self.organization}" if self.organization else "everywhere"

    @property
    def type_words(self) -> str:
        """For which contacts it holds."""
        return ", ".join(ContactType(name).label for name in self.contact_types) or "All contact types"


class ProviderMembership(models.Model):
    """A group that somebody is in because the identity provider says so.

    provider_groups.py writes it; grants.py removes it with the membership.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="provider_membership_once")]

    def __str__(self) -> str:
        return f"user {self.user_id} in group {self.group_id}"
