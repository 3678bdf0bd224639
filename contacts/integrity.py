"""Whether the audit is what was written: the nightly verification, its alarm, and what pages say of it."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit import triggers
from audit.anchors import Anchor, NotAnchors, kept_anchors
from audit.models import AuditVerification
from audit.seals import get_head
from audit.verification import keep, verify
from orgs.access import Right, people_with
from portal.mail import send_later

logger = logging.getLogger(__name__)

# It runs each night; one that was missed is no alarm yet.
OVERDUE = timedelta(days=2)


@dataclass(frozen=True)
class Integrity:
    """What the last verification found, and how much was written since."""

    last: AuditVerification
    since: int  # events

    @property
    def is_overdue(self) -> bool:
        return timezone.now() - self.last.at > OVERDUE


def get_integrity() -> Integrity | None:
    """The last verification of the audit; None before the first."""
    last = AuditVerification.objects.first()
    return Integrity(last, max(0, get_head().seq - last.seq)) if last else None


def verify_nightly() -> AuditVerification:
    """Verify the whole chain, keep what was found, and alarm everybody who reviews when it does not hold.

    Half of the cores are left to the portal.
    """
    anchors, problem = _anchors()
    verdict = verify(anchors=anchors, processes=max(1, (os.cpu_count() or 1) // 2))
    if not triggers.standing():
        problem = triggers.MISSING
    with transaction.atomic():
        kept = keep(verdict, problem)
        if not kept.is_intact:
            _alarm(kept)
    if kept.is_intact:
        logger.info("the audit holds: %s events up to seal %s", kept.checked, kept.seq)
    else:
        logger.error("the audit does not hold: %s", kept.problem)
    return kept


def _anchors() -> tuple[Iterator[Anchor] | None, str]:
    """The anchors, or what is wrong with their file: looked through before hours of work depend on it."""
    try:
        for _ in kept_anchors() or ():
            pass
        return kept_anchors(), ""
    except NotAnchors as error:
        return None, str(error)
    except OSError as error:
        return None, f"The anchors cannot be read: {error.strerror}: {settings.AUDIT_ANCHOR_FILE}"


def _alarm(kept: AuditVerification) -> None:
    lines = [
        "The nightly verification found that the audit is not what was written, or no longer protected:",
        "",
        kept.problem,
        "",
        "Keep the database and the file of anchors as they are, and find out who had access to them.",
        settings.PORTAL_URL + reverse("contacts:audit_list"),
        "",
    ]
    send_later(people_with(Right.REVIEW), subject="The audit does not verify", body="\n".join(lines))
