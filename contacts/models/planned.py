"""The rows of a plan: what a change set will do to each contact, and what it found there."""

from django.db import models
from django.db.models import Q

from contacts.models.change_sets import ChangeSet, Outcome
from contacts.models.changes import ContactChange
from contacts.models.contacts import AlternateContact
from orgs.models import Account
from portal.aws import ContactDetails
from portal.causes import Cause
from portal.inserting import InsertQuerySet


class Verdict(models.TextChoices):
    """What the plan says of a row."""

    CHANGE = "change", "Change"
    NEW = "new", "New"
    DELETE = "delete", "Delete"
    UNCHANGED = "unchanged", "Unchanged"
    REFUSED = "refused", "Refused"


class PlannedChange(models.Model):
    """One row of a plan. What was shown here is what runs: wanted and before go into the wish as they are."""

    # No index of their own: change_set is the beginning of others, and by contact nobody looks.
    change_set = models.ForeignKey(ChangeSet, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField(help_text="Line of the file, or place in the selection, from 1.")
    account_text = models.CharField(max_length=64, help_text="The account id as it was given.")
    contact_type = models.CharField(max_length=20, blank=True)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="planned"
    )
    contact = models.ForeignKey(
        AlternateContact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="planned",
        db_index=False,
    )
    caller_key = models.CharField(max_length=32, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict.choices)
    is_left_out = models.BooleanField(default=False, help_text="Shown, but not sent unless chosen.")
    # [{"field": "email", "text": "…"}], the field as the file names it; why the row is refused.
    problems = models.JSONField(default=list)
    # Sentences: what was trimmed, why it is left out, what a careful colleague would say.
    remarks = models.JSONField(default=list)

    # As in ContactChange.
    wanted = models.JSONField(null=True)
    before = models.JSONField(default=dict)
    seen_version = models.PositiveIntegerField(default=0)
    observed_at = models.DateTimeField(null=True, blank=True)
    # The change that this row rolls back.
    undoes = models.ForeignKey(
        ContactChange,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="undone_by",
        db_index=False,
    )

    # What became of it: the wish, or why none was written.
    change = models.OneToOneField(
        ContactChange, on_delete=models.PROTECT, null=True, blank=True, related_name="planned"
    )
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)
    cause = models.CharField(max_length=40, choices=Cause.choices, blank=True)

    objects = models.Manager.from_queryset(InsertQuerySet)()

    class Meta:
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["change_set", "line"], name="planned_one_row_per_line")
        ]
        indexes = [
            models.Index(fields=["change_set", "verdict", "line"], name="planned_by_verdict"),
            models.Index(
                fields=["change_set", "line"],
                condition=Q(change=None, outcome="", is_left_out=False),
                name="planned_not_asked_yet",
            ),
            models.Index(fields=["undoes"], condition=Q(undoes__isnull=False), name="planned_undoing"),
        ]

    def __str__(self) -> str:
        return f"line {self.line} of change set {self.change_set_id}"

    @property
    def wanted_details(self) -> ContactDetails | None:
        """The wanted value, or None for a deletion."""
        return None if self.wanted is None else ContactDetails(**self.wanted)
