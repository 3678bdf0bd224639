"""Starts the provider for a test, and goes through its sign-in as a browser would."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from portal.embedded import free_port
from portal.identity_provider import IdentityProvider
from portal.supervisor import LEASH
from tests.live import ROOT, answers, wait_until

PASSWORD = "provider password of dora"
CLIENT, SECRET = "portal", "secret of the portal"
# The test client of Django, and a browser; the port may be any.
PORTALS = ["http://testserver", "http://localhost"]


class RunningProvider:
    """A provider that knows dora; her claims can be changed while it runs."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.port = directory, free_port()
        self.issuer = f"http://127.0.0.1:{self.port}/o"
        way_back = f"/sign-in/provider/127.0.0.1~{self.port}~o/callback/"
        client = {
            "id": CLIENT,
            "secret": SECRET,
            "redirect_uris": [f"{portal}{way_back}" for portal in PORTALS],
        }
        (directory / "client.json").write_text(json.dumps(client))
        self.begin_anew()

    def start(self) -> None:
        """Return when it answers."""
        self.log = self.directory / "provider.log"
        inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-SE", str(LEASH), str(os.getpid()), sys.executable, "-m",
                 "tests.identity_provider", str(self.directory), str(self.port)],
                cwd=ROOT, env=inherited, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        wait_until(
            lambda: answers(f"{self.issuer}/.well-known/openid-configuration"),
            "the provider answers",
            seconds=180,
            says=self.log.read_text,
        )

    def stop(self) -> None:
        """End it, if it still runs."""
        self.process.kill()
        self.process.wait()

    def configured(self, **changes: Any) -> IdentityProvider:
        """How the portal's settings name it."""
        facts = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "secret": SECRET,
            "name": "Northwind single sign-on",
            "scopes": ["openid", "profile", "email"],
            "groups_claim": "groups",
            "asks_second_factor": False,
        }
        return IdentityProvider(**(facts | changes))

    def say(self, name: str, **claims: Any) -> None:
        """What it says of a person from now on; None takes a claim away."""
        changed = self.claims[name] | claims
        self.claims[name] = {claim: value for claim, value in changed.items() if value is not None}
        self._write_people()

    def answer(self, address: str, name: str = "dora") -> str:
        """Go to this address of the provider, sign in where it asks, and give the way back as a path."""
        answer = self._go(address)
        if isinstance(answer, requests.Response):  # the form
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)[1]
            form = {"csrfmiddlewaretoken": token, "username": name, "password": PASSWORD}
            form["next"] = re.search(r'name="next" value="([^"]*)"', answer.text)[1].replace("&amp;", "&")
            posted = self.browser.post(answer.url, form, allow_redirects=False)
            answer = self._go(f"http://127.0.0.1:{self.port}{posted.headers['Location']}")
        assert isinstance(answer, str), answer.text
        parts = urlsplit(answer)
        return f"{parts.path}?{parts.query}"

    def begin_anew(self) -> None:
        """Another browser comes, and all claims are as at first."""
        self.browser = requests.Session()
        self.claims: dict[str, dict[str, Any]] = {
            name: {
                "preferred_username": name,
                "given_name": name.title(),
                "family_name": "Marsh",
                "email": f"{name}@northwind.example",
                "groups": [],
            }
            for name in ("dora", "emil")
        }
        self._write_people()

    def _go(self, address: str) -> requests.Response | str:
        """Follow redirects until a page of the provider, or an address elsewhere."""
        while True:
            if f":{self.port}/" not in address:
                return address
            answer = self.browser.get(address, allow_redirects=False)
            if answer.status_code != 302:
                return answer
            address = requests.compat.urljoin(address, answer.headers["Location"])

    def _write_people(self) -> None:
        people = {name: {"password": PASSWORD, "claims": claims} for name, claims in self.claims.items()}
        (self.directory / "people.json").write_text(json.dumps(people))
