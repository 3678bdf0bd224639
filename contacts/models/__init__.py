"""The tables of the product."""

from contacts.models.change_sets import (
    NEVER_APPROVED,
    ApprovalRules,
    ChangeSet,
    Decision,
    Outcome,
    SetKind,
    SetStatus,
)
from contacts.models.changes import IN_FLIGHT, OPEN, PENDING, ChangeStatus, ContactChange
from contacts.models.contacts import AlternateContact, ContactStatus
from contacts.models.drifts import UNDECIDED, Drift, DriftState
from contacts.models.planned import PlannedChange, Verdict
from orgs.contact_types import ContactType

__all__ = [
    "IN_FLIGHT",
    "NEVER_APPROVED",
    "OPEN",
    "PENDING",
    "UNDECIDED",
    "AlternateContact",
    "ApprovalRules",
    "ChangeSet",
    "ChangeStatus",
    "ContactChange",
    "ContactStatus",
    "ContactType",
    "Decision",
    "Drift",
    "DriftState",
    "Outcome",
    "PlannedChange",
    "SetKind",
    "SetStatus",
    "Verdict",
]
