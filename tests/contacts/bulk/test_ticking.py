"""Ticking accounts in a real browser, and how few clicks a change of two hundred takes."""

from dataclasses import asdict

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from contacts.mirror import ensure_contacts
from contacts.models import AlternateContact, ChangeSet, SetStatus
from orgs.models import Account, AccountState
from tests.conftest import PASSWORD
from tests.contacts.scene import DESK, Scene

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]  # the browser does not see which database it is

CHANGE = {
    "Name": "Night Desk",
    "Title": "SOC",
    "E-mail": "night@northwind.example",
    "Phone": "+44 20 7946 0150",
}


@pytest.fixture
def scene(transactional_db) -> Scene:
    """Two hundred active accounts whose contacts are all set."""
    scene = Scene()
    scene.archive.state = AccountState.ACTIVE
    scene.archive.save(update_fields=["state"])
    facts = {"organization": scene.organization, "unit": scene.payments, "state": AccountState.ACTIVE}
    accounts = Account.objects.bulk_create(
        Account(aws_id=f"{700000000000 + number}", name=f"app-{number:03}", **facts) for number in range(196)
    )
    ensure_contacts(accounts)
    seen = scene.contact(scene.ledger, "SECURITY").observed_at
    AlternateContact.objects.update(status="set", problem="", observed_at=seen, **asdict(DESK))
    return scene


@pytest.fixture
def quiet(page: Page):
    """A page whose console nobody complains in."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    assert not complaints


def sign_in(page: Page, live_server, name: str) -> None:
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_two_hundred_accounts_take_six_clicks(scene, hank, live_server, quiet):
    sign_in(quiet, live_server, "hank")
    clicks = []

    def click(role: str, name: str) -> None:
        quiet.get_by_role(role, name=name, exact=False).first.click(timeout=5000)
        clicks.append(name)

    click("link", "Accounts")
    click("checkbox", "Select all 25 on this page")
    click("link", "Select all 200 that match")
    click("button", "Change…")
    for label, value in CHANGE.items():
        quiet.get_by_label(label, exact=True).fill(value)
    click("button", "Show the plan")
    quiet.get_by_label("Reason").fill("The desk moves to nights.")
    click("button", "Ask for approval of 200 changes")
    expect(quiet.get_by_text("Waiting for approval").first).to_be_visible()
    change_set = ChangeSet.objects.get()
    assert (change_set.status, change_set.title) == (SetStatus.WAITING, "Set Security")
    assert {row.contact_type for row in change_set.rows.all()} == {"SECURITY"}
    assert (change_set.rows.count(), len(clicks)) == (200, 6)


def test_the_bar_says_how_many_are_ticked(scene, hank, live_server, quiet):
    sign_in(quiet, live_server, "hank")
    quiet.goto(f"{live_server.url}{reverse('contacts:account_list')}?size=50")
    bar, boxes = quiet.get_by_role("region", name="Selection"), quiet.locator(".row-check")
    expect(bar).to_be_hidden()
    boxes.nth(2).check()
    expect(bar).to_contain_text("1 account selected")
    boxes.nth(6).click(modifiers=["Shift"])
    expect(bar).to_contain_text("5 accounts selected")
    expect(bar.get_by_text("that match")).to_be_hidden()
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    quiet.locator("thead .page-check").focus()
    quiet.keyboard.press("Space")
    expect(bar).to_contain_text("50 accounts selected")
    bar.get_by_role("link", name="Select all 200 that match").press("Enter")
    expect(bar).to_contain_text("200 accounts, all that match")
    expect(bar.get_by_role("button", name="Change…")).to_be_focused()
    bar.get_by_role("link", name="Clear").click()
    expect(bar).to_be_hidden()
    boxes.first.check()
    bar.get_by_role("button", name="Delete…").click()
    expect(quiet.get_by_role("heading", level=1)).to_have_text("Delete contacts")
    expect(quiet.get_by_role("main")).to_contain_text("For 1 account.")
