"""The manager's job: look through a month, ask about one change, sign the month off, print it, prove it."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from audit.context import Context, Source, worker_context
from audit.log import event, record_all
from audit.models import Action
from audit.seals import seal_pending
from tests.contacts.scene import GATEWAY, LEDGER, Scene
from tests.journeys.test_main_job import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
OLD = {"status": "set", "name": "Security Desk", "email": "soc@northwind.example"}
QUESTION, ANSWER = "Why did the SOC lose its address?", "The desk moved to the partner, see CHG-77."


@pytest.fixture
def october(transactional_db, cast) -> None:
    """Five changes of two people and one from outside, all in October 2026 and sealed."""
    Scene()
    events = []
    for day, name in ((5, "alice"), (6, "hank"), (7, "hank"), (8, "alice"), (9, "hank")):
        context = Context(actor=cast[name], source=Source.PAGE, reason=f"Rota of {day} October.")
        after = OLD | {"email": f"rota-{day}@northwind.example"}
        facts = {"account_id": LEDGER, "contact_type": "SECURITY", "before": OLD, "after": after}
        events.append((day, event(Action.CHANGE_REQUESTED, context, **facts)))
    drift = {"account_id": GATEWAY, "contact_type": "BILLING", "before": OLD, "after": {"status": "absent"}}
    events.append((12, event(Action.CONTACT_DRIFT, worker_context(), **drift)))
    for day, happened in events:
        happened.at = datetime(2026, 10, day, 10, 30, tzinfo=UTC)
    record_all([happened for _, happened in events])
    seal_pending()


def visit(browser: Browser, live_server, name: str) -> Page:
    """This person, signed in, in a browser of their own."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    sign_in(page, live_server.url, name)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    return page


def review_the_month(page: Page) -> None:
    """Everything is in order but the change of 5 October, which is questioned."""
    page.get_by_role("link", name="Review").first.click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(6)
    questioned = page.locator("tr", has_text="Rota of 5 October.")
    page.locator("thead .page-check").check()
    questioned.locator(".row-check").uncheck()
    expect(page.locator("[data-tally]")).to_have_text("5 items selected")
    page.get_by_role("button", name="Reviewed").click()
    expect(page.locator("main")).to_contain_text("5 marked as reviewed.")
    expect(rows).to_have_count(1)
    questioned.locator(".row-check").check()
    page.get_by_label("Note or question").fill(QUESTION)
    page.get_by_role("button", name="Question").click()
    expect(page.locator("main")).to_contain_text("1 question asked.")
    expect(page.locator("main")).to_contain_text("Nothing to review")


def answer_the_question(page: Page) -> None:
    """The editor finds it on the overview."""
    page.get_by_role("link", name="Answer: 1 question for you to answer").click()
    page.get_by_role("link", name=QUESTION).click()
    expect(page.locator("main")).to_contain_text("rota-5@northwind.example")
    page.get_by_label("Your answer").fill(ANSWER)
    page.get_by_role("button", name="Send the answer").click()
    expect(page.locator("main")).to_contain_text("Answered. Dana is told.")


def sign_off(page: Page) -> None:
    """Not before the question is settled."""
    page.get_by_role("link", name="Weeks and months").click()
    page.get_by_role("link", name="October 2026").click()
    expect(page.locator("main")).to_contain_text("Questions are open")
    page.get_by_role("link", name=QUESTION).click()
    expect(page.locator("main")).to_contain_text(ANSWER)
    page.get_by_role("button", name="Settle").click()
    page.goto(
        page.url.split("/review/")[0] + reverse("contacts:review_period_detail", args=["month", "2026-10-01"])
    )
    page.get_by_label("Note").fill("All explained.")
    page.get_by_role("button", name="Sign October 2026 off").click()
    expect(page.locator("main")).to_contain_text("October 2026 is signed off.")


def assert_prints(page: Page) -> None:
    """A light report without navigation or buttons."""
    page.emulate_media(media="print", color_scheme="dark")
    for words in (
        "Review of October 2026",
        "All explained.",
        QUESTION,
        ANSWER,
        "Proven",
        "Changes by person",
    ):
        expect(page.get_by_text(words).first).to_be_visible()
    for name in (".app-side", ".app-top", ".actions", ".no-print"):
        for part in page.locator(name).all():
            expect(part).to_be_hidden()
    assert page.pdf(format="A4").startswith(b"%PDF-")
    page.emulate_media(media="screen")


def assert_export_verifies(page: Page, url: str, tmp_path) -> None:
    """The file is proven by the script alone, and by nothing of the portal."""
    seal_pending()
    answer = page.request.get(f"{url}{reverse('contacts:audit_export')}?format=jsonl")
    assert answer.ok
    (tmp_path / "audit.jsonl").write_bytes(answer.body())
    script = settings.BASE_DIR / "docs" / "verify_audit_export.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", script, tmp_path / "audit.jsonl"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "INTACT" in done.stdout


def test_a_month_is_reviewed_questioned_signed_off_printed_and_proven(
    october, browser, live_server, tmp_path
):
    dana = visit(browser, live_server, "dana")
    review_the_month(dana)
    answer_the_question(visit(browser, live_server, "alice"))
    sign_off(dana)
    assert_prints(dana)
    assert_export_verifies(dana, live_server.url, tmp_path)
