"""What Celery runs for the audit: the sealer, less than a second behind the events, and the anchors."""

import logging

from celery import shared_task

from audit.anchors import anchor_head
from audit.seals import seal_pending

logger = logging.getLogger(__name__)

BATCH = 2000  # sealed in one write transaction of about a tenth of a second
BATCHES = 20


@shared_task(name="audit.seal_events")
def seal_events() -> int:
    """Seal what is pending, in short transactions, until nothing is; the rest waits for the next beat."""
    sealed = 0
    for _ in range(BATCHES):
        count = seal_pending(BATCH)
        if not count:
            break
        sealed += count
    if sealed:
        logger.debug("%s events sealed", sealed)
    return sealed


@shared_task(name="audit.anchor_head")
def write_anchor() -> None:
    """Write the head of the chain outside the database, if it moved."""
    anchor_head()
