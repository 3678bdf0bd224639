"""The immutable records that a world is made of."""

from dataclasses import asdict, dataclass, field
from typing import Any

CONTACT_TYPES = ("BILLING", "OPERATIONS", "SECURITY")
ACCOUNT_STATES = ("PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED")
ACCOUNT_MANAGEMENT = "account.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Contact:
    name: str
    title: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A root (no parent) or an organizational unit."""

    unit_id: str
    name: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account; without a parent it stands outside the organization."""

    account_id: str
    name: str
    email: str
    state: str = "ACTIVE"
    parent_id: str | None = None
    joined_at: float = 0.0
    joined_method: str = "CREATED"
    roles: dict[str, str | None] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def can_act(self) -> bool:
        return self.state in ("ACTIVE", "PENDING_CLOSURE")


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials that AssumeRole gave out."""

    key_id: str
    token: str
    account_id: str
    arn: str
    user_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Organization:
    organization_id: str
    root_id: str
    management_id: str


def as_json(record: Any) -> dict[str, Any]:  # Any: every record above
    """Give the record as a dictionary that JSON can hold."""
    return asdict(record)
