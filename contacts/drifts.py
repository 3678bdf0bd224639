"""What people make of a change from outside: they adopt it, revert it, or ignore it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from audit.context import Context
from audit.models import Action
from contacts.change_sets import why_errors
from contacts.changes import Seen, Stale, open_change_of, request_change, seen_of
from contacts.details import details_in
from contacts.events import record_contact
from contacts.mirror import lock_contact
from contacts.models import OPEN, ContactChange, Drift, DriftState
from orgs.access import require_can_edit

ACTIONS = {
    DriftState.ADOPTED: Action.DRIFT_ADOPTED,
    DriftState.REVERTED: Action.DRIFT_REVERTED,
    DriftState.IGNORED: Action.DRIFT_IGNORED,
}


def adopt(drift: Drift, *, seen: Seen, context: Context) -> Drift:
    """Let the value from outside stand: it is right. Nothing is sent.

    seen is what the page showed. Raises PermissionDenied, ValidationError and Stale.
    """
    return _let_stand(drift, DriftState.ADOPTED, seen, context)


def ignore(drift: Drift, *, seen: Seen, context: Context) -> Drift:
    """Leave the value as it is without calling it right. Nothing is sent. Raises as adopt()."""
    return _let_stand(drift, DriftState.IGNORED, seen, context)


def let_all_stand(
    drifts: Iterable[Drift], state: DriftState, *, seen: Mapping[int, Seen], context: Context
) -> list[bool]:
    """Adopt or ignore each; False for one that moved, or needs no decision any more: look at it again.

    seen tells by the drift's key what the page showed. Raises PermissionDenied, and ValidationError without a
    reason, before the first decision.
    """
    drifts = list(drifts)
    for drift in drifts:
        _require_may_decide(drift, context)
    return [_stands(drift, state, seen[drift.pk], context) for drift in drifts]


def seen_of_each(drifts: Iterable[Drift]) -> dict[int, Seen]:
    """What a list that shows these drifts now has seen of their contacts, by the drift's key."""
    contacts = {drift.pk: drift.contact for drift in drifts}
    changes = ContactChange.objects.filter(contact__in=contacts.values(), status__in=OPEN).order_by("pk")
    newest = dict(changes.values_list("contact_id", "pk"))
    return {pk: Seen(contact.version, newest.get(contact.pk)) for pk, contact in contacts.items()}


def revert(drift: Drift, *, seen: Seen, context: Context, break_glass: bool = False) -> ContactChange:
    """Ask for the value of before: a change like any other, that may need an approval. Raises as adopt()."""
    _require_may_decide(drift, context)
    with transaction.atomic():
        drift = _lock(drift)
        contact = drift.contact
        change = request_change(
            contact.account,
            contact.contact_type,
            details_in(drift.before),
            context=context,
            seen=seen,
            break_glass=break_glass,
        )
        _decide(drift, DriftState.REVERTED, context, change=change)
    return change


def _stands(drift: Drift, state: DriftState, seen: Seen, context: Context) -> bool:
    try:
        _let_stand(drift, state, seen, context)
    except (Stale, ValidationError):
        return False
    return True


def _let_stand(drift: Drift, state: DriftState, seen: Seen, context: Context) -> Drift:
    _require_may_decide(drift, context)
    with transaction.atomic():
        drift = _lock(drift)
        if seen != seen_of(drift.contact):
            raise Stale(drift.contact, open_change_of(drift.contact))
        _decide(drift, state, context)
    return drift


def _require_may_decide(drift: Drift, context: Context) -> None:
    if context.actor is None:
        raise PermissionDenied("A decision needs a person who makes it.")
    require_can_edit(context.actor, drift.contact.account, drift.contact.contact_type)
    if errors := why_errors(context):
        raise ValidationError(errors)


def _lock(drift: Drift) -> Drift:
    """The drift as it is now, with its contact locked; ValidationError when it needs no decision any more."""
    contact = lock_contact(drift.contact_id)
    drift = Drift.objects.select_related("change", "decided_by").get(pk=drift.pk)
    drift.contact = contact
    if drift.is_undecided:
        return drift
    if drift.decided_by is None:
        raise ValidationError(f"There is nothing to decide any more. {drift.reason}")
    raise ValidationError(f"{drift.decided_by.label} has decided already: {drift.get_state_display()}.")


def _decide(drift: Drift, state: DriftState, context: Context, change: ContactChange | None = None) -> None:
    """Write the decision down, in the caller's transaction."""
    drift.state, drift.change = state, change
    drift.decided_by, drift.decided_at = context.actor, timezone.now()
    drift.reason = context.reason.strip()
    drift.save(update_fields=["state", "change", "decided_by", "decided_at", "reason"])
    before, after = drift.before, drift.after
    facts: dict[str, Any] = {"before": before, "after": after}
    if change:
        facts = {"before": after, "after": before}
        facts |= {"change_id": change.pk, "change_set_id": change.change_set_id}
    detail = {"drift_event": drift.event_id}
    record_contact(ACTIONS[state], drift.contact, context, detail=detail, **facts)
