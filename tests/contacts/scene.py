"""A small organization in the database alone, for pages: nobody asks AWS here."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from audit.context import Source, worker_context
from audit.models import Action, AuditEvent, Review, ReviewState
from contacts.details import value_of
from contacts.events import record_contact
from contacts.mirror import ensure_contacts
from contacts.models import (
    AlternateContact,
    ChangeSet,
    ChangeStatus,
    ContactChange,
    ContactStatus,
    Drift,
    PlannedChange,
    SetKind,
    SetStatus,
    Verdict,
)
from orgs.models import Account, AccountState, Organization, OrganizationalUnit, Standing
from portal.aws import ContactDetails
from portal.causes import Cause

DESK = ContactDetails("Security Desk", "SOC", "soc@northwind.example", "+44 20 7946 0150")
FINANCE = ContactDetails(
    "Finance Operations", "Cost control", "billing@northwind.example", "+44 20 7946 0123"
)
ROTA = ContactDetails("Duty Rota", "Duty officer", "rota@northwind.example", "+44 20 7946 0199")
LEDGER, GATEWAY, ARCHIVE, LAB = "442109153376", "907713402258", "123456789012", "012345678901"


class Scene:
    """ledger: all set; gateway: security absent, operations unknown; archive: suspended; lab: standalone."""

    def __init__(self) -> None:
        self.organization = Organization.objects.create(
            aws_id="o-nw7k2d9x4b",
            name="Northwind Bank",
            management_account_id="111111111111",
            caller_account_id="111111111111",
            standing=Standing.MANAGEMENT,
            feature_set="ALL",
            trusted_access=True,
        )
        self.root = self._unit("r-ab12", "Root", None)
        self.workloads = self._unit("ou-ab12-workload", "Workloads", self.root)
        self.payments = self._unit("ou-ab12-payments", "Payments", self.workloads)
        self.ledger = self.account(LEDGER, "payments-ledger-prod")
        self.gateway = self.account(GATEWAY, "partner-gateway-dev")
        self.archive = self.account(ARCHIVE, "archive-old", state=AccountState.SUSPENDED, unit=self.workloads)
        self.lab = self.account(
            LAB, "", organization=None, unit=None, role_arn=f"arn:aws:iam::{LAB}:role/Portal"
        )
        for contact_type, details in (("BILLING", FINANCE), ("OPERATIONS", ROTA), ("SECURITY", DESK)):
            self.put(self.ledger, contact_type, details)
        self.put(self.gateway, "BILLING", FINANCE)
        self.put(self.gateway, "SECURITY", None)
        self.lose(self.gateway, "OPERATIONS", Cause.POLICY_DENIES)

    def account(self, aws_id: str, name: str, **facts: Any) -> Account:
        """An active member of Payments unless the facts say otherwise, with its three contacts unread."""
        usual = {"organization": self.organization, "unit": self.payments, "state": AccountState.ACTIVE}
        account = Account.objects.create(aws_id=aws_id, name=name, **(usual | facts))
        ensure_contacts([account])
        return account

    def contact(self, account: Account, contact_type: str) -> AlternateContact:
        """The mirror of one contact as it is now."""
        return account.contacts.get(contact_type=contact_type)

    def put(self, account: Account, contact_type: str, details: ContactDetails | None) -> None:
        """AWS said so four minutes ago."""
        now = timezone.now() - timedelta(minutes=4)
        contact = self.contact(account, contact_type)
        contact.status = ContactStatus.ABSENT if details is None else ContactStatus.SET
        for field in ("name", "title", "email", "phone"):
            setattr(contact, field, getattr(details, field, ""))
        contact.problem, contact.first_seen_at = "", now
        contact.observed_at = contact.tried_at = now
        contact.version += 1
        contact.save()

    def lose(self, account: Account, contact_type: str, cause: Cause) -> None:
        """AWS refused the last read."""
        contact = self.contact(account, contact_type)
        contact.status, contact.problem, contact.tried_at = ContactStatus.UNKNOWN, cause, timezone.now()
        contact.save()

    def change(
        self,
        person: Any,
        account: Account,
        contact_type: str = "SECURITY",
        wanted: ContactDetails | None = ROTA,
        status: ChangeStatus = ChangeStatus.QUEUED,
        **facts: Any,
    ) -> ContactChange:
        """A change in this state, as if it had been asked for a minute ago."""
        contact = self.contact(account, contact_type)
        usual = {
            "caller_key": account.caller_key,
            "before": value_of(contact.details),
            "seen_version": contact.version,
            "requested_at": timezone.now() - timedelta(minutes=1),
            "source": Source.PAGE,
            "reason": "Duty rota moves.",
            "request_id": "f" * 32,
        }
        values = value_of(wanted)
        values.pop("status")
        return ContactChange.objects.create(
            contact=contact, requested_by=person, wanted=values or None, status=status, **(usual | facts)
        )

    def drift(self, account: Account, contact_type: str = "SECURITY", **facts: Any) -> Drift:
        """What stands there now came from outside; the duty rota stood there before."""
        contact = self.contact(account, contact_type)
        values = {"before": value_of(ROTA), "after": contact.value}
        event = record_contact(Action.CONTACT_DRIFT, contact, worker_context(), **values)
        now = timezone.now()
        times = {"last_read_at": now - timedelta(hours=6), "found_at": now}
        return Drift.objects.create(contact=contact, event_id=event.pk, **(values | times | facts))

    def change_set(self, person: Any, change: ContactChange | None = None, **facts: Any) -> ChangeSet:
        """A change set that waits for approval, of this one change where it is given."""
        now = timezone.now()
        usual = {
            "kind": SetKind.SINGLE if change else SetKind.FILE,
            "title": "Replace security contacts, November",
            "status": SetStatus.WAITING,
            "source": Source.PAGE,
            "request_id": "e" * 32,
            "reason": "The old mailbox closes on 30 November.",
            "planned_at": now - timedelta(minutes=10),
            "submitted_at": now - timedelta(minutes=5),
            "expires_at": now + timedelta(hours=72),
            "counts": {"change": 1} if change else {"change": 96, "new": 18, "refused": 7},
            "plan_hash": "a" * 64,
            "needs_approval": ["it touches more than 50 contacts"],
        }
        change_set = ChangeSet.objects.create(requested_by=person, **(usual | facts))
        if change:
            self._row(change_set, change)
        return change_set

    def question(self, reviewer: Any, asked: Any, event: AuditEvent, **facts: Any) -> Review:
        """An open question of a reviewer about this event."""
        usual = {"state": ReviewState.OPEN, "at": timezone.now(), "note": "Why was this needed?"}
        return Review.objects.create(event=event, by=reviewer, asked=asked, **(usual | facts))

    def row(self, change_set: ChangeSet, contact: AlternateContact, line: int = 1, **facts: Any) -> None:
        """A line of a plan that deletes this contact, unless the facts say otherwise."""
        usual = {
            "account_text": contact.account.aws_id,
            "caller_key": contact.account.caller_key,
            "verdict": Verdict.DELETE,
            "before": contact.value,
        }
        PlannedChange.objects.create(
            change_set=change_set,
            line=line,
            account=contact.account,
            contact=contact,
            contact_type=contact.contact_type,
            **(usual | facts),
        )

    def _row(self, change_set: ChangeSet, change: ContactChange) -> None:
        self.row(
            change_set,
            change.contact,
            verdict=Verdict.DELETE if change.wanted is None else Verdict.CHANGE,
            wanted=change.wanted,
            before=change.before,
            change=change,
        )
        change.change_set = change_set
        change.save(update_fields=["change_set"])

    def _unit(self, aws_id: str, name: str, parent: OrganizationalUnit | None) -> OrganizationalUnit:
        path = f"{parent.path if parent else ''}{aws_id}/"
        return OrganizationalUnit.objects.create(
            organization=self.organization, aws_id=aws_id, name=name, parent=parent, path=path
        )


def as_person(person: Any) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(person)
    return client


def unmarked(html: str) -> str:
    """The page without the marks that show which part of a value changed."""
    return html.replace("<mark>", "").replace("</mark>", "")
