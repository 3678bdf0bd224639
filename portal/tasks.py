"""What Celery runs for the portal itself."""

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from portal import mail


@shared_task(name="portal.send_mail")
def send_mail() -> None:
    """Send the mails that are due."""
    mail.send_due()


@shared_task(name="portal.drop_old_mail")
def drop_old_mail() -> None:
    """Forget mails of long ago."""
    mail.drop_old()


@shared_task(name="portal.drop_old_sessions")
def drop_old_sessions() -> None:
    """Forget sessions that ended: they and their rows of the list say who was signed in, when and where."""
    SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
