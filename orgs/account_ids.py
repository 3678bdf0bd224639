"""How people write an account id: AWS's console puts hyphens in, as in 1234-5678-9012."""

import re


def plain_id(text: str) -> str:
    """An id, or a part of one, without spaces; without hyphens too where all else are digits."""
    plain = re.sub(r"\s", "", text)
    digits = plain.replace("-", "")
    return digits if digits.isdecimal() else plain
