"""What the roles allow, in words."""

from orgs.access import ROLE_RIGHTS, Right
from orgs.models import Role


def role_words() -> list[tuple[str, str]]:
    """Each role with what it allows, in words."""
    return [(role.label, ", ".join(_words(ROLE_RIGHTS[role]))) for role in Role]


def _words(rights: frozenset[Right]) -> list[str]:
    return [f"{right.label[0].lower()}{right.label[1:]}" for right in Right if right in rights]
