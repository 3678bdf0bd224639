"""What tests of the audit share."""

import pytest

from audit import triggers
from audit.models import AuditEvent
from audit.seals import seal_pending
from tests.audit.writing import write


@pytest.fixture
def chain(db: None) -> list[AuditEvent]:
    """Seven sealed events, and nothing that protects them."""
    events = write(7)
    seal_pending()
    triggers.uninstall()
    return events
