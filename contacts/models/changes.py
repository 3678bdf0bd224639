"""What people want a contact to be: the wish."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.context import Source
from contacts.details import details_in, value_of
from contacts.models.change_sets import ChangeSet
from contacts.models.contacts import AlternateContact
from portal.aws import ContactDetails, same_contact
from portal.causes import Cause
from portal.inserting import InsertQuerySet
from portal.quota import Lane


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

    # Both keys are the beginning of other indexes.
    contact = models.ForeignKey(
        AlternateContact, on_delete=models.PROTECT, related_name="changes", db_index=False
    )
    change_set = models.ForeignKey(
        ChangeSet, on_delete=models.PROTECT, null=True, blank=True, related_name="changes", db_index=False
    )
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
    first_claimed_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was tried first: until then it waited for its turn."
    )
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

    objects = models.Manager.from_queryset(InsertQuerySet)()

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
            models.Index(fields=["change_set", "status"], name="change_by_set"),
            models.Index(
                fields=["change_set", "caller_key", "id"],
                condition=Q(status__in=["queued", "unconfirmed"]),
                name="change_due_in_set",
            ),
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

    @property
    def is_verification(self) -> bool:
        """Whether nothing is to be written: a plan says that AWS has the value, and a read shall prove it."""
        is_known = self.before["status"] != "unknown"
        return is_known and same_contact(details_in(self.before), self.wanted_details)
