"""What the provider says of its people; read anew each time, so that a test can change it."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    """The toolkit's own, with the claims of people.json."""

    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        people = json.loads((Path(settings.DIRECTORY) / "people.json").read_text())
        return people[request.user.username]["claims"]
