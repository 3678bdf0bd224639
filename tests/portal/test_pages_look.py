"""Each page in a real browser: axe finds nothing, the policy holds, nothing is cut off at 360 px."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Page, expect

from audit.context import worker_context
from orgs.locked_out import link_to_provider
from tests.conftest import PASSWORD
from tests.identity_provider.running import PASSWORD as PROVIDER_PASSWORD
from tests.portal.passkey import made_passkey
from tests.portal.scenery import Scene, build

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]  # looks do not depend on the database

# Each width and each theme once: colours do not depend on the width, nor the layout on the theme.
LOOKS = [(360, "light"), (1280, "dark")]
FORMS_WITHOUT_TOKEN = """[...document.querySelectorAll("form[method=post]")]
    .filter(form => !form.querySelector("[name=csrfmiddlewaretoken]")).map(form => form.action)"""
AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
# What an address needs, by the name of its url. A url that needs something and is not named here fails.
NEEDS: dict[str, Callable[[Scene], dict[str, Any]]] = {
    "contacts:account_detail": lambda scene: {"account_id": scene.account.aws_id},
    "contacts:account_cards": lambda scene: {"account_id": scene.account.aws_id},
    "contacts:account_check": lambda scene: {"account_id": scene.account.aws_id},
    "contacts:contact_edit": lambda scene: contact(scene, "SECURITY"),
    "contacts:contact_preview": lambda scene: contact(scene, "BILLING"),
    "contacts:contact_copy": lambda scene: contact(scene, "OPERATIONS"),
    "contacts:contact_delete": lambda scene: contact(scene, "BILLING"),
    "contacts:contact_history": lambda scene: contact(scene, "SECURITY"),
    "contacts:change_detail": lambda scene: {"pk": scene.change.pk},
    "contacts:change_live": lambda scene: {"pk": scene.change.pk},
    "contacts:change_cancel": lambda scene: {"pk": scene.change.pk},
    "contacts:change_roll_back": lambda scene: {"pk": scene.change.pk},
    **{
        f"contacts:change_set_{name}": lambda scene: {"pk": scene.change_set.pk}
        for name in (
            *("detail", "live", "submit", "withdraw", "choose", "decide"),
            *("pause", "resume", "cancel", "retry", "roll_back", "export", "errors"),
        )
    },
    **{
        f"contacts:drift_{name}": lambda scene: {"pk": scene.drift.pk}
        for name in ("detail", "adopt", "revert", "ignore")
    },
    **{
        f"contacts:review_question_{name}": lambda scene: {"pk": scene.question.pk}
        for name in ("detail", "answer", "settle")
    },
    **{
        f"contacts:review_period_{name}": lambda scene: {"kind": "month", "first_day": scene.month}
        for name in ("detail", "sign_off", "export")
    },
    "contacts:audit_detail": lambda scene: {"pk": scene.event.pk},
    **{
        f"orgs:organization_{name}": lambda scene: {"aws_id": scene.organization.aws_id}
        for name in ("detail", "live", "check", "discover", "reading", "read")
    },
    **{
        f"orgs:{name}": lambda scene: {"aws_id": scene.organization.aws_id}
        for name in ("policy_list", "trusted_access")
    },
    "orgs:policy_download": lambda scene: {"aws_id": scene.organization.aws_id, "key": "identity"},
    **{
        f"orgs:person_{name}": lambda scene: {"pk": scene.person.pk}
        for name in ("detail", "details", "password", "active", "sessions", "former")
    },
    "orgs:grant_end": lambda scene: {"pk": scene.grant.pk},
    "orgs:find": lambda scene: {"kind": "place"},
    **{f"orgs:group_{name}": lambda scene: {"pk": scene.group.pk} for name in ("detail", "add", "delete")},
    "orgs:group_remove": lambda scene: {"pk": scene.group.pk, "person_pk": scene.person.pk},
}
NEEDS |= dict.fromkeys(
    ("mfa_edit_webauthn", "mfa_remove_webauthn", "orgs:session_end"), lambda scene: {"pk": 0}
)
NEEDS["openid_connect_callback"] = lambda scene: {"provider_id": "login.example"}
# Pages that only somebody with a second step reaches.
SECOND_STEP = (
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
)
# Those of a passkey that is there, and those of a provider.
PASSKEY = ("mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_list_webauthn", "mfa_reauthenticate_webauthn")
PROVIDER = (
    "provider_start",
    "provider_confirm",
    "provider_confirm_start",
    "provider_confirm_done",
    "openid_connect_callback",
)


def contact(scene: Scene, contact_type: str) -> dict[str, str]:
    return {"account_id": scene.account.aws_id, "contact_type": contact_type}


def names(resolver: URLResolver, spaces: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """The full name of every url, and whether it needs something."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern, (*spaces, pattern.namespace) if pattern.namespace else spaces)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield ":".join((*spaces, pattern.name)), bool(pattern.pattern.converters)


NAMES = dict(names(get_resolver("portal.urls")))
ROOMS = sorted({name.rpartition(":")[0] for name in NAMES})


def in_room(room: str) -> list[str]:
    """The urls of a room that need no second step, no passkey and no provider."""
    elsewhere = (*SECOND_STEP, *PASSKEY, *PROVIDER, "mfa_download_recovery_codes")
    return [name for name in NAMES if name.rpartition(":")[0] == room and name not in elsewhere]


@pytest.fixture
def scene(cast: dict) -> Scene:
    """The pages have something to show."""
    return build(cast["alice"])


@pytest.fixture
def errors(page: Page) -> list[str]:
    """What the browser complains of, the Content-Security-Policy above all."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def sign_in(client: Client, page: Page, live_server, name: str) -> None:
    """Sign in by the form, and let the browser go on with that session."""
    client.post(reverse("account_login"), {"login": name, "password": PASSWORD})
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])


def address_of(name: str, live_server, scene: Scene) -> str:
    """The address with what the table says it needs."""
    return live_server.url + reverse(name, kwargs=NEEDS[name](scene) if name in NEEDS else {})


def confirm(client: Client) -> None:
    """Say the password once more: pages about the second step ask for it."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def is_page(client: Client, address: str) -> bool:
    """Whether a GET gives a page: not an action of a POST, a download, or a part for htmx."""
    response = client.get(address)
    if response.status_code == 405 or not response.headers.get("Content-Type", "").startswith("text/html"):
        return False
    return response.status_code != 200 or response.content.lstrip().startswith(b"<!doctype html>")


def look_at(page: Page, address: str, looks: list[tuple[int, str]] = LOOKS) -> list[str]:
    """Everything that is wrong with the page in these widths and themes."""
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": looks[0][0], "height": 900})
    response = page.goto(address, wait_until="load")
    assert response is not None
    assert "content-security-policy" in response.headers
    assert page.evaluate(FORMS_WITHOUT_TOKEN) == []
    return [finding for width, theme in looks for finding in _findings(page, width, theme)]


def _findings(page: Page, width: int, theme: str) -> Iterator[str]:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    page.locator(f"html[data-bs-theme={theme}]").wait_for(state="attached")
    for violation in Axe().run(page, options=AXE).response["violations"]:
        nodes = "\n    ".join(
            f"{node['html'][:200]} {node['failureSummary']}" for node in violation["nodes"][:3]
        )
        yield f"{width} {theme}: {violation['id']}: {violation['help']}\n    {nodes}"
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield f"{width} {theme}: the page is wider than the window"


def test_every_url_that_needs_something_is_in_the_table():
    assert {name for name, needs in NAMES.items() if needs} == set(NEEDS)


@pytest.mark.parametrize("room", ROOMS)
def test_an_administrator_sees_no_broken_page(room, live_server, page, errors, client, scene):
    sign_in(client, page, live_server, "erin")
    confirm(client)
    wrong = {}
    for name in in_room(room):
        address = address_of(name, live_server, scene)
        if is_page(client, address):
            wrong[name] = look_at(page, address) + errors
            errors.clear()
    assert wrong == dict.fromkeys(wrong, [])


@pytest.mark.parametrize("room", ROOMS)
def test_a_viewer_sees_no_broken_page(room, live_server, page, errors, client, scene):
    sign_in(client, page, live_server, "bob")
    wrong = {}
    for name in in_room(room):
        address = address_of(name, live_server, scene)
        if is_page(client, address):
            wrong[name] = look_at(page, address, [(360, "light")])
            refused = f"status of {client.get(address).status_code}"
            wrong[name] += [error for error in errors if refused not in error]
            errors.clear()
    assert wrong == dict.fromkeys(wrong, [])


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("contacts:access_why", "?person=alice&right=edit&account=100000000002&contact_type=SECURITY"),
        ("orgs:grant_create", "?holder=a&place=app"),  # some to choose from
        ("orgs:grant_list", "?person=alice&state=ended"),
    ],
)
def test_pages_of_access_look_good_with_something_in_them(
    name, query, live_server, page, errors, client, scene
):
    sign_in(client, page, live_server, "erin")
    assert not look_at(page, live_server.url + reverse(name) + query)
    assert not errors


@pytest.mark.parametrize("name", SECOND_STEP)
def test_the_pages_of_the_second_step_look_good(name, live_server, page, errors, client, cast):
    sign_in(client, page, live_server, "erin")
    confirm(client)
    TOTP.activate(cast["erin"], "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(cast["erin"])
    assert not look_at(page, live_server.url + reverse(name))
    assert not errors


@pytest.mark.parametrize("name", PASSKEY)
def test_the_pages_of_passkeys_look_good(name, live_server, page, errors, client, cast):
    sign_in(client, page, live_server, "erin")
    confirm(client)
    passkey = Authenticator.objects.create(
        user=cast["erin"], type=Authenticator.Type.WEBAUTHN, data=made_passkey("Laptop at work")
    )
    pk = {"pk": passkey.pk} if name in NEEDS else {}
    assert not look_at(page, live_server.url + reverse(name, kwargs=pk))
    assert not errors


@pytest.mark.parametrize("name", ["account_login", "provider_confirm"])
def test_the_ways_to_a_provider_look_good(name, live_server, page, errors, client, cast, provider, settings):
    link_to_provider(cast["erin"], "1", context=worker_context())
    if name == "provider_confirm":
        sign_in(client, page, live_server, "erin")
    assert not look_at(page, live_server.url + reverse(name))
    assert page.get_by_role("link", name="Continue with Northwind single sign-on").is_visible()
    settings.PASSWORD_SIGN_IN = False
    assert not look_at(page, live_server.url + reverse(name))
    assert not errors


def test_who_is_not_let_in_reads_it_on_a_good_page(live_server, page, cast, provider):
    page.goto(live_server.url + reverse("provider_start"))
    page.get_by_label("Username").fill("dora")
    page.get_by_label("Password").fill(PROVIDER_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="You are not let in")).to_be_visible()
    assert not [finding for width, theme in LOOKS for finding in _findings(page, width, theme)]


def test_a_provider_that_fails_is_told_on_a_good_page(live_server, page, cast, provider):
    address = reverse("openid_connect_callback", args=[provider.configured().id])
    assert not look_at(page, f"{live_server.url}{address}?code=x&state=y")
    assert page.get_by_role("heading", name="Signing in did not work").is_visible()


@pytest.mark.parametrize("name", ["account_login", "account_inactive"])
def test_the_doors_look_good_from_outside(name, live_server, page, errors, scene):
    assert not look_at(page, live_server.url + reverse(name))
    assert not errors


def test_the_second_step_looks_good(live_server, page, errors, client, cast):
    TOTP.activate(cast["erin"], "JBSWY3DPEHPK3PXP")
    sign_in(client, page, live_server, "erin")
    assert Authenticator.objects.filter(user=cast["erin"]).exists()
    assert not look_at(page, live_server.url + reverse("mfa_authenticate"))
    assert page.get_by_role("heading", name="Second step").is_visible()
    assert not errors


@pytest.mark.parametrize("address", ["/", "/nothing-here/"])
def test_pages_that_say_no_look_good(address, live_server, page, client, cast):
    sign_in(client, page, live_server, "carol")
    assert not look_at(page, live_server.url + address)


def test_the_theme_that_the_person_chose_wins(live_server, page, client, cast):
    cast["bob"].theme = "dark"
    cast["bob"].save(update_fields=["theme"])
    sign_in(client, page, live_server, "bob")
    page.emulate_media(color_scheme="light")
    page.goto(live_server.url)
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_a_slash_goes_to_the_search_and_an_id_is_copied(live_server, page, client, scene):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(client, page, live_server, "bob")
    page.goto(live_server.url)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.goto(live_server.url + reverse("contacts:account_detail", args=[scene.account.aws_id]))
    page.locator("[data-copy]").first.click()
    page.get_by_text(f"Copied {scene.account.aws_id}.").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == scene.account.aws_id
