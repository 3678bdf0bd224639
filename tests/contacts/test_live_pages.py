"""What htmx adds: cards that follow a change, a preview while typing, filters without a new page."""

import re
from dataclasses import asdict

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from contacts.models import ChangeStatus, ContactChange
from tests.contacts.scene import DESK, GATEWAY, LEDGER, ROTA, Scene, as_person

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]  # the browser does not see which database it is


@pytest.fixture
def scene(transactional_db) -> Scene:
    return Scene()


@pytest.fixture
def browse(live_server, page: Page):
    """Open an address as a person; a complaint in the console fails the test."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    def open_as(person, address: str) -> Page:
        session = as_person(person).cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page.goto(live_server.url + address)
        return page

    yield open_as
    assert not complaints


def test_a_card_follows_its_change_until_it_has_ended(scene, cast, browse):
    change = scene.change(cast["alice"], scene.ledger)
    page = browse(cast["bob"], reverse("contacts:account_detail", args=[LEDGER]))
    card = page.locator("#card-SECURITY")
    expect(card).to_contain_text("Queued, not sent yet")
    change.status = ChangeStatus.SENDING
    change.save(update_fields=["status"])
    expect(card).to_contain_text("Being sent to AWS")
    scene.put(scene.ledger, "SECURITY", ROTA)
    change.status, change.finished_at = ChangeStatus.APPLIED, timezone.now()
    change.save(update_fields=["status", "finished_at"])
    expect(card).to_contain_text(ROTA.email)
    expect(card).to_contain_text("Last changed by Alice")
    expect(page.locator("#said")).to_contain_text("Nothing is under way any more.")
    expect(page.locator("#live")).not_to_have_attribute("hx-get", re.compile("."))


def test_what_was_said_of_a_change_goes_when_it_has_ended(scene, cast, browse):
    page = browse(cast["alice"], reverse("contacts:contact_edit", args=[LEDGER, "SECURITY"]))
    page.fill("#id_name", "Night Desk")
    page.fill("#id_reason", "The rota moves.")
    page.click("#contact-form button.btn-primary[type=submit]")
    expect(page.locator("main")).to_contain_text("It counts as applied when AWS has confirmed it.")
    ContactChange.objects.update(status=ChangeStatus.APPLIED, finished_at=timezone.now())
    expect(page.locator("#live")).not_to_have_attribute("hx-get", re.compile("."))
    expect(page.locator("main")).not_to_contain_text("It counts as applied when AWS has confirmed it.")


@pytest.mark.parametrize("name", ["contacts:overview", "contacts:audit_list", "orgs:person_list"])
def test_on_a_phone_the_open_place_is_in_view(scene, cast, browse, page, name):
    page.set_viewport_size({"width": 360, "height": 740})
    browse(cast["erin"], reverse(name))
    expect(page.locator(".side-nav [aria-current=page]")).to_be_in_viewport(ratio=1)


def test_the_page_of_a_change_follows_it(scene, cast, browse):
    change = scene.change(cast["alice"], scene.ledger)
    page = browse(cast["bob"], reverse("contacts:change_detail", args=[change.pk]))
    change.status, change.problem = ChangeStatus.FAILED, "scp_denies"
    change.save(update_fields=["status", "problem"])
    expect(page.locator("#live")).to_contain_text("A service control policy denies it.")


def test_the_preview_follows_the_typing_and_keeps_the_focus(scene, cast, browse):
    page = browse(cast["alice"], reverse("contacts:contact_edit", args=[LEDGER, "SECURITY"]))
    page.fill("#id_email", "soc@gmail.com")
    preview = page.locator("#preview")
    expect(preview.locator("del")).to_have_text(DESK.email)
    expect(preview.locator("ins")).to_have_text("soc@gmail.com")
    expect(page.locator("#note_email")).to_contain_text("free-mail provider")
    page.fill("#id_phone", "none")
    expect(preview).to_contain_text("Not valid yet")
    expect(page.locator("#id_phone")).to_be_focused()


def test_filters_act_at_once_and_stand_in_the_address(scene, cast, browse):
    page = browse(cast["bob"], reverse("contacts:account_list"))
    page.keyboard.press("/")
    page.keyboard.type("gateway")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    expect(page.locator("#list-facts")).to_contain_text("1 account matches")
    page.select_option("#id_contact", "set")
    expect(page).to_have_url(re.compile(r"\?q=gateway&contact=set"))
    page.click("#tree >> text=Payments")
    expect(page).to_have_url(re.compile(r"\?q=gateway&contact=set&sort=name&unit=ou-ab12-payments$"))
    expect(page.locator("h1")).to_have_text("Payments")


def test_three_clicks_lead_to_an_edit(scene, cast, browse):
    page = browse(cast["alice"], reverse("contacts:overview"))
    page.get_by_role("link", name="Accounts", exact=False).first.click()
    page.get_by_role("link", name="partner-gateway-dev").click()
    page.get_by_role("link", name="Set the Security contact").click()
    for field, value in asdict(ROTA).items():
        page.fill(f"#id_{field}", value)
    page.fill("#id_reason", "Rota moves.")
    page.get_by_role("button", name="Send to AWS").click()
    expect(page).to_have_url(re.compile(f"{reverse('contacts:account_detail', args=[GATEWAY])}$"))
    expect(page.locator("#card-SECURITY")).to_contain_text(ROTA.email)


def test_the_pages_work_without_javascript(scene, cast, browser, live_server):
    context = browser.new_context(java_script_enabled=False)
    session = as_person(cast["alice"]).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + reverse("contacts:account_list"))
    page.select_option("#id_type", "SECURITY")
    page.select_option("#id_contact", "absent")
    page.get_by_role("button", name="Apply").first.click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.goto(live_server.url + reverse("contacts:contact_delete", args=[LEDGER, "SECURITY"]))
    page.fill("#id_reason", "The desk closes.")
    page.get_by_role("button", name="Delete from AWS").click()
    expect(page.locator("#card-SECURITY")).to_contain_text("To be deleted.")
    page.get_by_role("button", name="Cancel the change of the Security contact").click()
    expect(page.locator("main")).to_contain_text("The change was cancelled.")
    context.close()
