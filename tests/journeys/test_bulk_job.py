"""The helpdesk's job: a file with every mistake, mended, approved, run, reported, and taken back."""

import sys
from dataclasses import asdict

import pytest
from playwright.sync_api import Browser, Page, expect

from contacts.models import AlternateContact, ChangeSet, PlannedChange
from contacts.observation import read_accounts
from orgs.models import Account
from portal.aws import ContactDetails
from portal.embedded import portal_parts
from portal.quota import Lane
from sandbox.testing import MANAGEMENT_ID, Sandbox
from tests.contacts.bulk.traps import ROWS, TYPES, mended_file, mended_values, trap_file
from tests.contacts.conftest import organization  # noqa: F401 - a fixture
from tests.hasty import widen_quotas
from tests.journeys.test_main_job import sign_in
from tests.live import LivePortal, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, pytest.mark.timeout(240)]

World = dict[tuple[str, str], dict[str, str] | None]
# What people leave in AWS: blanks around values, placeholders, and nothing at all.
LEFT_BEHIND = [
    ContactDetails("  Security Desk ", " SOC", "soc@northwind.example", " +44 20 7946 0150 "),
    ContactDetails("TBD", "-", "noreply@northwind.example", "000"),
    None,
]


@pytest.fixture
def world_size() -> int:
    """As many accounts as the file needs."""
    return 102


@pytest.fixture
def accounts(organization, sandbox, settings, monkeypatch) -> list[str]:  # noqa: F811
    """The ids of ninety active members, whose contacts have been read."""
    members = Account.objects.filter(state="ACTIVE").exclude(aws_id=MANAGEMENT_ID).order_by("aws_id")
    ids = list(members.values_list("aws_id", flat=True)[:90])
    for number, account_id in enumerate(ids[9:69:4]):
        left = LEFT_BEHIND[number % len(LEFT_BEHIND)]
        sandbox.set_contact(account_id, TYPES[number % 2], **(asdict(left) if left else {}))
    widen_quotas(monkeypatch.setitem)
    read_accounts(members.select_related("organization", "unit"), lane=Lane.PERSON)
    Account.objects.update(contacts_due_at="2100-01-01T00:00Z")
    return ids


@pytest.fixture
def absent(accounts) -> set[tuple[str, str]]:
    found = AlternateContact.objects.filter(status="absent").values_list("account__aws_id", "contact_type")
    return set(found)


@pytest.fixture
def portal(live_portal, accounts, hank, frank) -> LivePortal:
    """All parts at work; that of bulk changes as fast as the machine allows."""
    portal = live_portal(AWS_QUOTA_SHARE=1, COMPANY_EMAIL_DOMAINS="northwind.example")
    bulk = next(part for part in portal_parts(portal.port, portal.directory) if part.name == "bulk")
    arguments = bulk.command[bulk.command.index("celery") + 1 :]
    portal.launch("bulk", [sys.executable, "-m", "tests.hasty", *arguments])
    portal.start("web", "people", "beat")
    return portal


class Helpdesk:
    """Hank at his browser."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        sign_in(page, url, "hank")

    def upload(self, data: bytes) -> None:
        file = {"name": "rota.csv", "mimeType": "text/csv", "buffer": data}
        self.page.get_by_label("CSV or Excel file").set_input_files(file)
        self.page.get_by_role("button", name="Show the plan").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("rota.csv")

    def errors(self) -> dict[int, str]:
        """What the page says of each refused line."""
        self.page.get_by_role("navigation", name="Show").get_by_role("link", name="Refused").click()
        self.page.goto(f"{self.page.url}&size=100")
        rows = self.page.locator("#lines tbody tr").evaluate_all(
            "rows => rows.map(row => [row.cells[0].innerText, row.cells[3].innerText])"
        )
        return {int(line): " ".join(text.split()) for line, text in rows}

    def submit(self, reason: str, changes: int) -> ChangeSet:
        self.page.get_by_label("Reason").fill(reason)
        self.page.get_by_role("button", name=f"Ask for approval of {changes} changes").click()
        expect(self.page.get_by_text("Waiting for approval").first).to_be_visible()
        return ChangeSet.objects.latest("pk")

    def watch(self, planned: int) -> None:
        """See it run and end."""
        self.page.reload()
        expect(self.page.locator(".run-figure")).to_contain_text(f"of {planned} done")
        expect(self.page.locator("#h-report")).to_be_attached(timeout=60_000)


def approve(page: Page, url: str, change_set: ChangeSet) -> None:
    """Frank finds it in his inbox, looks, and approves."""
    page.goto(url)
    page.get_by_role("link", name="Approvals").first.click()
    page.get_by_role("link", name="Look at the plan").click()
    expect(page.locator("main")).to_contain_text(change_set.reason)
    page.get_by_role("button", name=f"Approve {change_set.writes} changes").click()
    expect(page.locator(".run-figure")).to_be_attached()


def world_of(sandbox: Sandbox) -> World:
    ids = Account.objects.values_list("aws_id", flat=True)
    return {(account, kind): sandbox.contact(account, kind) for account in ids for kind in TYPES}


def as_planned(before: World, change_set: ChangeSet) -> World:
    rows = change_set.rows.select_related("account")
    return before | {(row.account.aws_id, row.contact_type): row.wanted for row in rows}


def assert_planned_for(plan: ChangeSet) -> None:
    """The plan has what is hard to bring back."""
    names = {row.before.get("name") for row in plan.rows.filter(verdict="change")}
    assert {left.name for left in LEFT_BEHIND if left} <= names
    assert plan.counts["new"] >= 5


def test_two_hundred_rows_there_and_back(portal: LivePortal, browser: Browser, sandbox, accounts, absent):
    wait_until(lambda: " ready." in portal.log("bulk"), "bulk is ready", says=lambda: portal.log("bulk"))
    before = world_of(sandbox)
    wrong, expected = trap_file(accounts, absent)
    hank = Helpdesk(browser.new_context().new_page(), portal.url)
    hank.page.goto(f"{portal.url}/bulk/")
    hank.upload(wrong)
    told = hank.errors()
    assert told.keys() == expected.keys()
    missing = [(line, words) for line in expected for words in expected[line] if words not in told[line]]
    assert not missing
    refused = ChangeSet.objects.latest("pk").rows.filter(verdict="refused")
    counted = {row.line: len(row.problems) for row in refused}
    assert counted == {line: len(words) for line, words in expected.items()}, "and nothing else is wrong"

    hank.page.get_by_role("link", name="Upload again").click()
    hank.upload(mended_file(accounts, absent))
    plan = ChangeSet.objects.latest("pk")
    assert not plan.counts.get("refused")
    assert plan.counts["new"] >= 5
    expect(hank.page.get_by_role("navigation", name="Show")).to_contain_text(
        f"Delete {plan.counts['delete']}"
    )
    hank.submit("The rota moves.", plan.writes)

    frank = browser.new_context().new_page()
    sign_in(frank, portal.url, "frank")
    plan.refresh_from_db()
    approve(frank, portal.url, plan)
    rows = plan.writes + plan.counts["unchanged"]
    assert rows == ROWS - 3
    hank.watch(rows)
    all_of_them = f"{plan.writes} of {plan.writes} changes applied"
    expect(hank.page.locator(".run-figure")).to_contain_text(all_of_them)
    assert_planned_for(plan)
    asked = mended_values(accounts, absent, before)
    assert len(asked) == rows
    assert world_of(sandbox) == as_planned(before, plan) == before | asked

    hank.page.get_by_role("button", name="Roll back…").click()
    expect(hank.page.locator("main")).to_contain_text("Rolls back")
    back = hank.submit("The rota moves back.", plan.writes)
    assert back.origin == plan
    approve(frank, portal.url, back)
    hank.watch(back.writes)
    assert world_of(sandbox) == before, "every value as it was, spaces, placeholders and absent ones included"
    assert not PlannedChange.objects.filter(change_set__in=[plan, back], cause__gt="").exists()
