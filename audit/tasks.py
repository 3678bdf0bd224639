"""What Celery runs for the audit: the sealer, less than a second behind the events, and the anchors."""

import logging

from celery import shared_task

from audit.anchors import anchor_head
from audit.seals import seal_pending

logger = logging.getLogger(__name__)

BATCH = 500  # sealed in one write transaction of about a tenth of a second
BATCHES = 20


@shared_task(name="audit.seal_events")
def seal_events() -> int:
    """Seal what is pending, in short transactions; what is left waits for the next beat."""
    sealed = 0
    for _ in range(BATCHES):
        count = seal_pending(BATCH)
        sealed += count
        if count < BATCH:
            break
    if sealed:
        logger.debug("%s events sealed", sealed)
    return sealed


@shared_task(name="audit.anchor_head")
def write_anchor() -> None:
    """Write the head of the chain outside the database, if it moved."""
    anchor_head()
