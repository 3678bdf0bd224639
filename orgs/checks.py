"""What a check of the doctor found, and what mends it: plain values that the organization's row keeps."""

from dataclasses import dataclass, field

from django.db import models


class Status(models.TextChoices):
    """What a check found; unknown: it could not be asked."""

    OK = "ok", "OK"
    WARNING = "warning", "Look at this"
    FAILING = "failing", "Failing"
    UNKNOWN = "unknown", "Unknown"


@dataclass(frozen=True)
class Mend:
    """What mends a trouble: a sentence for people, and what of the rest there is.

    command is for the AWS CLI, one command a line, run by somebody at `where`; statement is what the identity
    that needs it gets; portal is a command of the portal's own to run afterwards.
    """

    remedy: str
    where: str = ""
    command: str = ""
    console: str = ""
    statement: str = ""
    portal: str = ""


@dataclass(frozen=True)
class Check:
    """One point of the list, as it is kept and shown."""

    label: str
    status: str
    detail: str = ""
    cause: str = ""
    remedy: str = ""
    where: str = ""
    command: str = ""
    console: str = ""
    statement: str = ""
    portal: str = ""
    found: dict[str, str] = field(default_factory=dict)
