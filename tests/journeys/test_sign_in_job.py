"""Signing in as people live it: at the company's provider, by a passkey, with a code, here and elsewhere."""

import re
import time

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from audit.models import Action, AuditEvent
from contacts.models import ChangeSet, Decision
from orgs.models import AccessGrant
from tests.conftest import PASSWORD
from tests.contacts.scene import Scene
from tests.identity_provider.running import PASSWORD as PROVIDER_PASSWORD
from tests.journeys.test_main_job import sign_in
from tests.portal.test_sign_in_pages import code_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ALONE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
SURE = {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}


@pytest.fixture
def problems(page: Page) -> list[str]:
    """What the browser complains of on our pages, the Content-Security-Policy above all."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "//127.0.0.1" not in message.location["url"]:  # the provider's page
            found.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def stage(transactional_db, cast, settings) -> Scene:
    """A small organization, and the rules of production."""
    settings.CONFIRM_AFTER = 900
    return Scene()


def with_passkeys(context: BrowserContext, page: Page) -> None:
    """Give the browser a device that makes passkeys and says yes."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": ALONE | SURE})


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def sign_in_at_provider(page: Page) -> None:
    page.get_by_label("Username").fill("dora")
    page.get_by_label("Password").fill(PROVIDER_PASSWORD)
    page.get_by_role("button", name="Log in").click()


def age_session(settings) -> None:
    """Sixteen minutes pass for the rule of confirming."""
    settings.CONFIRM_AFTER = 0.001
    time.sleep(0.01)


def test_the_company_signs_people_in_and_puts_them_into_groups(stage, provider, live_server, page, problems):
    group = Group.objects.create(name="cloud-contacts-editors")
    AccessGrant.objects.create(group=group, role="Editor")
    provider.say("dora", groups=["cloud-contacts-editors", "everybody"])
    page.goto(f"{live_server.url}/accounts/")
    page.get_by_role("link", name="Continue with Northwind single sign-on").click()
    sign_in_at_provider(page)
    heading(page, "Accounts")
    page.get_by_role("link", name="payments-ledger-prod").click()
    expect(page.get_by_role("link", name="Edit the Security contact")).to_be_visible()

    # The company takes the group back; the next sign-in takes the access.
    provider.say("dora", groups=["everybody"])
    page.context.clear_cookies(name="sessionid")
    page.goto(live_server.url)
    page.get_by_role("link", name="Continue with Northwind single sign-on").click()
    heading(page, "You may not do this")
    renewed = AuditEvent.objects.filter(action=Action.GROUPS_RENEWED).order_by("pk")
    assert [event.after["groups"] for event in renewed] == [["cloud-contacts-editors"], []]
    assert [text for text in problems if "403" not in text] == []


def test_a_passkey_is_made_and_signs_in_alone(stage, live_server, page, problems):
    with_passkeys(page.context, page)
    sign_in(page, live_server.url, "alice")
    page.goto(live_server.url + reverse("mfa_list_webauthn"))
    page.get_by_role("link", name="New passkey").first.click()
    page.get_by_label("Name").fill("Laptop at work")
    page.get_by_role("button", name="Make passkey").click()
    heading(page, "Recovery codes")
    page.goto(live_server.url + reverse("mfa_list_webauthn"))
    row = page.get_by_role("row", name="Laptop at work")
    expect(row).to_contain_text("by itself")

    page.goto(live_server.url + reverse("account_logout"))
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto(f"{live_server.url}/changes/")
    page.get_by_role("button", name="Use a passkey").click()
    heading(page, "Changes")

    page.goto(live_server.url + reverse("mfa_list_webauthn"))
    page.get_by_role("link", name="Rename Laptop at work").click()
    page.get_by_label("Name").fill("Old laptop")
    page.get_by_role("button", name="Save name").click()
    page.get_by_role("link", name="Remove… Old laptop").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("main")).to_contain_text("No passkey yet")
    assert problems == []


def test_a_browser_without_a_passkey_says_so(stage, live_server, page, problems):
    context_session = page.context.new_cdp_session(page)
    context_session.send("WebAuthn.enable")
    no_keys = ALONE | SURE | {"automaticPresenceSimulation": True, "isUserVerified": False}
    context_session.send("WebAuthn.addVirtualAuthenticator", {"options": no_keys})
    page.goto(live_server.url + reverse("account_login"))
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="No passkey was used")).to_be_visible()
    assert problems == []


def test_a_role_asks_for_a_second_step_before_all_else(stage, live_server, page, settings, problems):
    settings.SECOND_FACTOR_ROLES = ["Administrator", "Approver"]
    sign_in(page, live_server.url, "frank")
    heading(page, "Second step at sign-in")
    expect(page.locator("main")).to_contain_text("Your role needs a second step")
    page.goto(f"{live_server.url}/approvals/")
    heading(page, "Second step at sign-in")
    page.get_by_role("link", name="Switch on").click()
    secret = page.get_by_label("Key, to type instead of scanning").input_value()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Switch on").click()
    heading(page, "Recovery codes")
    first_code = page.locator(".codes li").first.inner_text()
    page.goto(f"{live_server.url}/approvals/")
    heading(page, "Approvals")

    page.goto(live_server.url + reverse("account_logout"))
    page.locator("main").get_by_role("button", name="Sign out").click()
    sign_in(page, live_server.url, "frank")
    heading(page, "Second step")
    page.get_by_label("Code").fill(first_code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    heading(page, "Overview")
    assert problems == []


def test_a_session_elsewhere_is_seen_and_ended(stage, live_server, page, browser: Browser, problems):
    phone = browser.new_context(
        user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1"
    ).new_page()
    sign_in(phone, live_server.url, "alice")
    heading(phone, "Overview")
    sign_in(page, live_server.url, "alice")
    heading(page, "Overview")
    page.goto(live_server.url + reverse("orgs:profile"))
    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_role("row", name="Chrome on Linux")).to_contain_text("This one")
    page.get_by_role("button", name="End Safari on iPhone").click()
    expect(page.locator("main")).to_contain_text("The session is ended.")
    phone.goto(f"{live_server.url}/changes/")
    heading(phone, "Sign in")
    heading(page, "Where you are signed in")
    assert problems == []


def test_an_approval_asks_again_and_keeps_what_was_written(
    stage, live_server, page, cast, settings, problems
):
    waiting = stage.change_set(cast["alice"])
    sign_in(page, live_server.url, "frank")
    page.goto(live_server.url + reverse("contacts:change_set_detail", args=[waiting.pk]))
    age_session(settings)
    page.get_by_label("Note").fill("Checked with the desk")
    page.get_by_role("button", name="Approve").click()
    heading(page, "Confirm that it is you")
    settings.CONFIRM_AFTER = 900
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("main")).to_contain_text("This is not your password.")
    assert not ChangeSet.objects.get(pk=waiting.pk).decision
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(re.compile(reverse("contacts:change_set_detail", args=[waiting.pk]) + "$"))
    decided = ChangeSet.objects.get(pk=waiting.pk)
    assert (decided.decision, decided.decision_note) == (Decision.APPROVED, "Checked with the desk")
    assert problems == []


def test_who_came_by_the_company_confirms_there(stage, provider, live_server, page, settings, cast, problems):
    group = Group.objects.create(name="cloud-admins")
    AccessGrant.objects.create(group=group, role="Administrator")
    provider.say("dora", groups=["cloud-admins"])
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_role("link", name="Continue with Northwind single sign-on").click()
    sign_in_at_provider(page)
    heading(page, "Overview")
    page.goto(live_server.url + reverse("orgs:person_detail", args=[cast["bob"].pk]))
    age_session(settings)
    page.get_by_role("button", name="Deactivate").click()
    heading(page, "Confirm that it is you")
    settings.CONFIRM_AFTER = 900
    page.get_by_role("link", name="Continue with Northwind single sign-on").click()
    sign_in_at_provider(page)
    heading(page, "Bob")
    expect(page.locator("main")).to_contain_text("Bob is deactivated")
    assert problems == []
