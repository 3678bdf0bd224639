"""A passkey in software: what a device would answer to the portal's questions."""

import hashlib
import json
import re
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.urls import reverse
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

HOST = "localhost"
ORIGIN = f"http://{HOST}"
SURE = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class SoftPasskey:
    """One key pair; it always says that the person was verified."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.user_handle = b""

    def made(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to the request to make it."""
        wanted = options["publicKey"]
        self.user_handle = wanted["user"]["id"].encode()
        public = ES256.from_cryptography_key(self.key.public_key())
        data = AuthenticatorData.create(
            _hash(HOST.encode()),
            SURE | AuthenticatorData.FLAG.AT,
            0,
            bytes(AttestedCredentialData.create(bytes(16), self.id, public)),
        )
        response = {
            "clientDataJSON": websafe_encode(self._client_data("webauthn.create", wanted["challenge"])),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        return self._credential(response) | {"clientExtensionResults": {"credProps": {"rk": True}}}

    def used(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to the request to prove who one is."""
        client_data = self._client_data("webauthn.get", options["publicKey"]["challenge"])
        data = AuthenticatorData.create(_hash(HOST.encode()), SURE, 1)
        signature = self.key.sign(bytes(data) + _hash(bytes(client_data)), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": self.user_handle.decode(),
        }
        return self._credential(response)

    def _client_data(self, kind: str, challenge: str) -> CollectedClientData:
        return CollectedClientData.create(kind, challenge, ORIGIN)

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        own_id = websafe_encode(self.id)
        return {
            "id": own_id,
            "rawId": own_id,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }


def made_passkey(name: str) -> dict[str, Any]:
    """What the database keeps of a passkey."""
    options = {"publicKey": {"user": {"id": "MQ"}, "challenge": websafe_encode(b"any")}}
    return {"name": name, "credential": SoftPasskey().made(options)}


def register(client: Client, name: str) -> SoftPasskey:
    """Make a passkey through the page."""
    passkey = SoftPasskey()
    options = asked_on(client.get(reverse("mfa_add_webauthn")).text)["creation_options"]
    form = {"name": name, "passwordless": "on", "credential": json.dumps(passkey.made(options))}
    answer = client.post(reverse("mfa_add_webauthn"), form)
    assert answer.status_code == 302, answer.text
    return passkey


def sign_in_by(client: Client, passkey: SoftPasskey, next_page: str = "/") -> Any:
    """Press “Use a passkey” on the page."""
    options = client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"}).json()
    credential = json.dumps(passkey.used(options["request_options"]))
    return client.post(reverse("mfa_login_webauthn"), {"credential": credential, "next": next_page})


def asked_on(page: str) -> dict[str, Any]:
    """The question to the device that a page carries."""
    return json.loads(re.search(r'<script id="passkey-data"[^>]*>(.*?)</script>', page, re.S)[1])


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
