"""Mail about change sets: to those who may approve, and to the one who asked."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse

from contacts.models import ChangeSet, Decision
from orgs.access import Right, has_right
from portal.mail import send_later


def tell_approvers(change_set: ChangeSet) -> None:
    """A change set waits for one of them, or ran before anybody approved it."""
    people = get_user_model().objects.filter(is_active=True).exclude(pk=change_set.requested_by_id)
    approvers = [person for person in people if has_right(person, Right.APPROVE)]
    verb = "acted before approval" if change_set.broke_glass else "asks for approval"
    send_later(
        approvers,
        subject=f"{change_set.requested_by.label} {verb}: {change_set.title}",
        body=_body(change_set, f"{change_set.requested_by.label} {verb} of a change set."),
    )


def tell_requester(change_set: ChangeSet) -> None:
    """Somebody decided, time ran out, or the run has ended."""
    send_later(
        [change_set.requested_by],
        subject=f"{_state_words(change_set)}: {change_set.title}",
        body=_body(change_set, f"{_state_words(change_set)}. {change_set.decision_note}".strip()),
    )


def _state_words(change_set: ChangeSet) -> str:
    if change_set.decided_by and not change_set.finished_at:
        return f"{Decision(change_set.decision).label} by {change_set.decided_by.label}"
    return change_set.get_status_display()


def _body(change_set: ChangeSet, first: str) -> str:
    address = settings.PORTAL_URL + reverse("contacts:change_set_detail", args=[change_set.pk])
    lines = [first, "", f"{change_set.title}: {change_set.writes} contacts.", address]
    return "\n".join(lines)
