"""The company's identity provider (OpenID Connect), from the environment alone; a half of it is refused."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from portal.environment import flag, text, words

LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class IdentityProvider:
    """Where people sign in, what the button says, and which claim names their groups."""

    issuer: str
    client_id: str
    secret: str
    name: str
    scopes: list[str]
    groups_claim: str
    asks_second_factor: bool

    @property
    def id(self) -> str:
        """Subjects are unique within an issuer alone, and tenants share a host: all of its address counts.

        It is a part of an address itself, so it holds no slash.
        """
        address = urlsplit(self.issuer)
        return f"{address.netloc.lower()}{address.path}".replace("/", "~").replace(":", "~")

    @property
    def library_settings(self) -> dict[str, Any]:
        """The provider as allauth wants it."""
        app = {
            "provider_id": self.id,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.secret,
            "settings": {"server_url": self.issuer, "scope": self.scopes, "oauth_pkce_enabled": True},
        }
        return {"openid_connect": {"APPS": [app]}}


def identity_provider() -> IdentityProvider | None:
    """The configured provider, or None; raises ImproperlyConfigured for a half of one."""
    issuer = text("OIDC_ISSUER").rstrip("/")
    client_id, secret = text("OIDC_CLIENT_ID"), text("OIDC_CLIENT_SECRET")
    if not issuer:
        if client_id or secret:
            raise ImproperlyConfigured("OIDC_CLIENT_ID is set without OIDC_ISSUER. Set all three, or none.")
        return None
    _require_safe_address(issuer)
    if not (client_id and secret):
        raise ImproperlyConfigured("OIDC_ISSUER is set. Set OIDC_CLIENT_ID and OIDC_CLIENT_SECRET as well.")
    scopes = words("OIDC_SCOPES", "openid,profile,email")
    if "openid" not in scopes:
        raise ImproperlyConfigured("OIDC_SCOPES lacks openid. Use openid,profile,email.")
    return IdentityProvider(
        issuer=issuer,
        client_id=client_id,
        secret=secret,
        name=text("OIDC_NAME") or "single sign-on",
        scopes=scopes,
        groups_claim=text("OIDC_GROUPS_CLAIM") or "groups",
        asks_second_factor=flag("OIDC_SECOND_FACTOR", False),
    )


def password_sign_in(provider: IdentityProvider | None) -> bool:
    """Whether passwords let people in; raises ImproperlyConfigured when nothing else would."""
    allowed = flag("PASSWORD_SIGN_IN", True)
    if not allowed and provider is None:
        raise ImproperlyConfigured(
            "PASSWORD_SIGN_IN is false, and there is no OIDC_ISSUER: nobody could get in."
        )
    return allowed


def _require_safe_address(issuer: str) -> None:
    address = urlsplit(issuer)
    if address.scheme == "https" and address.hostname:
        return
    if address.scheme == "http" and address.hostname in LOCAL:
        return
    raise ImproperlyConfigured(f"OIDC_ISSUER is “{issuer}”. Use the address of the issuer, with https://.")
