"""What Celery runs for the portal itself."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

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
    """Forget sessions that ended: each says who was signed in, and when it ends."""
    SessionStore.clear_expired()
