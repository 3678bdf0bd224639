"""Alternate contacts as AWS has them (the mirror), and what people want them to be (the wish)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.context import Source
from contacts.details import value_of
from orgs.models import Account
from portal.aws import ContactDetails
from portal.causes import Cause
from portal.quota import Lane


class ContactType(models.TextChoices):
    """https://docs.aws.amazon.com/accounts/latest/reference/API_AlternateContact.html"""

    BILLING = "BILLING", "Billing"
    OPERATIONS = "OPERATIONS", "Operations"
    SECURITY = "SECURITY", "Security"


class ContactStatus(models.TextChoices):
    """What we know of a contact. Absent is AWS's 404; any other failure is unknown, never absent."""

    SET = "set", "Set"
    ABSENT = "absent", "Not set"
    UNKNOWN = "unknown", "Unknown"


class AlternateContact(models.Model):
    """What AWS said last, one row per account and type, always. Written by contacts/mirror.py alone."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contacts")
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
        indexes = [
            models.Index(fields=["contact_type", "status"], name="contact_by_type_and_status"),
            models.Index(fields=["email"], name="contact_by_email"),
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


class ChangeStatus(models.TextChoices):
    """The life of a wish. The last six are final."""

    WAITING = "waiting", "Waiting for approval"
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    UNCONFIRMED = "unconfirmed", "Unconfirmed"
    APPLIED = "applied", "Applied"
    UNCHANGED = "unchanged", "Nothing to change"
    FAILED = "failed", "Failed"
    CONFLICT = "conflict", "Conflict"
    CANCELLED = "cancelled", "Cancelled"
    SUPERSEDED = "superseded", "Superseded"


PENDING = (ChangeStatus.WAITING, ChangeStatus.QUEUED)
IN_FLIGHT = (ChangeStatus.SENDING, ChangeStatus.UNCONFIRMED)
OPEN = PENDING + IN_FLIGHT


class ContactChange(models.Model):
    """A wish: what a person wants a contact to be. The row is the queue; changes and delivery write it."""

    contact = models.ForeignKey(AlternateContact, on_delete=models.PROTECT, related_name="changes")
    caller_key = models.CharField(max_length=32)
    lane = models.PositiveSmallIntegerField(choices=Lane.choices, default=Lane.PERSON)
    status = models.CharField(max_length=12, choices=ChangeStatus.choices, default=ChangeStatus.QUEUED)

    # None: delete the contact; else {"name", "title", "email", "phone"} as AWS will get them.
    wanted = models.JSONField(null=True)
    # What the contact was believed to be, in the audit's form: {"status": "set", …}, {"status": "absent"} or
    # {"status": "unknown"}.
    before = models.JSONField()
    seen_version = models.PositiveIntegerField()

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="changes"
    )
    requested_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source.choices)
    reason = models.CharField(max_length=500)
    ticket = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64)

    attempts = models.PositiveSmallIntegerField(default=0, help_text="Writes that AWS may have seen.")
    not_before = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    claim = models.CharField(max_length=32, blank=True)
    lag_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then a read that shows the old value may be stale."
    )
    # A value nobody of us wrote, read once: seen again some seconds later it is a conflict.
    stranger = models.JSONField(null=True, blank=True)
    problem = models.CharField(max_length=40, choices=Cause.choices, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    aws_request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact"],
                condition=Q(status__in=["waiting", "queued"]),
                name="change_one_waits_per_contact",
            ),
            models.UniqueConstraint(
                fields=["contact"],
                condition=Q(status__in=["sending", "unconfirmed"]),
                name="change_one_in_flight_per_contact",
            ),
        ]
        indexes = [
            models.Index(
                fields=["caller_key", "lane", "id"],
                condition=Q(status__in=["queued", "unconfirmed"]),
                name="change_due",
            ),
            models.Index(fields=["claimed_at"], condition=Q(status="sending"), name="change_claimed"),
            models.Index(fields=["contact", "-id"], name="change_by_contact"),
            models.Index(fields=["status", "-id"], name="change_by_status"),
        ]

    def __str__(self) -> str:
        return f"change {self.pk} ({self.status})"

    @property
    def wanted_details(self) -> ContactDetails | None:
        """The wanted value, or None for a deletion."""
        return None if self.wanted is None else ContactDetails(**self.wanted)

    @property
    def wanted_value(self) -> dict:
        """The wish in the audit's form."""
        return value_of(self.wanted_details)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_deletion(self) -> bool:
        return self.wanted is None
