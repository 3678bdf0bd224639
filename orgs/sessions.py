"""Sessions of people: which there are, and ending them."""

import re
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, require_in
from portal.models import User

# The first that fits names it: every browser also claims to be others.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class OpenSession:
    """A session as its person sees it."""

    pk: int
    device: str
    address: str
    began_at: datetime
    seen_at: datetime
    is_this: bool


def sessions_of(user: User, this_key: str | None) -> list[OpenSession]:
    """The person's open sessions, the one that was used last first."""
    found = [
        OpenSession(
            pk=row.pk,
            device=device_of(row.user_agent),
            address=row.ip,
            began_at=row.created_at,
            seen_at=row.last_seen_at,
            is_this=row.session_key == this_key,
        )
        for row in UserSession.objects.purge_and_list(user)
    ]
    return sorted(found, key=lambda session: (session.is_this, session.seen_at), reverse=True)


def device_of(user_agent: str) -> str:
    """“Firefox on Windows”: what the browser says of itself, which it may not say truly."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or re.sub(r"[/\s].*", "", user_agent)[:40] or "Unknown device"


def end_session(user: User, pk: int, *, context: Context) -> bool:
    """End one of one's own sessions; False when there is none of this number."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row is None:
        return False
    with transaction.atomic():
        row.end()
        which = {"device": device_of(row.user_agent), "address": row.ip}
        _record(user, context, {"ended": 1, **which})
    return True


def end_other_sessions(user: User, this_key: str, *, context: Context) -> int:
    """End all of one's own sessions but this one; how many."""
    return _end_all(user, context, but=this_key)


def end_all_sessions(user: User, *, context: Context) -> int:
    """Sign somebody out everywhere; raises PermissionDenied unless the context may manage people."""
    require_in(context, Right.PEOPLE)
    return _end_all(user, context)


def drop_sessions(user: User, *, but: str | None = None) -> int:
    """Remove sessions, those without a row in the list too: no session says in a column whose it is."""
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).exclude(pk=but or "").iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            ended += session.delete()[0]
    UserSession.objects.filter(user=user).exclude(session_key=but or "").delete()
    return ended


def _end_all(user: User, context: Context, *, but: str | None = None) -> int:
    with transaction.atomic():
        ended = drop_sessions(user, but=but)
        if ended:
            _record(user, context, {"ended": ended})
    return ended


def _record(user: User, context: Context, after: dict) -> None:
    detail = {"user_id": user.pk, "user": user.username}
    record(Action.SESSIONS_ENDED, context, detail=detail, after=after)
