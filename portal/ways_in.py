"""Which ways into the portal the pages offer."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def ways_in(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the identity provider, if there is one, and whether passwords let people in."""
    return {"provider": settings.IDENTITY_PROVIDER, "has_passwords": settings.PASSWORD_SIGN_IN}
