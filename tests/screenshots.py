"""`python -m tests.screenshots`: uses a portal on the sandbox, and takes the pictures of docs/pictures."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from portal.embedded import free_port
from tests import chromium
from tests.live import answers, wait_until

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
NO_SECURITY = "/accounts/?type=SECURITY&contact=absent&state=ACTIVE"
WISH = {
    "Name": "Cloud Security On-call",
    "Title": "Duty officer",
    "E-mail": "security-oncall@northwind.example",
    "Phone": "+44 20 7946 0110",
    "Reason": "The duty rota moves to the security desk in December.",
}
STRANGER = {
    "name": "Finance Operations",
    "title": "Accounts payable",
    "email": "ap@northwind.example",
    "phone": "+44 20 7946 0155",
}


@contextmanager
def portal(var: Path) -> Iterator[str]:
    """A portal with all its parts in this directory; gives its address."""
    port = free_port()
    settings = {
        "PORTAL_ENV_FILE": os.devnull,
        "PORTAL_VAR": str(var),
        "PORT": str(port),
        "AWS_QUOTA_SHARE": "1",
    }
    with (var / "up.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=os.environ | settings, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/healthz"), "the portal answers", says=(var / "up.log").read_text)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def tell_sandbox(var: Path, method: str, place: str, values: dict[str, Any]) -> None:
    """Turn a switch of the local AWS, or change something in it behind the portal's back."""
    url = f"http://127.0.0.1:{(var / 'sandbox.port').read_text()}/_sandbox/{place}"
    request = urllib.request.Request(url, json.dumps(values).encode(), method=method)
    urllib.request.urlopen(request).close()


def sign_in(page: Page, var: Path, name: str) -> None:
    """By the form, with the password that `manage.py up` noted."""
    password = re.search(r"password (\S+)", (var / "demo_sign_ins.txt").read_text())[1]
    page.goto("/sign-in/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def wait_until_all_is_read(page: Page) -> None:
    """The first reading of 152 accounts takes as long as AWS's quota makes it take."""

    def is_read() -> bool:
        page.goto("/")
        text = page.locator("main").inner_text()
        return "152 accounts in 1 organization" in text and "not read yet" not in text

    wait_until(is_read, "all accounts were read", seconds=240)


def open_account(page: Page, number: int = 0) -> str:
    """Open an account that has no Security contact; gives its id."""
    page.goto(NO_SECURITY)
    page.locator("main .lead-cell a.strong").nth(number).click()
    return page.locator("main [data-copy]").first.get_attribute("data-copy")


def ask(page: Page, link: str, **changed: str) -> None:
    """Ask for a change of a contact of the account that is open."""
    page.get_by_role("link", name=link).click()
    for label, value in (WISH | changed).items():
        page.locator("main").get_by_label(label).first.fill(value)
    page.get_by_role("button", name="Send to AWS").click()


def live_a_little(page: Page, var: Path) -> None:
    """Changes that work and one that fails, a value changed in AWS, and one that cannot be read."""
    for _ in range(3):
        open_account(page)
        ask(page, "Set the Security contact")
        expect(page.locator("#card-SECURITY .state-set")).to_be_visible(timeout=30_000)
    refused, drifted, unread = (open_account(page, number) for number in (0, 1, 2))
    denied = [
        {"account": refused, "operation": "PutAlternateContact", "kind": "identity"},
        {"account": unread, "type": "SECURITY", "kind": "scp"},
    ]
    tell_sandbox(var, "POST", "switches", {"deny": denied})
    tell_sandbox(var, "PUT", f"contacts/{drifted}/BILLING", STRANGER)
    page.goto(f"/accounts/{refused}/")
    ask(page, "Set the Security contact")
    expect(page.locator("#card-SECURITY .state-failed")).to_be_visible(timeout=30_000)
    for account, said in ((drifted, "Changed outside the portal"), (unread, "service control policy")):
        page.goto(f"/accounts/{account}/")
        page.get_by_role("button", name="Check now").click()
        expect(page.get_by_text(said).first).to_be_visible(timeout=30_000)


def shoot(page: Page, name: str, address: str = "") -> None:
    """Save what the window shows, from the top of the page on."""
    if address:
        page.goto(address)
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/pictures/{name}.png")


def shoot_in_dark_and_small(page: Page, name: str, address: str) -> None:
    """The same page in both themes, and on a phone."""
    shoot(page, name, address)
    page.emulate_media(color_scheme="dark")
    shoot(page, f"{name}-dark", address)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    shoot(page, f"{name}-phone", address)
    page.set_viewport_size(DESKTOP)


def take(page: Page, var: Path) -> None:
    """Take every picture; the account's while AWS lets us wait for its answer."""
    shoot(page, "sign-in", "/sign-in/")
    sign_in(page, var, "admin")
    shoot_in_dark_and_small(page, "overview", "/")
    shoot(page, "accounts", "/accounts/?type=SECURITY&contact=missing")
    shoot(page, "changes", "/changes/")
    shoot(page, "audit", "/audit/")
    shoot(page, "organization", "/organizations/o-nw7k2d9x4b/")
    shoot(page, "people", "/people/")
    page.goto("/changes/?status=applied")
    page.locator("main .lead-cell a.strong").first.click()
    page.get_by_role("link", name="Open the account").click()
    account = page.url
    page.goto(f"{account}contacts/BILLING/")
    page.locator("main").get_by_label("Title").first.fill("Cloud cost and invoices")
    expect(page.get_by_text("1 of 4 values")).to_be_visible()
    shoot(page, "contact-edit")
    page.goto(account)
    tell_sandbox(var, "POST", "switches", {"latency_ms": 10_000})
    ask(page, "Edit the Security contact", Phone="+44 20 7946 0190", Reason="New duty phone from December.")
    expect(page.get_by_text("Being sent to AWS")).to_be_visible(timeout=30_000)
    shoot_in_dark_and_small(page, "account", account)


def take_many(helpdesk: Page, approver: Page, var: Path) -> None:
    """A change of many contacts: the plan that the helpdesk sees, and the run once it is approved."""
    tell_sandbox(var, "POST", "switches", {"latency_ms": 60})
    sign_in(helpdesk, var, "helpdesk")
    helpdesk.goto("/bulk/set/?state=ACTIVE&select=all")
    for label in ("Name", "Title", "E-mail", "Phone"):
        helpdesk.locator("main").get_by_label(label, exact=True).fill(WISH[label])
    helpdesk.get_by_role("button", name="Show the plan").click()
    helpdesk.get_by_label("Reason").fill(WISH["Reason"])
    helpdesk.evaluate("document.activeElement.blur()")
    without_refused = helpdesk.get_by_label(re.compile("without the"))
    if without_refused.count():
        without_refused.check()
    shoot_in_dark_and_small(helpdesk, "bulk-plan", "")
    helpdesk.get_by_role("button", name="Ask for approval").click()
    sign_in(approver, var, "approver")
    approver.goto(helpdesk.url)
    approver.get_by_role("button", name=re.compile("^Approve")).click()
    helpdesk.reload()
    expect(helpdesk.locator(".run-figure")).to_contain_text(re.compile(r"^\s*[5-9]\d "), timeout=60_000)
    shoot_in_dark_and_small(helpdesk, "bulk-run", "")


def main() -> None:
    """All of it, in a directory that is thrown away."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="portal-", dir="/tmp") as name,
        portal(var := Path(name)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
        editor = browser.new_page(base_url=url)
        sign_in(editor, var, "editor")
        wait_until_all_is_read(editor)
        live_a_little(editor, var)
        visitor = browser.new_context(base_url=url, viewport=DESKTOP, reduced_motion="reduce")
        take(visitor.new_page(), var)
        desk, approver = (
            browser.new_context(base_url=url, viewport=DESKTOP, reduced_motion="reduce").new_page()
            for _ in range(2)
        )
        take_many(desk, approver, var)
        browser.close()


if __name__ == "__main__":
    main()
