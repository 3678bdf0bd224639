"""What happened: events that are written once and never changed."""

from django.conf import settings
from django.db import models

from audit.context import Source
from audit.queries import AuditEventQuerySet
from portal.inserting import InsertQuerySet

LABEL_LENGTH = 200
OS_USER_LENGTH = 64


class Action(models.TextChoices):
    """Everything the audit can say. The dotted values are facts; the labels are words for pages."""

    CHANGE_REQUESTED = "contact.change_requested", "Change asked for"
    CHANGE_APPLIED = "contact.change_applied", "Applied"
    CHANGE_UNCHANGED = "contact.change_unchanged", "Nothing to change"
    CHANGE_UNCONFIRMED = "contact.change_unconfirmed", "Answer of AWS lost"
    CHANGE_READ_BACK = "contact.change_read_back", "Found in AWS after all"
    CHANGE_FAILED = "contact.change_failed", "Failed"
    CHANGE_CONFLICT = "contact.change_conflict", "Conflict"
    CHANGE_CANCELLED = "contact.change_cancelled", "Cancelled"
    CHANGE_SUPERSEDED = "contact.change_superseded", "Superseded"
    CHANGE_SKIPPED = "contact.change_skipped", "Skipped"
    SET_SUBMITTED = "change_set.submitted", "Change set submitted"
    SET_APPROVED = "change_set.approved", "Change set approved"
    SET_REFUSED = "change_set.refused", "Change set refused"
    SET_EXPIRED = "change_set.expired", "Approval lapsed"
    GLASS_BROKEN = "change_set.glass_broken", "Acted before approval"
    SET_PAUSED = "change_set.paused", "Change set paused"
    SET_RESUMED = "change_set.resumed", "Change set resumed"
    SET_CANCELLED = "change_set.cancelled", "Rest of a change set cancelled"
    SET_FINISHED = "change_set.finished", "Change set finished"
    APPROVAL_RULES_CHANGED = "approval.rules_changed", "Rules of approval changed"
    CONTACT_BASELINE = "contact.baseline", "First seen"
    CONTACT_DRIFT = "contact.drift", "Changed outside the portal"
    CONTACTS_EXPORTED = "contact.exported", "Contacts exported"
    ACCOUNT_JOINED = "account.joined", "Account joined"
    ACCOUNT_MOVED = "account.moved", "Account moved"
    ACCOUNT_LEFT = "account.left", "Account left"
    ACCOUNT_STATE_CHANGED = "account.state_changed", "Account state changed"
    ACCOUNT_RENAMED = "account.renamed", "Account renamed"
    ACCOUNT_CONNECTED = "account.connected", "Account connected"
    ORGANIZATION_CONNECTED = "organization.connected", "Organization connected"
    ORGANIZATION_CHANGED = "organization.changed", "Organization changed"
    TRUST_REQUESTED = "organization.trust_requested", "Trusted access asked for"
    TRUST_ENABLED = "organization.trust_enabled", "Trusted access switched on"
    TRUST_FAILED = "organization.trust_failed", "Trusted access not switched on"
    USER_CREATED = "user.created", "User created"
    USER_CHANGED = "user.changed", "User changed"
    ROLES_CHANGED = "user.roles_changed", "Roles changed"
    GRANT_GIVEN = "grant.given", "Access given"
    GRANT_ENDED = "grant.ended", "Access ended"
    GROUP_CREATED = "group.created", "Group created"
    GROUP_CHANGED = "group.changed", "Group's members changed"
    GROUP_DELETED = "group.deleted", "Group deleted"
    GRANTS_EXPORTED = "grant.exported", "List of access exported"
    GROUPS_RENEWED = "user.groups_renewed", "Groups renewed by the identity provider"
    PASSWORD_CHANGED = "user.password_changed", "Password changed"  # noqa: S105 - the name of an event
    SIGN_IN_CHANGED = "user.sign_in_changed", "Sign-in protection changed"
    SIGNED_IN = "user.signed_in", "Signed in"
    SIGN_IN_FAILED = "user.sign_in_failed", "Sign-in failed"
    SIGNED_OUT = "user.signed_out", "Signed out"
    SESSIONS_ENDED = "user.sessions_ended", "Sessions ended"
    PROVIDER_LINKED = "user.provider_linked", "Linked to the identity provider"
    ACCESS_REFUSED = "access.refused", "Attempt refused"
    AUDIT_EXPORTED = "audit.exported", "Audit exported"
    CONTACTS_CHECKED = "check.contacts_requested", "Read asked for"
    ORGANIZATION_CHECKED = "check.organization_requested", "Checks asked for"
    DISCOVERY_REQUESTED = "check.discovery_requested", "Discovery asked for"
    DRIFT_ADOPTED = "drift.adopted", "Outside change adopted"
    DRIFT_REVERTED = "drift.reverted", "Outside change to be reverted"
    DRIFT_IGNORED = "drift.ignored", "Outside change ignored"
    REVIEWED = "review.reviewed", "Reviewed"
    QUESTION_ASKED = "review.questioned", "Questioned"
    QUESTION_ANSWERED = "review.answered", "Question answered"
    QUESTION_SETTLED = "review.settled", "Question settled"
    PERIOD_SIGNED_OFF = "review.signed_off", "Period signed off"


# What somebody should look at. A change set is one thing, and stands there as its submission; so does a
# change of its own, with how it ended beside it.
TO_REVIEW = models.Q(
    action__in=[
        Action.SET_SUBMITTED,
        Action.CONTACT_DRIFT,
        Action.DRIFT_ADOPTED,
        Action.DRIFT_IGNORED,
        Action.USER_CREATED,
        Action.ROLES_CHANGED,
        Action.GRANT_GIVEN,
        Action.GRANT_ENDED,
        Action.GROUP_CHANGED,
        Action.GROUPS_RENEWED,
        Action.PROVIDER_LINKED,
        Action.APPROVAL_RULES_CHANGED,
        Action.ORGANIZATION_CONNECTED,
        Action.ORGANIZATION_CHANGED,
        Action.ACCOUNT_CONNECTED,
        Action.AUDIT_EXPORTED,
    ]
) | models.Q(action=Action.CHANGE_REQUESTED, change_set_id=None)


class AuditEvent(models.Model):
    """One fact. Ids are kept as text, without foreign keys, so that history outlives what it speaks of.

    A column that is added later must be null in older events: a seal leaves nulls out, so that it still fits.
    """

    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=40, choices=Action.choices)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_label = models.CharField(max_length=LABEL_LENGTH, blank=True)
    os_user = models.CharField(max_length=OS_USER_LENGTH, blank=True)
    source = models.CharField(max_length=12, choices=Source.choices)
    ip = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    aws_request_id = models.CharField(max_length=64, blank=True)
    organization_id = models.CharField(max_length=34, blank=True)
    unit_path = models.CharField(max_length=500, blank=True)
    account_id = models.CharField(max_length=12, blank=True)
    contact_type = models.CharField(max_length=10, blank=True)
    change_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    change_set_id = models.BigIntegerField(null=True, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    objects = models.Manager.from_queryset(AuditEventQuerySet)()  # with as_manager() mypy loses the type

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["account_id", "-id"], name="audit_by_account"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),
            models.Index(fields=["-id", "at"], condition=TO_REVIEW, name="audit_to_review"),
            models.Index(
                fields=["change_set_id", "-id"],
                condition=models.Q(change_set_id__isnull=False),
                name="audit_by_change_set",
            ),
            models.Index(fields=["-id"], condition=models.Q(source="command"), name="audit_by_command"),
            # By their beginnings.
            models.Index(fields=["unit_path"], opclasses=["varchar_pattern_ops"], name="audit_by_unit"),
            models.Index(fields=["request_id"], opclasses=["varchar_pattern_ops"], name="audit_by_request"),
            models.Index(
                fields=["aws_request_id"], opclasses=["varchar_pattern_ops"], name="audit_by_aws_request"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action}"


class AuditSeal(models.Model):
    """One link of the chain over all events; see audit/seals.py."""

    seq = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(
        AuditEvent, on_delete=models.DO_NOTHING, db_constraint=False, related_name="seal"
    )
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = models.Manager.from_queryset(InsertQuerySet)()

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.seq} {self.hash[:12]}"


class AuditPending(models.Model):
    """An event that waits for its seal.

    Written with the event and removed with the seal, so that finding what is pending costs the same after
    millions of events. Ids alone cannot tell: PostgreSQL may commit a smaller one after a larger one.
    """

    event = models.OneToOneField(
        AuditEvent,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="pending",
    )

    objects = models.Manager.from_queryset(InsertQuerySet)()

    def __str__(self) -> str:
        return f"event {self.event_id}"


class AuditVerification(models.Model):
    """What a verification of the chain found. Written by audit/verification.py alone."""

    at = models.DateTimeField(db_index=True)
    checked = models.BigIntegerField()
    seq = models.BigIntegerField(help_text="The last seal that was looked at.")
    hash = models.CharField(max_length=64)
    anchors = models.IntegerField(null=True, help_text="How many anchors were held against the chain.")
    is_intact = models.BooleanField()
    problem = models.CharField(max_length=500, blank=True)
    bad_event_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {'intact' if self.is_intact else 'broken'}"


class ReviewState(models.TextChoices):
    """A review says that all is well, or asks; a question stays open until it is answered and settled."""

    REVIEWED = "reviewed", "Reviewed"
    OPEN = "open", "Question open"
    ANSWERED = "answered", "Answered"
    SETTLED = "settled", "Settled"


class Review(models.Model):
    """What a manager said of an event or of a whole change set. Written by audit/reviews.py alone."""

    event = models.ForeignKey(
        AuditEvent,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="reviews",
    )
    change_set_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    state = models.CharField(max_length=8, choices=ReviewState.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews")
    at = models.DateTimeField(db_index=True)
    note = models.CharField(max_length=500, blank=True)
    # Who has to answer: the person behind the event, or who asked for the change set.
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="questions"
    )
    answer = models.CharField(max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(event__isnull=False, change_set_id__isnull=True)
                | models.Q(event__isnull=True, change_set_id__isnull=False),
                name="review_of_one_thing",
            )
        ]
        indexes = [
            models.Index(
                fields=["asked", "-id"],
                condition=models.Q(state__in=["open", "answered"]),
                name="review_open_questions",
            )
        ]

    def __str__(self) -> str:
        return f"review {self.pk} ({self.state})"


class PeriodKind(models.TextChoices):
    """How often somebody signs off."""

    WEEK = "week", "Week"
    MONTH = "month", "Month"


class ReviewPeriod(models.Model):
    """A signed-off week or month with its report as it was then. Written by audit/periods.py alone."""

    kind = models.CharField(max_length=5, choices=PeriodKind.choices)
    first_day = models.DateField()
    last_day = models.DateField()
    signed_off_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="signed_off_periods"
    )
    signed_off_at = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True)
    facts = models.JSONField(
        help_text="The figures of the report, and from which seal to which it was proven."
    )

    class Meta:
        ordering = ["-first_day", "kind"]
        constraints = [models.UniqueConstraint(fields=["kind", "first_day"], name="period_signed_off_once")]

    def __str__(self) -> str:
        return f"{self.kind} from {self.first_day}"
