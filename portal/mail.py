"""Mail to people, through an outbox: written with what it tells of, sent by a worker afterwards."""

import logging
import smtplib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from portal.models import OutgoingMail

logger = logging.getLogger(__name__)

# Longer than all timeouts of one sending together: the row of a worker that died is tried again after it.
CLAIM = timedelta(minutes=10)
LADDER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
GIVE_UP_AFTER = timedelta(days=1)
KEPT_FOR = timedelta(days=30)
MOST_A_ROUND = 100
SUBJECT_LIMIT = 200
# These speak of one mail; after anything else the server had better be left alone for this round.
MAIL_TROUBLE = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPNotSupportedError,
    ValueError,
)


def send_later(people: Iterable[Any], *, subject: str, body: str) -> None:
    """Write one mail for each of these active users who has an address, in the caller's transaction.

    The text holds no contact's values: mail goes through many hands.
    """
    now = timezone.now()
    OutgoingMail.objects.bulk_create(
        OutgoingMail(to=person.email, subject=one_line(subject)[:SUBJECT_LIMIT], body=body, created_at=now)
        for person in people
        if person.email and person.is_active
    )


def one_line(text: str) -> str:
    """The text without line ends: in a header they would begin another header."""
    return " ".join(text.split())


def send_due() -> None:
    """Send what is due. Two workers may run at once: each mail is claimed before it leaves."""
    due = list(_due()[:MOST_A_ROUND])
    if not due:
        return
    connection = get_connection()
    try:
        for mail in due:
            if _claim(mail) and not _send(mail, connection):
                return
    finally:
        connection.close()


def drop_old() -> None:
    """Forget mails that went out, or were given up, long ago."""
    before = timezone.now() - KEPT_FOR
    OutgoingMail.objects.filter(Q(sent_at__lt=before) | Q(given_up_at__lt=before)).delete()


def _due() -> QuerySet[OutgoingMail]:
    now = timezone.now()
    waiting = OutgoingMail.objects.filter(sent_at=None, given_up_at=None)
    return waiting.filter(Q(not_before=None) | Q(not_before__lte=now)).order_by("pk")


def _claim(mail: OutgoingMail) -> bool:
    """Take the mail: the one worker whose UPDATE finds the row as it was read may send it."""
    mine = OutgoingMail.objects.filter(pk=mail.pk, attempts=mail.attempts, sent_at=None, given_up_at=None)
    return bool(mine.update(attempts=F("attempts") + 1, not_before=timezone.now() + CLAIM))


def _send(mail: OutgoingMail, connection: Any) -> bool:
    """Send one claimed mail; False when the server is in trouble."""
    try:
        connection.open()
        _message(mail, connection).send()
    except (OSError, ValueError) as error:  # SMTPException is an OSError
        _put_off(mail, error)
        return isinstance(error, MAIL_TROUBLE)
    OutgoingMail.objects.filter(pk=mail.pk).update(sent_at=timezone.now(), not_before=None)
    return True


def _message(mail: OutgoingMail, connection: Any) -> EmailMessage:
    """The mail as it leaves. Its id is that of the row, so that mail servers know a second copy."""
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    message_id = f"<{mail.pk}.{mail.created_at.timestamp():.0f}@{host}>"
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    return EmailMessage(
        one_line(mail.subject), mail.body, to=[mail.to], headers=headers, connection=connection
    )


def _put_off(mail: OutgoingMail, error: Exception) -> None:
    """Try again later, or never. What the server said may hold the address, so only its kind is logged."""
    now = timezone.now()
    row = OutgoingMail.objects.filter(pk=mail.pk)
    kind = type(error).__name__
    if now - mail.created_at > GIVE_UP_AFTER:
        row.update(given_up_at=now, not_before=None)
        logger.error("mail %s is given up: %s", mail.pk, kind)
        return
    row.update(not_before=now + LADDER[min(mail.attempts, len(LADDER) - 1)])
    logger.warning("mail %s could not be sent (%s) and is tried again later", mail.pk, kind)
