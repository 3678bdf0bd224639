"""A single change that needs an approval is a change set of one."""

from django.utils import timezone

from audit.context import Context
from contacts.change_sets import announce, end_set, expiry
from contacts.fingerprint import fingerprint
from contacts.models import (
    ChangeSet,
    ContactChange,
    ContactStatus,
    PlannedChange,
    SetKind,
    SetStatus,
    Verdict,
)


def open_single(change: ContactChange, reasons: list[str], *, context: Context, broke_glass: bool) -> None:
    """Give a single change that needs an approval its set of one, in the caller's transaction."""
    contact, at = change.contact, timezone.now()
    verdict = _verdict_of(change)
    change.change_set = ChangeSet.objects.create(
        kind=SetKind.SINGLE,
        title=f"{contact.get_contact_type_display()} of {contact.account}"[:120],
        status=SetStatus.RUNNING if broke_glass else SetStatus.WAITING,
        requested_by=context.actor,
        source=context.source,
        request_id=context.request_id,
        reason=change.reason,
        ticket=change.ticket,
        planned_at=at,
        submitted_at=at,
        started_at=at if broke_glass else None,
        counts={verdict: 1, "management": int(contact.account.is_management)},
        needs_approval=reasons,
        expires_at=None if broke_glass else expiry(),
        broke_glass=broke_glass,
    )
    row = PlannedChange.objects.create(
        change_set=change.change_set,
        line=1,
        account_text=contact.account.aws_id,
        account=contact.account,
        contact_type=contact.contact_type,
        contact=contact,
        caller_key=change.caller_key,
        verdict=verdict,
        wanted=change.wanted,
        before=change.before,
        seen_version=change.seen_version,
        observed_at=contact.observed_at,
    )
    change.change_set.plan_hash = fingerprint([row])
    change.change_set.save(update_fields=["plan_hash"])
    announce(change.change_set, context)


def close_single(change: ContactChange) -> None:
    """A change that waited for its approval was cancelled or replaced: its set of one goes with it."""
    change_set = change.change_set
    if change_set and change_set.kind == SetKind.SINGLE and change_set.status == SetStatus.WAITING:
        end_set(change_set, SetStatus.DISCARDED)


def _verdict_of(change: ContactChange) -> Verdict:
    if change.is_deletion:
        return Verdict.DELETE
    return Verdict.CHANGE if change.before["status"] == ContactStatus.SET else Verdict.NEW
