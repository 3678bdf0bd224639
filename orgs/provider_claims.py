"""What an identity provider says of a person, read strictly."""

import time
from dataclasses import dataclass
from typing import Any

USERNAME_LENGTH = 150
CLOCK_SKEW = 60  # seconds between the provider's clock and ours


class ProviderRefused(Exception):
    """The provider's answer lets nobody in; the text is for the person, the cause for the audit."""

    def __init__(self, text: str, *, cause: str = "") -> None:
        super().__init__(text)
        self.cause = cause or text


@dataclass(frozen=True)
class Claims:
    """A person as the provider knows them; authenticated_at in seconds since 1970, 0: not said."""

    username: str
    first_name: str
    last_name: str
    email: str
    groups: frozenset[str]
    authenticated_at: float


def claims_of(answer: dict[str, Any], *, groups_claim: str) -> Claims:
    """Read the ID token and what the userinfo address adds; raises ProviderRefused.

    https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse: both have to speak of one subject.
    """
    token, info = answer.get("id_token"), answer.get("userinfo") or {}
    if not isinstance(token, dict) or not token.get("sub"):
        raise ProviderRefused("The provider sent no ID token.", cause="no ID token")
    if info and info.get("sub") != token["sub"]:
        raise ProviderRefused("The provider contradicts itself.", cause="two subjects")
    both = {**info, **token}
    email = _text(both, "email")
    username = _text(both, "preferred_username") or email or _text(both, "sub")
    return Claims(
        username=username[:USERNAME_LENGTH],
        first_name=_text(both, "given_name") or _text(both, "name"),
        last_name=_text(both, "family_name"),
        email=email,
        groups=_groups(both, groups_claim),
        authenticated_at=_moment(token.get("auth_time")),
    )


def _groups(claims: dict[str, Any], name: str) -> frozenset[str]:
    """The names in the claim. Without the claim nobody is in any group.

    Entra leaves the claim out for people in very many groups, and says so in another:
    https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    """
    if name in (claims.get("_claim_names") or {}):
        raise ProviderRefused(
            "You are in more groups than the provider sends. The operator of the portal has to limit them.",
            cause="too many groups",
        )
    value = claims.get(name) or []
    names = [value] if isinstance(value, str) else value
    return frozenset(entry for entry in names if isinstance(entry, str))


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""


def _moment(value: Any) -> float:
    """What lies in the future, such as milliseconds, would count as a proof for ever."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value <= time.time() + CLOCK_SKEW else 0.0
