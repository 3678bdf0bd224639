"""`python -m tests.screenshots`: uses a portal on the sandbox, and takes the pictures of docs/pictures."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from portal.embedded import free_port
from tests import chromium
from tests.live import answers, wait_until

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
WISH = {
    "Name": "Cloud Security On-call",
    "Title": "Duty officer",
    "E-mail": "security-oncall@northwind.example",
    "Phone": "+44 20 7946 0110",
    "Reason": "The duty rota moves to the security desk in December.",
    "Ticket": "CHG-1042",
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
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/healthz"), "the portal answers", says=(var / "up.log").read_text)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def sign_in(page: Page, password: str, name: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def wait_until_all_is_read(page: Page) -> None:
    """The first reading of 150 accounts takes as long as AWS's quota makes it take."""

    def is_read() -> bool:
        page.goto("/")
        return "in 1 organization" in page.content() and "not read yet" not in page.content()

    wait_until(is_read, "all accounts were read", seconds=240)


def edit(page: Page, address: str) -> str:
    """Give this list's first account a Security contact, wait for AWS; gives the account's address."""
    page.goto(address)
    page.locator("main .lead-cell a.strong").first.click()
    account = page.url
    page.get_by_role("link", name="Edit the Security contact").click()
    for label, value in WISH.items():
        page.get_by_label(label, exact=False).first.fill(value)
    page.get_by_role("button", name="Send to AWS").click()
    expect(page.locator("main").get_by_text(WISH["E-mail"]).first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Being sent to AWS")).to_have_count(0, timeout=30_000)
    return account


def take(browser: Browser, url: str, password: str, account: str) -> None:
    """Take every picture."""
    for theme, suffix in (("light", ""), ("dark", "-dark")):
        page = browser.new_page(base_url=url, viewport=DESKTOP, color_scheme=theme, reduced_motion="reduce")
        page.goto("/sign-in/")
        shoot(page, f"sign-in{suffix}")
        sign_in(page, password, "admin")
        shoot(page, f"overview{suffix}", "/")
        shoot(page, f"account{suffix}", account)
        if not suffix:
            for name, address in pages(page, account).items():
                shoot(page, name, address)
    page = browser.new_page(base_url=url, viewport=PHONE, device_scale_factor=2, reduced_motion="reduce")
    sign_in(page, password, "admin")
    shoot(page, "overview-phone", "/")
    shoot(page, "account-phone", account)


def pages(page: Page, account: str) -> dict[str, str]:
    """Name of the picture, address of the page."""
    page.goto("/organizations/")
    return {
        "accounts": "/accounts/?type=SECURITY&contact=missing",
        "contact-edit": f"{account}contacts/BILLING/",
        "changes": "/changes/",
        "audit": "/audit/",
        "organization": page.locator("main a[href*='/o-']").first.get_attribute("href"),
        "people": "/people/",
    }


def shoot(page: Page, name: str, address: str = "") -> None:
    """Save what the window shows."""
    if address:
        page.goto(address)
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/pictures/{name}.png")


def main() -> None:
    """All of it, in a directory that is thrown away."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="portal-", dir="/tmp") as var, portal(Path(var)) as url:
        sign_ins = Path(var, "demo_sign_ins.txt").read_text()
        password = re.search(r"password (\S+)", sign_ins)[1]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
            page = browser.new_page(base_url=url)
            sign_in(page, password, "editor")
            wait_until_all_is_read(page)
            for number in (1, 2, 3):
                account = edit(page, f"/accounts/?type=SECURITY&contact=absent&state=ACTIVE&page={number}")
            take(browser, url, password, account)
            browser.close()


if __name__ == "__main__":
    main()
