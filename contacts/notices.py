"""Mail about change sets: to those who may approve, and to the one who asked."""

from datetime import UTC

from django.conf import settings
from django.db.models import Count
from django.urls import reverse

from contacts.models import ChangeSet, ChangeStatus, Decision, SetKind, SetStatus
from contacts.within import people_over
from orgs.access import Right
from portal.mail import send_later

# “Replace soc@northwind.example”, and “Roll back: Replace soc@northwind.example”.
NAMED_BY_VALUES = (SetKind.REPLACE, SetKind.ROLL_BACK, SetKind.RETRY)
KINDS = (("change", "changed"), ("new", "new"), ("delete", "deleted"))


def tell_approvers(change_set: ChangeSet) -> None:
    """A change set waits for one of them, or ran before anybody approved it.

    Told are those who may approve every contact in it, and nobody else.
    """
    approvers = people_over(change_set, Right.APPROVE)
    approvers = [person for person in approvers if person.pk != change_set.requested_by_id]
    who = change_set.requested_by.label
    if change_set.broke_glass:
        first = f"{who} acted before any approval. Look at it now, and say whether it was right."
        send_later(
            approvers, subject=f"Acted before approval: {_title(change_set)}", body=_body(change_set, first)
        )
        return
    first = f"{who} asks for approval. Nothing is sent to AWS before somebody approves it."
    send_later(approvers, subject=f"Approval asked for: {_title(change_set)}", body=_body(change_set, first))


def tell_requester(change_set: ChangeSet) -> None:
    """Somebody decided, time ran out, or the run has ended."""
    subject, first = _decision(change_set) if _was_just_decided(change_set) else _end(change_set)
    send_later(
        [change_set.requested_by],
        subject=f"{subject}: {_title(change_set)}",
        body=_body(change_set, first),
    )


def counts_in_words(change_set: ChangeSet) -> str:
    """“96 changed, 18 new, 3 deleted”: what the plan writes."""
    counts = change_set.counts
    return ", ".join(f"{counts[key]:,} {word}" for key, word in KINDS if counts.get(key)) or "nothing"


def _was_just_decided(change_set: ChangeSet) -> bool:
    """Whether the decision is the latest that happened; a refused request ends with it."""
    if not change_set.decided_at:
        return False
    ended_at = change_set.finished_at
    return ended_at is None or change_set.status == SetStatus.REFUSED or change_set.decided_at > ended_at


def _decision(change_set: ChangeSet) -> tuple[str, str]:
    who = change_set.decided_by.label if change_set.decided_by else ""
    if change_set.decision == Decision.APPROVED:
        done = "It ran before." if change_set.broke_glass else "It is being sent to AWS."
        words = f"{who} approved it. {done}"
    elif change_set.broke_glass:
        words = f"{who} refused it. What was not sent yet is cancelled. What AWS took can be rolled back."
    else:
        words = f"{who} refused it. Nothing was sent."
    note = f" They say: “{change_set.decision_note}”" if change_set.decision_note else ""
    return Decision(change_set.decision).label, words + note


def _end(change_set: ChangeSet) -> tuple[str, str]:
    if change_set.status == SetStatus.EXPIRED:
        return "Lapsed", "Nobody decided in time. Nothing was sent. If it is still wanted, ask again."
    words = "The run was cancelled and has ended." if change_set.is_cancelled else "The run has ended."
    return "Finished", f"{words} {_outcomes(change_set)}".strip()


def _outcomes(change_set: ChangeSet) -> str:
    """“Applied: 96. Failed: 2.”"""
    tally = change_set.changes.order_by().values_list("status").annotate(Count("pk"))
    number_of = dict(tally)
    said = [(status.label, number_of[status]) for status in ChangeStatus if status in number_of]
    return " ".join(f"{label}: {number:,}." for label, number in said)


def _title(change_set: ChangeSet) -> str:
    """Its name; where that is made of what is looked for, an address or a phone, the kind stands for it."""
    if change_set.kind in NAMED_BY_VALUES:
        return f"{change_set.get_kind_display()}, change set {change_set.pk}"
    return change_set.title


def _body(change_set: ChangeSet, first: str) -> str:
    """Plain text. Of the contacts it says how many, and nothing else."""
    number = change_set.writes
    lines = [
        first,
        "",
        _title(change_set),
        f"{number:,} contact{'' if number == 1 else 's'}: {counts_in_words(change_set)}",
        f"Asked for by: {change_set.requested_by.label}",
        f"Reason: {change_set.reason}" + (f" ({change_set.ticket})" if change_set.ticket else ""),
    ]
    if change_set.needs_approval:
        lines.append(f"Needs approval because {', and because '.join(change_set.needs_approval)}")
    if change_set.status == SetStatus.WAITING and change_set.expires_at:
        lines.append(f"Lapses: {change_set.expires_at.astimezone(UTC):%d %B %Y, %H:%M} UTC")
    address = settings.PORTAL_URL + reverse("contacts:change_set_detail", args=[change_set.pk])
    return "\n".join([*lines, "", address, ""])
