"""What needs somebody: changes that ended badly, contacts we cannot read, values changed behind our back."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.urls import reverse

from contacts.approving import awaiting_decision, inbox_of
from contacts.finding import (
    change_sets_visible_to,
    changes_visible_to,
    contacts_visible_to,
    drifts_visible_to,
)
from contacts.integrity import get_integrity
from contacts.models import (
    UNDECIDED,
    AlternateContact,
    ChangeSet,
    ChangeStatus,
    ContactChange,
    ContactStatus,
    ContactType,
    Drift,
    DriftState,
    SetStatus,
)
from contacts.reviewing import questions_to_answer
from orgs.access import Right, has_right, scope_of, visible_to
from orgs.models import Account, Organization
from orgs.reading import fresh_since, silent_organizations
from portal.causes import Cause

# Icon, title, text (empty: the causes) and the word of the link.
CHANGE_MATTERS = {
    ChangeStatus.FAILED: ("x-octagon-fill", "{} failed", "", "Fix"),
    ChangeStatus.CONFLICT: (
        "intersect",
        "{} met another value in AWS",
        "Not overwritten: somebody changed the contact in AWS meanwhile.",
        "Decide",
    ),
    ChangeStatus.UNCONFIRMED: (
        "question-circle",
        "{} without an answer from AWS",
        "The portal reads the contact back until it is sure.",
        "Watch",
    ),
}


@dataclass(frozen=True)
class Matter:
    """One thing that needs somebody: how it looks, what it is, and where one goes on."""

    state: str
    icon: str
    title: str
    text: str
    action: str
    url: str


def unsettled(changes: QuerySet[ContactChange]) -> QuerySet[ContactChange]:
    """Changes that somebody must look at.

    One that ended badly is settled as soon as a later one was asked for, and by letting what stands in AWS
    stand: somebody adopted or ignored a change from outside since.
    """
    later = ContactChange.objects.filter(contact=OuterRef("contact"), pk__gt=OuterRef("pk"))
    ended_badly = Q(status__in=[ChangeStatus.FAILED, ChangeStatus.CONFLICT]) & ~Exists(later) & ~let_stand()
    return changes.filter(ended_badly | Q(status__in=[ChangeStatus.UNCONFIRMED, ChangeStatus.WAITING]))


def let_stand() -> Exists:
    """For changes: whether somebody let a value from outside stand after the change had ended."""
    decided = Drift.objects.filter(
        contact=OuterRef("contact"),
        state__in=[DriftState.ADOPTED, DriftState.IGNORED],
        decided_at__gt=OuterRef("finished_at"),
    )
    return Exists(decided)


def needs_attention(user: Any, organizations: Iterable[Organization]) -> list[Matter]:
    """The matters of what the user may see, the most urgent first; at most eleven queries."""
    accounts = visible_to(user).filter(left_at=None)
    contacts = contacts_visible_to(user).filter(account__left_at=None)
    return [
        *_evidence(user),
        *_questions(user),
        *_requests(user),
        *_organizations(organizations),
        *_silence(accounts.exclude(organization__in=organizations)),
        *_changes(user),
        *_unknown(accounts, contacts),
        *_drift(user),
    ]


def _evidence(user: Any) -> Iterator[Matter]:
    """An audit that does not verify comes before all else, for those who may look into it."""
    integrity = get_integrity() if scope_of(user, Right.AUDIT).is_everything else None
    url = reverse("contacts:audit_list")
    if integrity and not integrity.last.is_intact:
        title = "The audit does not verify"
        yield Matter("failed", "exclamation-triangle-fill", title, integrity.last.problem, "Look", url)
    elif integrity and integrity.is_overdue:
        text = "The verification of each night did not run. Are the workers and beat up?"
        yield Matter("unknown", "question-circle", "The audit was not verified of late", text, "Look", url)


def _organizations(organizations: Iterable[Organization]) -> Iterator[Matter]:
    for owner in organizations:
        if owner.problem:
            cause = Cause(owner.problem)
            url = reverse("orgs:organization_detail", args=[owner.aws_id])
            text = f"{cause.label} {cause.remedy}"
            yield Matter("failed", "diagram-3", f"{owner} cannot be read in full", text, "Mend", url)
    pks = [owner.pk for owner in organizations]
    for owner in silent_organizations(Organization.objects.filter(pk__in=pks)):
        url = reverse("orgs:organization_detail", args=[owner.aws_id])
        text = "No account was read for longer than contacts may be old. Are the workers and beat up?"
        yield Matter("failed", "hourglass-split", f"Nothing of {owner} is read", text, "Look", url)


def _silence(accounts: QuerySet[Account]) -> Iterator[Matter]:
    """The same for accounts outside of those organizations, whose pages this person has not."""
    newest_at = accounts.aggregate(at=Max("contacts_read_at"))["at"]
    if newest_at and newest_at < fresh_since():
        text = "No account was read for longer than contacts may be old. Tell whoever runs the portal."
        url = f"{reverse('contacts:account_list')}?sort=read"
        yield Matter("failed", "hourglass-split", "Nothing that you see is read", text, "Show", url)


def _requests(user: Any) -> Iterator[Matter]:
    """Change sets that somebody has to decide on; whoever may, is sent to the inbox."""
    is_glass = Q(broke_glass=True)
    numbers = _awaiting(user).aggregate(
        broken=Count("pk", filter=is_glass), waiting=Count("pk", filter=~is_glass)
    )
    is_approver = _has_inbox(user)
    url = reverse("contacts:approval_list") if is_approver else reverse("contacts:change_set_list")
    action = "Decide" if is_approver else "See them"
    if numbers["broken"]:
        title = f"{_number(numbers['broken'], 'change set')} sent before any approval"
        text = "An administrator acted in an emergency. Somebody else has to say whether it was right."
        yield Matter("failed", "exclamation-triangle-fill", title, text, action, url)
    if numbers["waiting"]:
        title = f"{_number(numbers['waiting'], 'request')} waiting for approval"
        url += "" if is_approver else f"?status={SetStatus.WAITING}"
        text = "Nothing is sent before somebody else has agreed."
        yield Matter("waiting", "person-check", title, text, action, url)


def _awaiting(user: Any) -> QuerySet[ChangeSet]:
    """What waits for a decision, as far as this person sees it."""
    found = awaiting_decision()
    is_everything = scope_of(user, Right.VIEW).is_everything
    return found if is_everything else found.filter(pk__in=change_sets_visible_to(user).values("pk"))


def _has_inbox(user: Any) -> bool:
    """Whether some of it is for this person to decide."""
    scope = scope_of(user, Right.APPROVE)
    return scope.is_everything or (bool(scope.parts) and inbox_of(user).exists())


def _questions(user: Any) -> Iterator[Matter]:
    """What reviewers asked this person."""
    number = questions_to_answer(user).count()
    if number:
        title = f"{_number(number, 'question')} for you to answer"
        url = reverse("contacts:review_question_list")
        text = "A reviewer asks about something that you did. It stays open until you answer."
        yield Matter("waiting", "question-circle", title, text, "Answer", url)


def _changes(user: Any) -> Iterator[Matter]:
    changes = unsettled(changes_visible_to(user).filter(contact__account__left_at=None)).order_by()
    causes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for status, problem, number in changes.values_list("status", "problem").annotate(Count("pk")):
        causes[status][problem] += number
    for status, (icon, words, text, action) in CHANGE_MATTERS.items():
        if status in causes:
            title = words.format(_number(causes[status].total(), "change"))
            url = f"{reverse('contacts:change_list')}?show=attention&status={status}"
            yield Matter(status, icon, title, text or _cause_words(causes[status]), action, url)


def _unknown(accounts: QuerySet[Account], contacts: QuerySet[AlternateContact]) -> Iterator[Matter]:
    contacts = contacts.filter(status=ContactStatus.UNKNOWN).order_by()
    causes = Counter(dict(contacts.values_list("problem").annotate(Count("account", distinct=True))))
    number = causes.pop(Cause.NOT_READ_YET, 0)
    lists = f"{reverse('contacts:account_list')}?contact=unknown"
    if causes:
        accounts_refused = causes.total()
        if len(causes) > 1:  # an account may have several
            refused = contacts.exclude(problem=Cause.NOT_READ_YET)
            accounts_refused = refused.aggregate(number=Count("account", distinct=True))["number"]
        title = f"{_number(accounts_refused, 'account')} cannot be read in full"
        url = lists + (f"&problem={next(iter(causes))}" if len(causes) == 1 else "")
        yield Matter("unknown", "question-circle", title, _cause_words(causes), "See why", url)
    # An account that was never read may have no rows yet.
    number += accounts.filter(contacts_read_at=None, contacts=None).count()
    if number:
        title = f"{_number(number, 'account')} not read yet"
        text = "The portal reads them one after another, as fast as AWS allows."
        yield Matter(
            "queued", "hourglass-split", title, text, "Show", f"{lists}&problem={Cause.NOT_READ_YET}"
        )


def _drift(user: Any) -> Iterator[Matter]:
    """What somebody changed in AWS directly, until it is adopted, reverted or ignored."""
    drifts = drifts_visible_to(user).filter(UNDECIDED, contact__account__left_at=None).order_by()
    is_security = Q(contact__contact_type=ContactType.SECURITY)
    numbers = drifts.aggregate(all=Count("pk"), security=Count("pk", filter=is_security))
    if number := numbers["all"]:
        title = f"{_number(number, 'contact')} changed outside the portal"
        alarm = f" SECURITY contacts among them: {numbers['security']:,}." if numbers["security"] else ""
        text = f"Somebody changed them in AWS directly, and nobody has decided on it yet.{alarm}"
        action = "Decide" if has_right(user, Right.EDIT) else "See them"
        url = f"{reverse('contacts:drift_list')}?state={DriftState.OPEN}"
        yield Matter("waiting", "signpost-split", title, text, action, url)


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _cause_words(causes: Counter[str]) -> str:
    """“An IAM policy does not allow it: 3. AWS did not answer: 1.”"""
    said = [(Cause(cause).label.rstrip("."), number) for cause, number in causes.most_common() if cause]
    return " ".join(f"{words}: {number:,}." for words, number in said)
