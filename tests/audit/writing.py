"""Events in which no column is empty."""

from audit.context import Context, Source
from audit.log import event, record_all
from audit.models import Action, AuditEvent

OPS = {
    "status": "set",
    "name": "Ops",
    "title": "Team",
    "email": "ops@example.com",
    "phone": "+44 20 7946 0155",
}


def write(count: int = 1) -> list[AuditEvent]:
    """So many events with something in every column."""
    context = Context(source=Source.PAGE, reason="Moved", ticket="CHG-1", ip="192.0.2.7", os_user="root")
    return record_all(
        [
            event(
                Action.CHANGE_APPLIED,
                context,
                account_id="111122223333",
                organization_id="o-abcdefghij",
                unit_path="r-ab12/",
                contact_type="BILLING",
                change_id=number,
                aws_request_id="5f1c",
                before=OPS,
                after={"status": "absent"},
                detail={"note": "für Zoë"},
            )
            for number in range(count)
        ]
    )
