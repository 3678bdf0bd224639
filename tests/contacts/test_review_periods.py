"""Weeks and months: their figures, what stands in the way of a sign-off, and the report that is kept."""

import csv
import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.urls import reverse

from audit import triggers
from audit.context import Context, Source, worker_context
from audit.log import event, record_all
from audit.models import Action, AuditEvent, AuditVerification, PeriodKind, Review, ReviewPeriod, ReviewState
from audit.periods import Period, parse_period, period_of
from audit.seals import get_head, seal_pending
from contacts.change_sets import context_of
from contacts.models import Decision, SetStatus
from portal.hours import WorkingHours
from tests.contacts.scene import LEDGER, as_person

OCTOBER = ("month", "2026-10-01")
ADDRESS = reverse("contacts:review_period_detail", args=OCTOBER)
SIGN_OFF = reverse("contacts:review_period_sign_off", args=OCTOBER)
EXPORT = reverse("contacts:review_period_export", args=OCTOBER)
LIST, MARK = reverse("contacts:review_list"), reverse("contacts:review_mark")


def in_october(action: Action, context: Context, **facts) -> AuditEvent:
    happened = event(action, context, account_id=LEDGER, **facts)
    happened.at = datetime(2026, 10, 14, 9, tzinfo=UTC)
    return record_all([happened])[0]


@pytest.fixture
def october(scene, alice, hank, erin) -> dict[str, AuditEvent]:
    """A month that is over."""
    by_alice, by_erin = (Context(actor=person, source=Source.PAGE) for person in (alice, erin))
    ended = {"status": SetStatus.FINISHED, "decision": Decision.APPROVED, "decided_by": erin}
    change_set = scene.change_set(hank, **ended)
    acts = {
        "asked": in_october(Action.CHANGE_REQUESTED, by_alice, contact_type="SECURITY"),
        "applied": in_october(Action.CHANGE_APPLIED, by_alice, contact_type="SECURITY"),
        "set": in_october(Action.SET_SUBMITTED, context_of(change_set), change_set_id=change_set.pk),
        "in_set": in_october(
            Action.CHANGE_REQUESTED,
            context_of(change_set),
            change_set_id=change_set.pk,
            contact_type="BILLING",
        ),
        "approved": in_october(Action.SET_APPROVED, by_erin, change_set_id=change_set.pk),
        "drift": in_october(Action.CONTACT_DRIFT, worker_context(), contact_type="SECURITY"),
    }
    seal_pending()
    return acts


def key(happened: AuditEvent) -> str:
    return f"set:{happened.change_set_id}" if happened.change_set_id else f"event:{happened.pk}"


@pytest.mark.parametrize(
    ("kind", "day", "first", "last", "title"),
    [
        ("month", date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 28), "February 2026"),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31), "December 2026"),
        ("week", date(2027, 1, 3), date(2026, 12, 28), date(2027, 1, 3), "Week 53 of 2026"),
    ],
)
def test_weeks_begin_on_monday_and_months_on_the_first(kind, day, first, last, title):
    period = period_of(PeriodKind(kind), day)
    assert (period.first_day, period.last_day, period.title) == (first, last, title)
    assert period.next.previous == period.previous.next == period


def test_a_day_begins_where_the_company_works(settings):
    settings.WORKING_HOURS = WorkingHours.parse("Mon-Fri 08:00-17:00 Europe/London")
    period = Period(PeriodKind.MONTH, date(2026, 10, 1))
    assert period.begin == datetime(2026, 9, 30, 23, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 1, tzinfo=ZoneInfo("Europe/London"))


@pytest.mark.parametrize("parts", [("month", "2026-10-02"), ("day", "2026-10-01"), ("week", "x")])
def test_what_is_no_period_is_not_found(scene, dana, parts):
    with pytest.raises(ValueError):
        parse_period(*parts)
    assert as_person(dana).get(reverse("contacts:review_period_detail", args=parts)).status_code == 404


def test_the_report_counts_by_person_type_door_and_outcome(october, dana):
    page = as_person(dana).get(ADDRESS)
    parts = {title: dict(pairs) for title, pairs in page.context["facts"]["parts"]}
    assert parts["Changes"] | {"Applied": 1, "Asked for": 2} == parts["Changes"]
    assert parts["Changes by person"] == {"Alice": 1, "Hank": 1}
    assert parts["Changes by contact type"] == {"Billing": 1, "Security": 1}
    assert parts["Changes by door"] == {"Page": 2}
    assert parts["Change sets and approvals"]["Change set approved"] == 1
    assert parts["Drift"]["Changed outside the portal"] == 1
    assert page.context["facts"]["review"] == {"to_review": 3, "unreviewed": 3}
    reviewers = {r.person.username: (r.may_review, r.own) for r in page.context["reviewers"]}
    assert reviewers == {"dana": (3, 0), "erin": (2, 1)}


def test_the_list_says_what_is_left_and_who_signed(october, dana):
    client = as_person(dana)
    rows = client.get(reverse("contacts:review_period_list")).context["rows"]
    assert [(row["period"].title, row["review"]["unreviewed"]) for row in rows][1:] == [("October 2026", 3)]
    client.post(SIGN_OFF)
    assert "Signed off" in client.get(reverse("contacts:review_period_list")).text
    weeks = client.get(reverse("contacts:review_period_list"), {"kind": "week"}).context
    assert len(weeks["rows"]) == 6
    older = client.get(f"{reverse('contacts:review_period_list')}?kind=week&from={weeks['older'].first_day}")
    assert older.context["rows"][-1]["period"].title == "Week 42 of 2026"
    assert older.context["newer"].first_day == weeks["rows"][0]["period"].first_day


def test_a_signed_off_month_keeps_its_report_and_is_not_new_any_more(october, dana, erin):
    client = as_person(dana)
    assert len(client.get(LIST).context["rows"]) == 3
    assert client.post(SIGN_OFF, {"note": "A quiet month."}).url == ADDRESS
    assert client.get(LIST).context["rows"] == []
    assert len(client.get(LIST, {"since": "2026-10-01", "until": "2026-10-31"}).context["rows"]) == 3
    facts = ReviewPeriod.objects.get().facts
    integrity = facts["integrity"]
    assert (integrity["is_proven"], integrity["events"], integrity["sealed"]) == (True, 6, 6)
    assert integrity["last"] == {"seq": 6, "event": october["drift"].pk, "hash": get_head().hash}
    in_october(Action.CHANGE_REQUESTED, worker_context())
    page = client.get(ADDRESS)
    assert page.context["facts"]["review"] == {"to_review": 3, "unreviewed": 3}
    for words in ("A quiet month.", "Signed off by Dana", "Proven", integrity["first"]["hash"]):
        assert words in page.text
    said = AuditEvent.objects.get(action=Action.PERIOD_SIGNED_OFF)
    assert (said.actor_id, said.reason, said.detail["facts"]) == (dana.pk, "A quiet month.", facts)
    again = as_person(erin).post(SIGN_OFF)
    assert again.status_code == 422
    assert ReviewPeriod.objects.count() == 1


def test_ones_own_have_to_be_reviewed_by_somebody_else_first(october, dana, erin):
    assert "your own: another reviewer" in as_person(erin).get(ADDRESS).text
    assert as_person(erin).post(SIGN_OFF).status_code == 422
    as_person(dana).post(MARK, {"subject": key(october["set"]), "verdict": "reviewed"})
    assert as_person(erin).post(SIGN_OFF).status_code == 302


def test_an_open_question_stands_in_the_way_until_it_is_settled(october, dana, alice):
    client = as_person(dana)
    client.post(MARK, {"subject": key(october["asked"]), "verdict": "question", "note": "What for?"})
    question = Review.objects.get()
    page = client.post(SIGN_OFF)
    assert page.status_code == 422
    assert "What for?" in page.text
    answer = reverse("contacts:review_question_answer", args=[question.pk])
    as_person(alice).post(answer, {"answer": "For the rota."})
    assert client.post(SIGN_OFF).status_code == 422
    client.post(reverse("contacts:review_question_settle", args=[question.pk]))
    assert client.post(SIGN_OFF).status_code == 302
    [kept] = ReviewPeriod.objects.get().facts["questions"]
    assert (kept["question"], kept["answer"], kept["asked"]) == ("What for?", "For the rota.", "Alice")


def test_a_month_that_is_not_over_is_not_signed_off(scene, dana):
    month = period_of(PeriodKind.MONTH, date.today())
    address = reverse("contacts:review_period_sign_off", args=["month", month.first_day.isoformat()])
    page = as_person(dana).post(address)
    assert page.status_code == 422
    assert "It is not over yet." in page.text


def test_the_report_says_when_the_events_are_not_what_was_sealed(october, dana):
    triggers.uninstall()
    AuditEvent.objects.filter(pk=october["applied"].pk).update(reason="Bent.")
    triggers.install()
    as_person(dana).post(SIGN_OFF)
    integrity = ReviewPeriod.objects.get().facts["integrity"]
    assert not integrity["is_proven"]
    assert f"Event {october['applied'].pk}" in integrity["how"]
    assert "Not proven" in as_person(dana).get(ADDRESS).text


@pytest.mark.parametrize(
    ("is_intact", "words"),
    [(True, "intact to seal 6"), (False, "Event 5 was changed."), (None, "run verify_audit")],
)
def test_a_long_month_leans_on_the_last_verification(october, dana, monkeypatch, is_intact, words):
    monkeypatch.setattr("audit.period_report.VERIFIED_AT_ONCE", 3)
    if is_intact is not None:
        head = {"seq": get_head().seq, "hash": get_head().hash, "checked": 6}
        problem = "" if is_intact else "Event 5 was changed."
        at = datetime(2026, 11, 2, 3, 15, tzinfo=UTC)
        AuditVerification.objects.create(at=at, is_intact=is_intact, problem=problem, **head)
    as_person(dana).post(SIGN_OFF)
    integrity = ReviewPeriod.objects.get().facts["integrity"]
    assert integrity["is_proven"] is bool(is_intact)
    assert words in integrity["how"]


def test_the_anchors_around_the_month_are_held_against_the_chain(october, dana, settings, tmp_path):
    settings.AUDIT_ANCHOR_FILE = str(tmp_path / "anchors.jsonl")
    line = '{{"at": "2026-11-01T00:00:10+00:00", "seq": 6, "hash": "{}"}}\n'
    (tmp_path / "anchors.jsonl").write_text(line.format("f" * 64))
    as_person(dana).post(SIGN_OFF)
    integrity = ReviewPeriod.objects.get().facts["integrity"]
    assert (integrity["is_proven"], [anchor["held"] for anchor in integrity["anchors"]]) == (False, [False])


def test_the_file_of_a_report_holds_what_the_page_shows_and_is_an_event(october, dana):
    client = as_person(dana)
    client.post(SIGN_OFF, {"note": "=A quiet month."})
    answer = client.get(EXPORT)
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert rows[0] == ["Part", "What", "Value"]
    assert ["Changes by person", "Alice", "1"] in rows
    assert ["Sign-off", "Note", "'=A quiet month."] in rows
    assert ["Integrity", "Proven", "yes"] in rows
    assert AuditEvent.objects.get(action=Action.AUDIT_EXPORTED).detail == {"report": "October 2026"}


def test_the_report_costs_the_same_for_many(october, dana, django_assert_max_num_queries):
    person = Context(actor=dana, source=Source.PAGE)
    for _ in range(30):
        asked = in_october(Action.CHANGE_REQUESTED, person)
        Review.objects.create(event=asked, by=dana, at=asked.at, state=ReviewState.SETTLED)
    client = as_person(dana)
    with django_assert_max_num_queries(30):
        client.get(ADDRESS)


@pytest.mark.postgres  # SQLite takes no partial index for bound values
def test_the_review_has_an_index_of_its_own(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_indexes WHERE indexname = 'audit_to_review'")
        assert cursor.fetchone()
