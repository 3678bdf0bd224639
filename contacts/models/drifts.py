"""Changes that somebody made in AWS, past the portal: found by reading, and decided on by people."""

from django.conf import settings
from django.db import models

from contacts.models.changes import ChangeStatus, ContactChange
from contacts.models.contacts import AlternateContact


class DriftState(models.TextChoices):
    """What people made of it. A contact that moved on before anybody decided is superseded."""

    OPEN = "open", "Not decided"
    ADOPTED = "adopted", "Adopted"
    REVERTED = "reverted", "Reverted"
    IGNORED = "ignored", "Ignored"
    SUPERSEDED = "superseded", "Superseded"


# A revert that ended so decides nothing.
IN_VAIN = (ChangeStatus.FAILED, ChangeStatus.CANCELLED)
UNDECIDED = models.Q(state=DriftState.OPEN) | models.Q(state=DriftState.REVERTED, change__status__in=IN_VAIN)


class Drift(models.Model):
    """One difference that no wish of ours explains. Written by contacts/mirror.py and contacts/drifts.py."""

    contact = models.ForeignKey(AlternateContact, on_delete=models.PROTECT, related_name="drifts")
    event_id = models.BigIntegerField(unique=True, help_text="The event contact.drift.")
    before = models.JSONField(help_text="The value of the last read before, in the audit's form.")
    after = models.JSONField(help_text="The value that was found.")
    # It happened between these two reads.
    last_read_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=DriftState.choices, default=DriftState.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="drifts"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    change = models.ForeignKey(
        ContactChange, on_delete=models.PROTECT, null=True, blank=True, related_name="reverts"
    )
    is_alarming = models.BooleanField(
        default=False, db_default=False, help_text="Whether people get a mail about it."
    )
    told_at = models.DateTimeField(null=True, blank=True, help_text="When that mail was written.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["-id"], condition=models.Q(state="open"), name="drift_open"),
            models.Index(
                fields=["id"], condition=models.Q(is_alarming=True, told_at=None), name="drift_untold"
            ),
        ]

    def __str__(self) -> str:
        return f"drift {self.pk} ({self.state})"

    @property
    def is_undecided(self) -> bool:
        """Whether somebody may still decide; UNDECIDED for one row."""
        if self.state == DriftState.REVERTED and self.change:
            return self.change.status in IN_VAIN
        return self.state == DriftState.OPEN
