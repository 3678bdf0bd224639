"""Alternate contacts as AWS has them: the mirror."""

from django.db import models
from django.db.models import Q

from contacts.details import value_of
from orgs.contact_types import ContactType
from orgs.models import Account
from portal.aws import ContactDetails
from portal.causes import Cause


class ContactStatus(models.TextChoices):
    """What we know of a contact. Absent is AWS's 404; any other failure is unknown, never absent."""

    SET = "set", "Set"
    ABSENT = "absent", "Not set"
    UNKNOWN = "unknown", "Unknown"


class AlternateContact(models.Model):
    """What AWS said last, one row per account and type, always. Written by contacts/mirror.py alone."""

    # No index of its own: it is the beginning of that of account and type.
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contacts", db_index=False)
    contact_type = models.CharField(max_length=10, choices=ContactType.choices)
    status = models.CharField(max_length=8, choices=ContactStatus.choices, default=ContactStatus.UNKNOWN)
    name = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=50, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=25, blank=True)
    problem = models.CharField(max_length=40, choices=Cause.choices, blank=True, default=Cause.NOT_READ_YET)
    first_seen_at = models.DateTimeField(null=True, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True, help_text="When AWS last told us the value.")
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When we last asked.")
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["account_id", "contact_type"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "contact_type"], name="contact_one_per_account_and_type"
            ),
            models.CheckConstraint(
                condition=Q(status="set") | Q(status="unknown") | Q(name="", title="", email="", phone=""),
                name="contact_absent_is_empty",
            ),
        ]
        # Beside them contact_by_text of migration 0005, which finds any part of name and e-mail.
        indexes = [
            models.Index(fields=["contact_type", "status"], name="contact_by_type_and_status"),
            models.Index(fields=["email"], name="contact_by_email"),
            models.Index(
                fields=["problem", "account"], condition=Q(status="unknown"), name="contact_unknown"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.contact_type}"

    @property
    def details(self) -> ContactDetails | None:
        """The value AWS gave last; None when it was absent, or when no value was ever read."""
        if not (self.name or self.title or self.email or self.phone):
            return None
        return ContactDetails(name=self.name, title=self.title, email=self.email, phone=self.phone)

    @property
    def value(self) -> dict:
        """What we know, in the audit's form."""
        if self.is_unknown:
            return {"status": ContactStatus.UNKNOWN.value}
        return value_of(self.details)

    @property
    def is_unknown(self) -> bool:
        return self.status == ContactStatus.UNKNOWN
