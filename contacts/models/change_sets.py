"""Many changes that are planned, approved, run, reported and rolled back as one."""

from django.conf import settings
from django.db import models

from audit.context import Source


class SetKind(models.TextChoices):
    """Where the plan came from."""

    FILE = "file", "From a file"
    PASTED = "pasted", "From pasted rows"
    SET = "set", "Set contacts"
    FILL = "fill", "Fill what is missing"
    REPLACE = "replace", "Replace a person or address"
    COPY = "copy", "Copy one type to another"
    DELETE = "delete", "Delete contacts"
    ROLL_BACK = "roll_back", "Roll back"
    RETRY = "retry", "Try again"
    SINGLE = "single", "A single change"


class SetStatus(models.TextChoices):
    """The life of a change set. The last four are final."""

    PLANNING = "planning", "Being planned"
    PLANNED = "planned", "Planned"
    WAITING = "waiting", "Waiting for approval"
    PREPARING = "preparing", "Starting"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    CANCELLING = "cancelling", "Being cancelled"
    FINISHED = "finished", "Finished"
    DISCARDED = "discarded", "Discarded"
    REFUSED = "refused", "Refused"
    EXPIRED = "expired", "Expired"


DRAFTS = (SetStatus.PLANNING, SetStatus.PLANNED)
UNDER_WAY = (SetStatus.PREPARING, SetStatus.RUNNING, SetStatus.PAUSED, SetStatus.CANCELLING)
NEVER_APPROVED = (SetStatus.REFUSED, SetStatus.EXPIRED)
# Changes of these that nobody sent yet are left alone.
HELD = (SetStatus.PAUSED, SetStatus.CANCELLING)


class Decision(models.TextChoices):
    """What an approver said."""

    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"


class Outcome(models.TextChoices):
    """How a planned change ended for which no wish was ever written."""

    SKIPPED = "skipped", "Skipped"
    CANCELLED = "cancelled", "Cancelled"


class ChangeSet(models.Model):
    """A plan and what became of it. Its states are the work of contacts/change_sets.py."""

    kind = models.CharField(max_length=10, choices=SetKind.choices)
    title = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=SetStatus.choices, default=SetStatus.PLANNING)
    file_name = models.CharField(max_length=120, blank=True)
    # The change set that this one rolls back or tries again.
    origin = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="followers"
    )

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="change_sets", db_index=False
    )
    source = models.CharField(max_length=12, choices=Source.choices)
    request_id = models.CharField(max_length=64)
    reason = models.CharField(max_length=500, blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    planned_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    is_cancelled = models.BooleanField(default=False, help_text="Somebody cancelled the rest of the run.")

    # What the plan sums up to: how many of each verdict, how many of the management account, how many are
    # left out; and by caller how many reads, puts and deletes it takes and how many it takes to undo it.
    counts = models.JSONField(default=dict)
    effort = models.JSONField(default=dict)
    plan_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the plan's rows.")

    needs_approval = models.JSONField(default=list, help_text="Why, in words; empty: it does not.")
    expires_at = models.DateTimeField(null=True, blank=True)
    broke_glass = models.BooleanField(default=False, help_text="An administrator acted before the approval.")
    decision = models.CharField(max_length=8, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decided_change_sets",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=500, blank=True)
    decided_hash = models.CharField(max_length=64, blank=True, help_text="The plan that was decided on.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["status", "-id"], name="change_set_by_status"),
            models.Index(fields=["requested_by", "-id"], name="change_set_by_person"),
        ]

    def __str__(self) -> str:
        return f"change set {self.pk} ({self.status})"

    @property
    def writes(self) -> int:
        """How many contacts the plan writes: changed, new and deleted ones."""
        return sum(self.counts.get(verdict, 0) for verdict in ("change", "new", "delete"))

    @property
    def is_draft(self) -> bool:
        return self.status in DRAFTS

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY

    @property
    def awaits_decision(self) -> bool:
        """Whether an approver has something to say: before the run, or after the glass was broken."""
        return not self.decision and (self.status == SetStatus.WAITING or self.broke_glass)


class ApprovalRules(models.Model):
    """Which changes need a second pair of eyes: one row, edited by administrators."""

    more_than = models.PositiveIntegerField(
        null=True, blank=True, default=50, help_text="Contacts in one change set; empty: any number."
    )
    any_delete = models.BooleanField(default=False)
    management_account = models.BooleanField(default=False)
    roles = models.JSONField(default=list, blank=True, help_text="Roles whose changes all need approval.")
    expires_after = models.PositiveIntegerField(default=72, help_text="Hours until a request lapses.")

    def __str__(self) -> str:
        return "rules of approval"
