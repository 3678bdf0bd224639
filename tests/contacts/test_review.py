"""Reviewing: what is new, saying that it is in order, and questions until they are settled."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from audit.context import Context, Source, worker_context
from audit.log import event, record, record_all
from audit.models import Action, AuditEvent, Review, ReviewState
from contacts.change_sets import context_of, record_set
from contacts.events import change_event, record_contact
from contacts.models import ChangeSet, ChangeStatus, ContactChange, Decision, PlannedChange, SetStatus
from contacts.reviewing import NOT_OWN
from portal.models import OutgoingMail
from tests.contacts.scene import as_person

LIST, MARK = reverse("contacts:review_list"), reverse("contacts:review_mark")
SUNDAY = datetime(2026, 10, 4, 12, tzinfo=UTC)


def asked(change: ContactChange, **facts) -> AuditEvent:
    """The event of a change that was asked for on a Sunday."""
    context = Context(actor=change.requested_by, source=Source.PAGE)
    happened = change_event(Action.CHANGE_REQUESTED, change, context, **facts)
    happened.at = SUNDAY
    return record_all([happened])[0]


def submitted(change_set: ChangeSet) -> AuditEvent:
    record_set(Action.SET_SUBMITTED, change_set, context_of(change_set))
    return AuditEvent.objects.latest("pk")


@pytest.fixture
def acts(scene, alice, hank, erin) -> dict[str, AuditEvent]:
    """What people and AWS did, oldest first."""
    failed = scene.change(alice, scene.ledger, "SECURITY", status=ChangeStatus.FAILED)
    waiting = scene.change(alice, scene.gateway, "BILLING", status=ChangeStatus.QUEUED)
    in_set = scene.change(hank, scene.ledger, "BILLING", status=ChangeStatus.CONFLICT)
    ended = {"status": SetStatus.FINISHED, "decision": Decision.APPROVED, "decided_by": erin}
    done = scene.change_set(hank, in_set, title="Rota moves", broke_glass=True, **ended)
    PlannedChange.objects.filter(change_set=done).update(account=scene.ledger)
    person = Context(actor=erin, source=Source.PAGE)
    acts = {"failed": asked(failed), "waiting": asked(waiting)}
    asked(in_set)
    acts["set"] = submitted(done)
    drift = {"before": {"status": "set", "email": "a@b.example"}, "after": {"status": "absent"}}
    contact = scene.contact(scene.gateway, "OPERATIONS")
    acts["drift"] = record_contact(Action.CONTACT_DRIFT, contact, worker_context(), **drift)
    acts["roles"] = record(Action.ROLES_CHANGED, person, detail={"user": "bob"})
    record(Action.SIGNED_IN, person)
    return acts


def shown(page) -> list[AuditEvent]:
    return [row.entry.event for row in page.context["rows"]]


def key(happened: AuditEvent) -> str:
    return f"set:{happened.change_set_id}" if happened.change_set_id else f"event:{happened.pk}"


def test_a_change_set_is_one_row_and_a_change_shows_how_it_ended(acts, dana):
    page = as_person(dana).get(LIST)
    assert shown(page) == [acts[name] for name in ("roles", "drift", "set", "waiting", "failed")]
    for words in (
        "Rota moves",
        "1 failed or in conflict",
        "sent before approval",
        "Approved by Erin",
        "Failed",
    ):
        assert words in page.text
    assert "5 to look at" in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "changes"}, ["waiting", "failed"]),
        ({"kind": "sets"}, ["set"]),
        ({"kind": "access"}, ["roles"]),
        ({"look": "failed"}, ["failed"]),
        ({"look": "conflict"}, ["set"]),
        ({"look": "glass"}, ["set"]),
        ({"look": "hours", "person": "alice"}, ["waiting", "failed"]),
        ({"person": "hank"}, ["set"]),
        ({"type": "BILLING"}, ["set", "waiting"]),
        ({"unit": "ou-ab12-payments"}, ["drift", "set", "waiting", "failed"]),
        ({"source": "worker"}, ["drift"]),
        ({"since": "2026-10-04", "until": "2026-10-04"}, ["waiting", "failed"]),
        ({"q": "old mailbox"}, ["set"]),
        ({"show": "questioned"}, []),
        ({"show": "mine"}, ["roles", "drift", "set", "waiting", "failed"]),
    ],
)
def test_filters(acts, dana, query, expected):
    assert shown(as_person(dana).get(LIST, query)) == [acts[name] for name in expected]


def test_each_group_leads_to_as_many_as_it_says(acts, dana):
    client = as_person(dana)
    page = client.get(LIST)
    labels = {group.label for group in page.context["groups"]}
    assert labels == {"What", "Look at", "Person", "Unit", "Contact type", "Door"}
    links = [link for group in page.context["groups"] for link in group.links]
    assert len(links) > 12
    assert {link.label: len(shown(client.get(LIST + link.href))) for link in links} == {
        link.label: int(link.count) for link in links
    }


def test_the_same_two_people_again_and_again_stand_out(scene, hank, erin, dana):
    ended = {"status": SetStatus.FINISHED, "decision": Decision.APPROVED, "decided_by": erin}
    sets = [submitted(scene.change_set(hank, **ended)) for _ in range(3)]
    submitted(scene.change_set(erin, **(ended | {"decided_by": hank})))
    client = as_person(dana)
    groups = {group.label: group.links for group in client.get(LIST).context["groups"]}
    [pair] = groups["Approved by the same pair"]
    assert (pair.label, pair.count) == ("Hank, approved by Erin", "3")
    page = client.get(LIST + pair.href)
    assert shown(page) == sets[::-1]
    assert "Hank and Erin" in page.text


def test_what_was_reviewed_is_not_new_and_leaves_an_event(acts, dana):
    client = as_person(dana)
    marks = {"subject": [key(acts["failed"]), key(acts["set"])], "verdict": "reviewed", "note": "Fine."}
    assert client.post(MARK, marks | {"back": f"{LIST}?kind=sets"}).url == f"{LIST}?kind=sets"
    assert shown(client.get(LIST)) == [acts[name] for name in ("roles", "drift", "waiting")]
    assert shown(client.get(LIST, {"show": "reviewed"})) == [acts["set"], acts["failed"]]
    said = AuditEvent.objects.filter(action=Action.REVIEWED).order_by("pk")
    assert [(e.actor_id, e.reason, e.account_id, e.change_set_id) for e in said] == [
        (dana.pk, "Fine.", acts["failed"].account_id, None),
        (dana.pk, "Fine.", "", acts["set"].change_set_id),
    ]
    assert [e.detail.get("event") for e in said] == [acts["failed"].pk, None]
    client.post(MARK, marks)
    assert Review.objects.count() == 2


def test_a_way_back_leads_nowhere_else(acts, dana):
    marks = {"subject": key(acts["failed"]), "verdict": "reviewed"}
    assert as_person(dana).post(MARK, marks | {"back": "//elsewhere.example/"}).url == LIST


@pytest.mark.parametrize("name", ["roles", "set"])
@pytest.mark.parametrize("verdict", ["reviewed", "question"])
def test_nobody_reviews_their_own_changes_or_approvals(acts, erin, name, verdict):
    client = as_person(erin)
    assert not next(
        row for row in client.get(LIST).context["rows"] if row.entry.event == acts[name]
    ).may_be_marked
    answer = client.post(MARK, {"subject": key(acts[name]), "verdict": verdict, "note": "x"})
    assert answer.status_code == 403
    assert NOT_OWN in answer.text
    assert not Review.objects.exists()


def test_a_step_of_ones_own_set_is_ones_own_too(acts, erin):
    step = AuditEvent.objects.get(action=Action.CHANGE_REQUESTED, change_set_id=acts["set"].change_set_id)
    answer = as_person(erin).post(MARK, {"subject": f"event:{step.pk}", "verdict": "reviewed"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ({"verdict": "reviewed"}, "has not ended yet"),
        ({"verdict": "question"}, "Say what you want to know"),
        ({"verdict": ""}, "Choose: reviewed, or a question."),
        ({"verdict": "question", "note": "x" * 501}, "at most 500 characters"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(acts, dana, marks, words):
    page = as_person(dana).post(MARK, {"subject": key(acts["waiting"])} | marks)
    assert page.status_code == 422
    assert words in page.text
    assert shown(page) == [acts["waiting"]]
    assert not Review.objects.exists()


@pytest.mark.parametrize("subject", ["event:999999", "set:999999", "set:x", "row:1", "event:"])
def test_what_is_not_there_cannot_be_marked(acts, dana, subject):
    assert as_person(dana).post(MARK, {"subject": subject, "verdict": "reviewed"}).status_code == 404


def test_a_review_cannot_be_reviewed(acts, dana, erin):
    as_person(dana).post(MARK, {"subject": key(acts["failed"]), "verdict": "reviewed"})
    said = AuditEvent.objects.get(action=Action.REVIEWED)
    assert as_person(erin).post(MARK, {"subject": key(said), "verdict": "reviewed"}).status_code == 404


def test_a_question_is_asked_answered_and_settled(acts, dana, alice, erin):
    alice.email = "alice@northwind.example"
    alice.save(update_fields=["email"])
    note = "Why on a Sunday?"
    as_person(dana).post(MARK, {"subject": key(acts["failed"]), "verdict": "question", "note": note})
    question = Review.objects.get()
    assert (question.state, question.asked, question.by) == (ReviewState.OPEN, alice, dana)
    mail = OutgoingMail.objects.get()
    address = reverse("contacts:review_question_detail", args=[question.pk])
    assert (mail.to, note in mail.body, address in mail.body) == (alice.email, True, True)
    assert "rota@northwind.example" not in mail.body

    client = as_person(alice)
    assert "1 question for you to answer" in client.get(reverse("contacts:overview")).text
    assert note in client.get(reverse("contacts:review_question_list")).text
    assert note in client.get(address).text
    answer = reverse("contacts:review_question_answer", args=[question.pk])
    assert client.post(answer, {"answer": "The partner fell out."}).status_code == 302
    assert client.post(answer, {"answer": "Once more."}).status_code == 422
    assert "for you to answer" not in client.get(reverse("contacts:overview")).text

    settle = reverse("contacts:review_question_settle", args=[question.pk])
    assert client.post(settle).status_code == 403
    assert "The partner fell out." in as_person(erin).get(address).text
    assert as_person(erin).post(settle, {"note": "Seen."}).status_code == 302
    assert as_person(erin).post(settle).status_code == 422
    question.refresh_from_db()
    assert question.state == ReviewState.SETTLED
    assert "Erin" in as_person(dana).get(address).text
    steps = AuditEvent.objects.filter(action__startswith="review.").order_by("pk")
    assert [(e.action, e.reason, e.detail["event"], e.detail["review"]) for e in steps] == [
        (action, words, acts["failed"].pk, question.pk)
        for action, words in (
            (Action.QUESTION_ASKED, note),
            (Action.QUESTION_ANSWERED, "The partner fell out."),
            (Action.QUESTION_SETTLED, "Seen."),
        )
    ]


def test_where_nobody_is_behind_it_an_administrator_answers(acts, dana, erin, alice):
    as_person(dana).post(MARK, {"subject": key(acts["drift"]), "verdict": "question", "note": "Who was it?"})
    answer = reverse("contacts:review_question_answer", args=[Review.objects.get().pk])
    assert as_person(alice).post(answer, {"answer": "Not me."}).status_code == 404
    assert as_person(dana).post(answer, {"answer": "x"}).status_code == 403
    assert "1 question for you to answer" in as_person(erin).get(reverse("contacts:overview")).text
    assert as_person(erin).post(answer, {"answer": "The account's owner."}).status_code == 302


def test_nobody_settles_a_question_about_their_own(acts, scene, dana, erin, hank):
    as_person(dana).post(MARK, {"subject": key(acts["set"]), "verdict": "question", "note": "Why so late?"})
    question = Review.objects.get()
    assert question.asked == hank
    as_person(hank).post(reverse("contacts:review_question_answer", args=[question.pk]), {"answer": "Late."})
    settle = reverse("contacts:review_question_settle", args=[question.pk])
    assert as_person(erin).post(settle).status_code == 403
    assert as_person(dana).post(settle).status_code == 302


def test_the_pages_of_an_event_and_a_set_show_and_offer_reviews(acts, dana, erin, alice):
    event_page = reverse("contacts:audit_detail", args=[acts["failed"].pk])
    set_page = reverse("contacts:change_set_detail", args=[acts["set"].change_set_id])
    for page, name in ((event_page, "failed"), (set_page, "set")):
        marks = {"subject": key(acts[name]), "verdict": "reviewed", "note": f"Seen {name}.", "back": page}
        assert as_person(dana).post(MARK, marks).url == page
        assert f"Seen {name}." in as_person(dana).get(page).text
        assert "Nobody said anything yet" not in as_person(dana).get(page).text
    assert "somebody else reviews it" in as_person(erin).get(set_page).text
    assert "h-review" not in as_person(alice).get(event_page).text


@pytest.mark.parametrize("name", ["failed", "set"])
def test_the_form_beside_an_event_and_a_set_is_taken_where_tokens_are_checked(acts, dana, name):
    client, happened = Client(enforce_csrf_checks=True), acts[name]
    client.force_login(dana)
    named = {"failed": ("audit_detail", happened.pk), "set": ("change_set_detail", happened.change_set_id)}
    page, pk = named[name]
    text = client.get(reverse(f"contacts:{page}", args=[pk])).text
    form = text.partition(f'action="{MARK}"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert client.post(MARK, fields | {"verdict": "reviewed"}).status_code == 302
    assert Review.objects.get().by == dana


def test_an_answer_of_aws_is_reviewed_as_the_change_that_was_asked_for(acts, dana, alice):
    facts = {"change_id": acts["failed"].change_id, "account_id": acts["failed"].account_id}
    answer = record(Action.CHANGE_FAILED, Context(actor=alice, source=Source.WORKER), **facts)
    page = as_person(dana).get(reverse("contacts:audit_detail", args=[answer.pk]))
    assert page.context["review"].key == key(acts["failed"])


def test_the_list_costs_the_same_for_many(acts, scene, dana, django_assert_max_num_queries):
    person = Context(actor=dana, source=Source.PAGE)
    record_all([event(Action.AUDIT_EXPORTED, person) for _ in range(40)])
    for _ in range(4):
        submitted(scene.change_set(dana))
    client = as_person(dana)
    with django_assert_max_num_queries(32):
        page = client.get(LIST, {"size": "50"})
    assert len(shown(page)) == 49
