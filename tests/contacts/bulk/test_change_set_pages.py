"""The page of a change set, from plan to report: what it shows to whom, and what can be done from it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.context import worker_context
from audit.models import Action
from contacts.approval import save_rules
from contacts.bulk import run
from contacts.bulk.line import Line, Problem
from contacts.bulk.plan import make_plan
from contacts.events import record_change
from contacts.models import ApprovalRules, ChangeSet, ChangeStatus, ContactChange, SetKind, SetStatus
from contacts.steering import pause
from portal.causes import Cause
from tests.contacts.bulk.plans import by, decide, plan_for, submit
from tests.contacts.scene import DESK, FINANCE, LEDGER, ROTA, as_person
from tests.plain import plain

ENDED = {
    ChangeStatus.APPLIED: Action.CHANGE_APPLIED,
    ChangeStatus.FAILED: Action.CHANGE_FAILED,
    ChangeStatus.CONFLICT: Action.CHANGE_CONFLICT,
}


def url(change_set: ChangeSet, name: str = "detail") -> str:
    return reverse(f"contacts:change_set_{name}", args=[change_set.pk])


def get(person, change_set: ChangeSet, name: str = "detail", **query: str):
    return as_person(person).get(url(change_set, name), query)


def post(person, change_set: ChangeSet, name: str, **data: str):
    return as_person(person).post(url(change_set, name), data)


def fill_in(change_set: ChangeSet, **data: str) -> dict[str, str]:
    """The form of the plan as the page has it, with a reason."""
    return {"reason": "Duty rota moves.", "ticket": "", "plan_hash": change_set.plan_hash} | data


def asks_for_approval(erin) -> None:
    save_rules(ApprovalRules(more_than=0), context=by(erin))


@pytest.fixture
def plan(scene, alice) -> ChangeSet:
    """A change, a new contact, a deletion, an unchanged one, and a refused line."""
    lines = [
        Line(2, LEDGER, "SECURITY", {"phone": "000000000"}),
        Line(3, scene.gateway.aws_id, "SECURITY", vars(DESK)),
        Line(4, LEDGER, "BILLING", None),
        Line(5, LEDGER, "OPERATIONS", {"name": ROTA.name}),
        Line(6, "38557091002", "SECURITY", {}, (Problem("AccountId", "Account id has 11 digits."),)),
    ]
    return make_plan(lines, kind=SetKind.FILE, title="November", context=by(alice), file_name="november.csv")


@pytest.fixture
def running(scene, alice) -> ChangeSet:
    """Three changes, all queued."""
    wanted = [(scene.ledger, kind, DESK) for kind in ("BILLING", "OPERATIONS")]
    change_set = submit(plan_for(alice, [*wanted, (scene.gateway, "SECURITY", DESK)]))
    run.advance(change_set.pk)
    change_set.refresh_from_db()
    return change_set


def end(change: ContactChange, status: ChangeStatus, cause: str = "") -> None:
    """AWS answered."""
    change.status, change.problem, change.finished_at = status, cause, timezone.now()
    change.save()
    record_change(ENDED[status], change, worker_context())


@pytest.fixture
def finished(running) -> ChangeSet:
    """One of the three was applied, one failed, one met another value."""
    first, second, third = running.changes.order_by("pk")
    end(first, ChangeStatus.APPLIED)
    end(second, ChangeStatus.FAILED, Cause.POLICY_DENIES)
    end(third, ChangeStatus.CONFLICT)
    run.watch()
    running.refresh_from_db()
    return running


# The plan


def test_a_plan_shows_the_refused_line_first_and_every_line_old_and_new(plan, alice):
    page = get(alice, plan)
    rows = [shown.row.line for shown in page.context["rows"]]
    assert rows == [6, 2, 3, 4, 5]
    assert "<b>AccountId:</b> Account id has 11 digits." in " ".join(page.text.split())
    assert f"<del>{DESK.phone}</del>" in plain(page.text)
    assert "<ins>000000000</ins>" in plain(page.text)
    assert f"<ins>{DESK.name} · {DESK.title} · {DESK.email} · {DESK.phone}</ins>" in page.text
    assert f"<del>{FINANCE.name} · {FINANCE.title} · {FINANCE.email} · {FINANCE.phone}</del>" in page.text
    assert "The phone number looks like a placeholder." in page.text
    assert "As read from AWS" in page.text
    assert "Send 3 changes" in page.text
    assert "Send the other 3 without the 1 refused line" in page.text


@pytest.mark.parametrize(
    ("show", "lines"), [("refused", [6]), ("change", [2]), ("new", [3]), ("delete", [4]), ("unchanged", [5])]
)
def test_a_tab_shows_the_lines_of_one_kind(plan, alice, show, lines):
    page = get(alice, plan, show=show)
    assert [shown.row.line for shown in page.context["rows"]] == lines
    tab = next(tab for tab, _ in page.context["tabs"] if tab.is_current)
    assert (tab.name, tab.count) == (show, 1)


def test_a_plan_of_many_lines_comes_in_pages_at_the_same_cost(scene, alice, django_assert_max_num_queries):
    lines = [Line(number, str(number), "SECURITY", {}) for number in range(1, 101)]
    lines += [Line(number + 100, LEDGER, "SECURITY", vars(DESK)) for number in range(1, 101)]
    change_set = make_plan(lines, kind=SetKind.PASTED, title="Many", context=by(alice))
    client = as_person(alice)
    with django_assert_max_num_queries(25):
        page = client.get(url(change_set), {"page": "8"})
    assert len(page.context["rows"]) == 25
    assert page.context["rows"][-1].row.line == 101  # the only right one, after those that repeat it


def test_a_draft_is_its_authors_alone(plan, erin, alice):
    assert get(erin, plan).status_code == 404
    assert get(alice, plan).status_code == 200


# Submitting


def test_the_right_lines_go_without_the_refused_ones_only_by_choice(plan, alice):
    page = post(alice, plan, "submit", **fill_in(plan, ticket="SEC-4182"))
    assert page.status_code == 422
    assert "Mend the refused lines (1), or send the others without them." in page.text
    assert "SEC-4182" in page.text
    plan.refresh_from_db()
    assert plan.status == SetStatus.PLANNED
    answer = post(alice, plan, "submit", **fill_in(plan, without_refused="on"))
    assert answer.url == url(plan)
    plan.refresh_from_db()
    assert (plan.status, plan.reason) == (SetStatus.PREPARING, "Duty rota moves.")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"reason": ""}, "Say why: the audit keeps the reason."),
        ({"plan_hash": "0" * 64}, "The plan is not the one that was shown."),
        ({"reason": "x" * 501}, "at most 500 characters"),
    ],
)
def test_what_stands_in_the_way_is_said_beside_the_form(plan, alice, data, words):
    page = post(alice, plan, "submit", **fill_in(plan, without_refused="on") | data)
    assert page.status_code == 422
    assert words in page.text
    plan.refresh_from_db()
    assert plan.status == SetStatus.PLANNED


def test_a_second_click_says_that_it_was_submitted(plan, alice):
    form = fill_in(plan, without_refused="on")
    client = as_person(alice)
    client.post(url(plan, "submit"), form)
    page = client.post(url(plan, "submit"), form, follow=True)
    assert "This plan was submitted or discarded already." in page.text


def test_what_needs_an_approval_asks_for_it(plan, alice, erin, frank):
    asks_for_approval(erin)
    assert "Ask for approval of 3 changes" in get(alice, plan).text
    post(alice, plan, "submit", **fill_in(plan, without_refused="on"))
    page = get(alice, plan)
    assert f"because {page.context['reasons'][0]}" in page.text
    assert "Withdraw the request" in page.text
    assert "Approve 3 changes" not in page.text
    assert "Approve 3 changes" in get(frank, plan).text
    assert get(frank, plan, "live", seen="Approve").status_code == 204
    plan.refresh_from_db()
    decide(plan, frank)
    assert get(alice, plan, "live", seen="Approve").headers["HX-Refresh"] == "true"


def test_only_administrators_break_the_glass(scene, hank, erin):
    asks_for_approval(erin)
    plans = {person: plan_for(person, [(scene.ledger, "SECURITY", ROTA)]) for person in (hank, erin)}
    assert "without approval" not in get(hank, plans[hank]).text
    assert "Send 1 change without approval" in get(erin, plans[erin]).text
    form = {person: fill_in(plans[person], break_glass="1") for person in plans}
    assert post(hank, plans[hank], "submit", **form[hank]).status_code == 403
    assert post(erin, plans[erin], "submit", **form[erin]).status_code == 302
    plans[erin].refresh_from_db()
    assert (plans[erin].status, plans[erin].broke_glass) == (SetStatus.PREPARING, True)
    page = get(hank, plans[erin])
    assert "sent this before any approval" in page.text
    assert [step.label for step in page.context["steps"] if step.is_done] == ["Plan"]


def test_a_plan_is_discarded(plan, alice):
    post(alice, plan, "withdraw")
    plan.refresh_from_db()
    assert plan.status == SetStatus.DISCARDED
    assert "Send 3 changes" not in get(alice, plan).text


# The run


def test_a_run_shows_what_is_done_how_fast_and_how_long_still(running, alice, redis_url):
    first, second, third = running.changes.order_by("pk")
    end(first, ChangeStatus.APPLIED)
    end(second, ChangeStatus.FAILED, Cause.POLICY_DENIES)
    ChangeSet.objects.filter(pk=running.pk).update(started_at=timezone.now() - timedelta(seconds=20))
    page = get(alice, running)
    progress = page.context["progress"]
    assert (progress.done, progress.total, progress.unsent) == (2, 3, 1)
    assert progress.rate == pytest.approx(0.1, abs=0.01)
    assert 9 <= progress.seconds_left <= 11  # one change at the pace so far, not at the quota's
    assert "1 applied, 1 failed, 1 queued, of 3" in page.text
    assert Cause.POLICY_DENIES.remedy in page.context["needing"][0].why
    assert [shown.row.change_id for shown in page.context["latest"]] == [second.pk, first.pk]
    assert "Cancel the other 1…" in page.text
    part = get(alice, running, "live", seen="Run")
    assert 'id="live"' in part.text
    assert 'id="set-facts" hx-swap-oob="true"' in part.text


def test_a_page_that_is_open_is_told_that_the_run_has_ended(finished, alice):
    assert get(alice, finished, "live", seen="Run").headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in get(alice, finished).text.partition("<main")[2]


def test_a_run_is_paused_resumed_and_cancelled(running, alice, bob, frank):
    assert "Pause" not in get(bob, running).text
    post(frank, running, "pause")
    page = get(alice, running)
    assert "Resume" in page.text
    assert "nothing more is sent until somebody resumes it" in page.text
    post(alice, running, "resume")
    running.refresh_from_db()
    assert running.status == SetStatus.PREPARING
    assert "3 changes will not be sent" in get(alice, running, "cancel").text
    post(alice, running, "cancel")
    run.advance(running.pk)
    page = get(alice, running)
    assert page.context["progress"].bar["cancelled"] == 3
    running.refresh_from_db()
    assert (running.status, running.is_cancelled) == (SetStatus.FINISHED, True)


def test_what_comes_too_late_is_said(finished, alice):
    client = as_person(alice)
    page = client.post(url(finished, "pause"), follow=True)
    assert "This is not possible any more: the change set is finished." in page.text


def test_a_paused_run_says_no_time(running, alice):
    pause(running, context=by(alice))
    assert not get(alice, running).context["progress"].is_moving


# The report


def test_a_report_shows_what_needs_somebody_first(finished, alice):
    page = get(alice, finished)
    states = [shown.state for shown in page.context["rows"]]
    assert states == ["failed", "conflict", "applied"]
    tabs = {tab.name: tab.count for tab, _ in page.context["tabs"]}
    assert tabs == {"": 3, "attention": 2, "applied": 1, "failed": 1, "conflict": 1}
    assert Cause.POLICY_DENIES.label in page.text
    for name, count in tabs.items():
        assert len(get(alice, finished, show=name).context["rows"]) == count


def test_a_report_leads_to_a_second_try_and_to_the_way_back(finished, alice, bob):
    assert "Roll back…" not in get(bob, finished).text
    for name, kind, number in (("retry", SetKind.RETRY, 2), ("roll_back", SetKind.ROLL_BACK, 1)):
        answer = post(alice, finished, name)
        follower = ChangeSet.objects.get(kind=kind)
        assert answer.url == url(follower)
        assert (follower.origin, follower.status, follower.rows.count()) == (
            finished,
            SetStatus.PLANNED,
            number,
        )
        assert finished.title in get(alice, follower).text
        assert follower.title in get(alice, finished).text
        assert follower.title not in get(bob, finished).text


def test_one_change_is_rolled_back_from_its_own_page(finished, alice):
    change = finished.changes.get(status=ChangeStatus.APPLIED)
    client = as_person(alice)
    page = client.get(reverse("contacts:change_detail", args=[change.pk]))
    assert url(finished) in page.text
    assert "Roll back…" in page.text
    answer = client.post(reverse("contacts:change_roll_back", args=[change.pk]))
    way_back = ChangeSet.objects.get(kind=SetKind.ROLL_BACK)
    assert answer.url == url(way_back)
    assert way_back.rows.get().undoes == change


def test_a_change_that_was_not_applied_has_no_way_back(finished, alice):
    change = finished.changes.get(status=ChangeStatus.CONFLICT)
    address = reverse("contacts:change_roll_back", args=[change.pk])
    page = as_person(alice).post(address, follow=True)
    assert page.redirect_chain[-1][0] == reverse("contacts:change_detail", args=[change.pk])
    assert 'role="alert"' in page.text


def test_lines_that_are_left_out_are_chosen(scene, finished, alice):
    conflict = finished.changes.get(status=ChangeStatus.CONFLICT)
    scene.put(conflict.contact.account, conflict.contact.contact_type, ROTA)
    post(alice, finished, "retry")
    plan = ChangeSet.objects.get(kind=SetKind.RETRY)
    before, row = plan.plan_hash, plan.rows.get(is_left_out=True)
    page = get(alice, plan, show="left_out")
    assert [shown.row for shown in page.context["rows"]] == [row]
    post(alice, plan, "choose", shown=str(row.pk), chosen=str(row.pk))
    plan.refresh_from_db()
    assert (plan.counts.get("left_out", 0), plan.writes) == (0, 2)
    assert plan.plan_hash != before
    post(alice, plan, "choose", shown=str(row.pk))
    plan.refresh_from_db()
    assert (plan.counts["left_out"], plan.plan_hash) == (1, before)


def test_a_plan_that_is_being_made_is_waited_for(plan, alice):
    ChangeSet.objects.filter(pk=plan.pk).update(status=SetStatus.PLANNING)
    assert "The plan is being made" in get(alice, plan).text
    assert get(alice, plan, "live", seen="Plan").status_code == 204
    ChangeSet.objects.filter(pk=plan.pk).update(status=SetStatus.PLANNED)
    assert get(alice, plan, "live", seen="Plan").headers["HX-Refresh"] == "true"


@pytest.mark.parametrize("status", [SetStatus.REFUSED, SetStatus.EXPIRED, SetStatus.DISCARDED])
def test_what_ended_without_a_run_offers_nothing(scene, alice, frank, status):
    change_set = scene.change_set(alice, status=status, finished_at=timezone.now())
    for reader in (alice, frank):
        page = get(reader, change_set)
        assert "What was not sent" in page.text
        assert '<form method="post" action="/change-sets/' not in page.text


def test_the_overview_names_the_last_sets_that_ran(running, plan, bob):
    page = as_person(bob).get(reverse("contacts:overview"))
    assert list(page.context["runs"]) == [running]
    assert url(running) in page.text


# The list


def test_the_list_shows_what_was_submitted_and_ones_own_plans(plan, running, alice, bob):
    address = reverse("contacts:change_set_list")

    def shown(reader, **query: str) -> list[ChangeSet]:
        return list(as_person(reader).get(address, query).context["object_list"])

    assert shown(alice) == [running, plan]
    assert shown(bob) == [running]
    assert shown(alice, kind="file") == [plan]
    assert shown(alice, status="running", person="alice") == [running]
    assert shown(alice, q="november") == [plan]
    post(alice, plan, "withdraw")
    assert shown(alice) == [running]
    assert shown(alice, status="discarded") == [plan]


def test_the_list_costs_the_same_for_many(scene, alice, bob, django_assert_max_num_queries):
    for _ in range(30):
        scene.change_set(alice)
    client = as_person(bob)
    with django_assert_max_num_queries(12):
        page = client.get(reverse("contacts:change_set_list"))
    assert "1–25 of 30 change sets" in page.text
