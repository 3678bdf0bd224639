"""The figures of a week or month, from its events, and the proof that these are what was sealed."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Max, Min

from audit.anchors import Anchor, NotAnchors, kept_anchors
from audit.context import Source
from audit.former import former_people
from audit.models import Action, AuditEvent, AuditSeal, AuditVerification, Review
from audit.periods import Period
from audit.queries import AuditEventQuerySet
from audit.reviews import about, questions_between, said_of, to_review
from audit.verification import sentence, verify_stretch

VERIFIED_AT_ONCE = 20_000  # seals: more than a moment's work, and somebody waits for the page
MOST_QUESTIONS = 500
OUTCOMES = (
    Action.CHANGE_APPLIED,
    Action.CHANGE_UNCHANGED,
    Action.CHANGE_READ_BACK,
    Action.CHANGE_FAILED,
    Action.CHANGE_CONFLICT,
    Action.CHANGE_CANCELLED,
    Action.CHANGE_SUPERSEDED,
    Action.CHANGE_SKIPPED,
)
SETS = (
    Action.SET_SUBMITTED,
    Action.SET_APPROVED,
    Action.SET_REFUSED,
    Action.SET_EXPIRED,
    Action.GLASS_BROKEN,
    Action.SET_CANCELLED,
    Action.SET_FINISHED,
)
DRIFT = (Action.CONTACT_DRIFT, Action.DRIFT_ADOPTED, Action.DRIFT_REVERTED, Action.DRIFT_IGNORED)
ACCESS = (
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
    Action.CONTACTS_EXPORTED,
    Action.AUDIT_EXPORTED,
    Action.ACCESS_REFUSED,
)
# The parts of the report, in its order: a word for the reader, and pairs of what and how many.
Part = tuple[str, list[tuple[str, int]]]


def figures_of(period: Period) -> dict[str, Any]:
    """How much of what happened, what was said of it, and what was asked; JSON all through."""
    return {
        "parts": _parts(period),
        "review": review_of(period),
        "questions": [
            _question(review) for review in questions_between(period.begin, period.end)[:MOST_QUESTIONS]
        ],
    }


def events_of(period: Period) -> AuditEventQuerySet:
    """All that happened in it."""
    return AuditEvent.objects.filter(at__gte=period.begin, at__lt=period.end)


def to_review_in(period: Period) -> AuditEventQuerySet:
    """What of it somebody should look at."""
    return to_review().filter(at__gte=period.begin, at__lt=period.end)


def unreviewed_in(period: Period) -> AuditEventQuerySet:
    """What of it nobody said anything of."""
    return to_review_in(period).exclude(said_of())


def review_of(period: Period) -> dict[str, int]:
    """How much was to be looked at, and how much of that nobody did."""
    return {"to_review": to_review_in(period).count(), "unreviewed": unreviewed_in(period).count()}


def integrity_of(period: Period) -> dict[str, Any]:
    """From which seal to which the period's events are proven to be what was sealed, and how.

    A short stretch is verified now; for a long one the last verification of the whole chain speaks.
    """
    sealed = AuditSeal.objects.filter(event__at__gte=period.begin, event__at__lt=period.end)
    ends = sealed.aggregate(first=Min("seq"), last=Max("seq"), number=Count("seq"))
    events = events_of(period).count()
    if ends["first"] is None:
        how = "No event of this period has a seal yet." if events else "Nothing happened in this period."
        return {"events": events, "sealed": 0, "is_proven": not events, "how": how}
    first, last = ends["first"], ends["last"]
    facts = {"events": events, "sealed": ends["number"], "first": _head(first), "last": _head(last)}
    if events > ends["number"]:
        how = f"{events - ends['number']:,} events have no seal yet."
        return facts | {"is_proven": False, "how": how}
    proof = _verified_now(first, last) if last - first < VERIFIED_AT_ONCE else _verified_before(last)
    anchors = _anchors_around(first, last)
    if any(not anchor["held"] for anchor in anchors):
        proof = {"is_proven": False, "how": "The chain does not hold an anchor that was kept outside of it."}
    return facts | proof | {"anchors": anchors}


def rows_of(title: str, facts: dict[str, Any]) -> Iterable[list[Any]]:
    """The report as rows of a table: its part, what, and the figure or the words."""
    yield ["Part", "What", "Value"]
    yield ["Period", "Period", title]
    yield from (["Sign-off", what.capitalize(), value] for what, value in facts.get("sign_off", {}).items())
    for part, pairs in facts["parts"]:
        yield from ([part, what, number] for what, number in pairs)
    yield ["Review", "To review", facts["review"]["to_review"]]
    yield ["Review", "Not reviewed", facts["review"]["unreviewed"]]
    for question in facts["questions"]:
        name = f"Question {question['review']}"
        yield from (
            [name, what.replace("_", " ").capitalize(), value]
            for what, value in question.items()
            if what != "review"
        )
    yield from (["Integrity", what, value] for what, value in _integrity_rows(facts.get("integrity", {})))


def _parts(period: Period) -> list[Part]:
    columns = ("action", "actor_id", "actor_label", "contact_type", "source")
    former = former_people()
    tally = events_of(period).order_by().values_list(*columns).annotate(Count("pk"))
    by_action: Counter[str] = Counter()
    people: Counter[str] = Counter()
    types: Counter[str] = Counter()
    doors: Counter[str] = Counter()
    for action, person, name, contact_type, source, number in tally.iterator():
        by_action[action] += number
        if action == Action.CHANGE_REQUESTED:
            people[former.get(person, name)] += number
            types[contact_type] += number
            doors[source] += number
    asked = ("Asked for", by_action[Action.CHANGE_REQUESTED])
    return [
        ("Changes", [asked, *_labelled(OUTCOMES, by_action)]),
        ("Changes by person", people.most_common()),
        ("Changes by contact type", [(kind.capitalize(), number) for kind, number in sorted(types.items())]),
        ("Changes by door", [(str(Source(door).label), number) for door, number in doors.most_common()]),
        ("Change sets and approvals", _labelled(SETS, by_action)),
        ("Drift", _labelled(DRIFT, by_action)),
        ("People, rules and exports", _labelled(ACCESS, by_action)),
    ]


def _labelled(actions: Iterable[Action], numbers: Counter[str]) -> list[tuple[str, int]]:
    return [(str(action.label), numbers[action]) for action in actions]


def _question(review: Review) -> dict[str, Any]:
    answered, settled = review.answered_at, review.settled_at
    return {
        "review": review.pk,
        "about": about(review),
        "asked_by": review.by.label,
        "asked": review.asked.label if review.asked else "administrators",
        "at": review.at.isoformat(timespec="seconds"),
        "question": review.note,
        "answer": review.answer,
        "answered_at": answered.isoformat(timespec="seconds") if answered else "",
        "settled_at": settled.isoformat(timespec="seconds") if settled else "",
    }


def _head(seq: int) -> dict[str, Any]:
    seal = AuditSeal.objects.get(seq=seq)
    return {"seq": seal.seq, "event": seal.event_id, "hash": seal.hash}


def _verified_now(first: int, last: int) -> dict[str, Any]:
    checked, fault = verify_stretch(first, last)
    if fault:
        return {"is_proven": False, "how": sentence(fault)}
    how = (
        f"Verified at sign-off: {checked:,} events are what was sealed, and each seal follows the one before."
    )
    return {"is_proven": True, "how": how}


def _verified_before(last: int) -> dict[str, Any]:
    found = AuditVerification.objects.filter(seq__gte=last).first()
    if found is None:
        how = "Too long to be verified at sign-off, and no verification has covered it yet: run verify_audit."
        return {"is_proven": False, "how": how}
    at = f"{found.at:%Y-%m-%d %H:%M} UTC"
    if not found.is_intact:
        return {"is_proven": False, "how": f"The verification of {at} found: {found.problem}"}
    how = f"Too long to be verified at sign-off. The verification of {at} found the chain intact to seal "
    return {"is_proven": True, "how": f"{how}{found.seq:,}."}


def _anchors_around(first: int, last: int) -> list[dict[str, Any]]:
    """The anchors outside the database that the stretch lies between, and whether the chain holds them."""
    before: Anchor | None = None
    after: Anchor | None = None
    try:
        for anchor in kept_anchors() or ():
            if anchor.seq < first and (before is None or anchor.seq > before.seq):
                before = anchor
            if anchor.seq >= last and (after is None or anchor.seq < after.seq):
                after = anchor
    except (NotAnchors, OSError):
        return []
    return [_held(anchor) for anchor in (before, after) if anchor]


def _held(anchor: Anchor) -> dict[str, Any]:
    is_held = AuditSeal.objects.filter(seq=anchor.seq, hash=anchor.hash).exists()
    return {
        "at": anchor.at.isoformat(timespec="seconds"),
        "seq": anchor.seq,
        "hash": anchor.hash,
        "held": is_held,
    }


def _integrity_rows(facts: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    if not facts:
        return
    yield "Proven", "yes" if facts["is_proven"] else "no"
    yield "How", facts["how"]
    yield "Events", facts["events"]
    for end in ("first", "last"):
        if end in facts:
            yield f"{end.capitalize()} seal", f"{facts[end]['seq']} {facts[end]['hash']}"
    for anchor in facts.get("anchors", []):
        held = "held by the chain" if anchor["held"] else "not held by the chain"
        yield f"Anchor of {anchor['at']}", f"{anchor['seq']} {anchor['hash']}, {held}"
