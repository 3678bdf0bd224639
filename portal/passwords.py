"""Words that whoever guesses passwords of this portal tries first."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError

# OWASP ASVS 5.0, 6.1.2: names of the product, of what it is about, and of the company.
WORDS = ("alternate", "contact", "portal", "security", "billing", "operations", "amazon")
LEAST_BESIDE = 6  # characters that are left when such words are taken out


class LocalWordsValidator:
    """Refuses a password that is little more than such words with some digits and signs around."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError where fewer than LEAST_BESIDE letters remain beside the words."""
        rest = password.lower()
        for word in sorted([*WORDS, *_words_of_company()], key=len, reverse=True):
            rest = rest.replace(word, "")
        if rest != password.lower() and len(re.sub(r"[\W\d_]", "", rest)) < LEAST_BESIDE:
            raise ValidationError("This password is too easy to guess here: take words of your own.")

    def get_help_text(self) -> str:
        """For pages that tell the rules."""
        return "Not the name of the company or of what this portal is about."


def _words_of_company() -> list[str]:
    named = [settings.COMPANY_NAME, *(domain.split(".")[0] for domain in settings.COMPANY_EMAIL_DOMAINS)]
    return [word for name in named for word in re.findall(r"\w{4,}", name.lower())]
