"""What Celery runs for the portal itself."""

from celery import shared_task

from portal import mail


@shared_task(name="portal.send_mail")
def send_mail() -> None:
    """Send the mails that are due."""
    mail.send_due()


@shared_task(name="portal.drop_old_mail")
def drop_old_mail() -> None:
    """Forget mails of long ago."""
    mail.drop_old()
