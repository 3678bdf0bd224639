"""What a grant lets somebody do, in whole sentences: for the moment before it is given, or ended."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from orgs.access import ROLE_RIGHTS, WHOLE, Right
from orgs.contact_types import ContactType
from orgs.models import AccessGrant, Account, Role
from orgs.scope import Part

_TO_CONTACTS = {
    Right.VIEW: "see",
    Right.EDIT: "change",
    Right.CHECK: "have AWS read",
    Right.EXPORT: "export",
}
_ABOUT_THEM = {
    Right.APPROVE: "approve changes of them that others ask for",
    Right.AUDIT: "read their audit",
    Right.EXPORT_AUDIT: "export their audit",
}
_OF_THE_PORTAL = {
    Right.RULES: "set the rules of approval",
    Right.BREAK_GLASS: "act before approval in an emergency",
    Right.REVIEW: "review what was done and sign it off",
    Right.CONNECT: "connect organizations and accounts",
    Right.PEOPLE: "manage people and give access",
}


def what_it_gives(grant: AccessGrant) -> list[str]:
    """Parts that follow “will be able to” or “will no longer be able to”, each a sentence of its own."""
    rights = ROLE_RIGHTS[Role(grant.role)]
    parts = [f"{_listed(_words(_TO_CONTACTS, rights))} {contacts_of(grant)}"]
    if about := _words(_ABOUT_THEM, rights):
        parts.append(_listed(about))
    if grant.is_everywhere and (whole := _words(_OF_THE_PORTAL, rights)):
        parts.append(f"{_listed(whole)}, for the whole portal")
    return parts


def what_it_leaves_out(grant: AccessGrant) -> str:
    """What the role allows, but not within limits; empty where there is no such thing."""
    missing = ROLE_RIGHTS[Role(grant.role)] & WHOLE
    if grant.is_everywhere or not missing:
        return ""
    words = _listed(_words(_OF_THE_PORTAL, missing))
    return f"Not with it: to {words}. That needs the role without any limit."


def contacts_of(grant: AccessGrant) -> str:
    """“the Security contacts of 14 accounts in unit Workloads and below”; accounts that left do not count."""
    return f"{_types(grant)} {_accounts(grant)}"


def until(grant: AccessGrant) -> str:
    """When it ends: “until the end of 31 Dec 2026”, or “until somebody ends it”."""
    return f"until {end_words(grant.ends_at)}" if grant.ends_at else "until somebody ends it"


def end_words(ends_at: datetime) -> str:
    """The last day where it ends with one, else the minute, in the reader's zone."""
    local = timezone.localtime(ends_at)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"the end of {date_format(local - timedelta(days=1), 'j M Y')}"
    return date_format(local, "j M Y, H:i")


def _types(grant: AccessGrant) -> str:
    if not grant.contact_types:
        return "all contacts of"
    names = [ContactType(name).label for name in grant.contact_types]
    return f"the {_listed(names)} contacts of"


def _accounts(grant: AccessGrant) -> str:
    if grant.account:
        return f"account {grant.account.aws_id} {grant.account.name}".rstrip()
    count = Account.objects.filter(Part.of(grant).condition(), left_at=None).count()
    noun = "account" if count == 1 else "accounts"
    if grant.is_everywhere or grant.place_words == "everywhere":
        return f"all {count:,} {noun}"
    return f"{count:,} {noun} {grant.place_words}"


def _words(words: dict[Right, str], rights: frozenset[Right]) -> list[str]:
    return [text for right, text in words.items() if right in rights]


def _listed(words: list[str]) -> str:
    """“a”, “a and b”, “a, b and c”."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
