"""Rows for pages to show: each state of a contact and a change, each audit event, long and short values."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from audit.context import Context, Source, worker_context
from audit.log import record
from audit.models import Action, AuditEvent, Review, ReviewState
from contacts.mirror import ensure_contacts
from contacts.models import (
    AlternateContact,
    ChangeSet,
    ChangeStatus,
    ContactChange,
    ContactStatus,
    Drift,
    DriftState,
    PlannedChange,
    SetKind,
    SetStatus,
    Verdict,
)
from orgs.models import (
    AccessGrant,
    Account,
    AccountState,
    Organization,
    OrganizationalUnit,
    Role,
    Standing,
)
from portal.causes import Cause
from portal.models import User

MANAGEMENT = "100000000000"
OLD = {
    "name": "Finance Operations",
    "title": "Duty",
    "email": "finance@northwind.example",
    "phone": "+44 20 7946 0123",
}
NEW = OLD | {"name": "Zoë Ångström, Platform On-call and Incident Response", "phone": "+44 20 7946 0190"}
LONG = "payments-ledger-and-reconciliation-batch-production-eu-central"


@dataclass(frozen=True)
class Scene:
    """What the addresses of the pages need."""

    organization: Organization
    account: Account
    change: ContactChange
    change_set: ChangeSet
    event: AuditEvent
    drift: Drift
    person: User
    question: Review
    group: Group
    grant: AccessGrant

    @property
    def month(self) -> str:
        """The first day of the month that is under way."""
        return timezone.now().date().replace(day=1).isoformat()


def build(person: User) -> Scene:
    """Fill the empty database; the person asked for all changes."""
    organization = _organization()
    accounts = _accounts(organization)
    ensure_contacts(accounts)
    _read(accounts)
    changes = _changes(accounts, person)
    event = _events(accounts[1], person)
    change_set = _change_sets(changes[0], person)
    drift = _drifts(accounts[1], event, person)
    question = _reviews(event, change_set, person)
    group, grant = _access(accounts[1], person)
    return Scene(
        organization, accounts[1], changes[0], change_set, event, drift, person, question, group, grant
    )


def _organization() -> Organization:
    return Organization.objects.create(
        aws_id="o-nw7k2d9x4b",
        name="Northwind Bank",
        management_account_id=MANAGEMENT,
        caller_account_id=MANAGEMENT,
        standing=Standing.MANAGEMENT,
        feature_set="ALL",
        trusted_access=False,
        problem=Cause.TRUSTED_ACCESS_OFF,
        observed_at=timezone.now(),
    )


def _accounts(organization: Organization) -> list[Account]:
    root = _unit(organization, "Root", "r-ab12/", None)
    workloads = _unit(organization, "Workloads", "r-ab12/ou-ab12-work/", root)
    prod = _unit(
        organization, "Production with a name of some length", "r-ab12/ou-ab12-work/ou-ab12-prod/", workloads
    )
    now = timezone.now()
    facts = [
        {"name": "management", "unit": root},
        {"name": LONG, "unit": prod},
        {"name": "suspended", "unit": workloads, "state": AccountState.SUSPENDED},
        {"name": "left", "unit": workloads, "left_at": now},
        {"name": "standalone", "organization": None},
        *({"name": f"app-{number}", "unit": prod} for number in range(30)),
    ]
    shared = {"organization": organization, "state": AccountState.ACTIVE, "contacts_read_at": now}
    return Account.objects.bulk_create(
        Account(aws_id=f"{100000000000 + n}", email=f"aws+{n}@northwind.example", **(shared | fact))
        for n, fact in enumerate(facts)
    )


def _unit(
    organization: Organization, name: str, path: str, parent: OrganizationalUnit | None
) -> OrganizationalUnit:
    return OrganizationalUnit.objects.create(
        organization=organization, aws_id=path.strip("/").split("/")[-1], name=name, path=path, parent=parent
    )


def _read(accounts: list[Account]) -> None:
    """Billing is set, Operations is not set, Security is unknown; some accounts have all three."""
    contacts = AlternateContact.objects.all()
    seen = {"observed_at": timezone.now(), "tried_at": timezone.now()}
    contacts.filter(contact_type="BILLING").update(status=ContactStatus.SET, problem="", **OLD, **seen)
    contacts.filter(contact_type="OPERATIONS").update(status=ContactStatus.ABSENT, problem="", **seen)
    contacts.filter(contact_type="SECURITY").update(problem=Cause.SCP_DENIES, **OLD, **seen)
    contacts.filter(account__in=accounts[10:]).update(status=ContactStatus.SET, problem="", **OLD, **seen)


def _changes(accounts: list[Account], person: User) -> list[ContactChange]:
    contacts = {
        contact.account_id: contact for contact in AlternateContact.objects.filter(contact_type="BILLING")
    }
    causes = {ChangeStatus.FAILED: Cause.POLICY_DENIES, ChangeStatus.CONFLICT: Cause.OUTCOME_UNKNOWN}
    return [
        ContactChange.objects.create(
            contact=contacts[account.pk],
            caller_key=f"aws:{MANAGEMENT}",
            status=status,
            wanted=None if status == ChangeStatus.APPLIED else NEW,
            before={"status": "set"} | OLD,
            seen_version=0,
            requested_by=person,
            requested_at=timezone.now() - timedelta(hours=number),
            source=Source.PAGE,
            reason="The duty rota moves to the partner for the December freeze.",
            ticket="CHG-1042",
            request_id=f"request-{number}",
            problem=causes.get(status, ""),
        )
        for number, (account, status) in enumerate(zip(accounts[1:], ChangeStatus, strict=False))
    ]


def _drifts(account: Account, event: AuditEvent, person: User) -> Drift:
    """One that nobody has decided, and an earlier one of the same contact that somebody adopted."""
    contact = AlternateContact.objects.get(account=account, contact_type="BILLING")
    now = timezone.now()
    values = {"contact": contact, "before": {"status": "set"} | NEW, "after": {"status": "set"} | OLD}
    Drift.objects.create(
        **values,
        event_id=event.pk + 1,
        found_at=now - timedelta(days=20),
        state=DriftState.ADOPTED,
        decided_by=person,
        decided_at=now - timedelta(days=19),
        reason="The partner moved its desk.",
    )
    return Drift.objects.create(
        **values, event_id=event.pk, last_read_at=now - timedelta(hours=6), found_at=now
    )


def _access(account: Account, person: User) -> tuple[Group, AccessGrant]:
    """A group with grants in force, one that soon ends and one that has ended; the person is in it."""
    group = Group.objects.create(name="Payments and Settlement Platform Team")
    person.groups.add(group)
    now = timezone.now()
    give = partial(AccessGrant.objects.create, group=group)
    give(role=Role.VIEWER, organization=account.organization)
    give(role=Role.APPROVER, account=account, ends_at=now - timedelta(days=3))
    grant = give(
        role=Role.EDITOR, unit=account.unit, contact_types=["OPERATIONS"], ends_at=now + timedelta(days=9)
    )
    AccessGrant.objects.create(person=person, role=Role.AUDITOR, unit=account.unit, ends_at=now)
    return group, grant


def _change_sets(change: ContactChange, person: User) -> ChangeSet:
    """One that waits for approval, one that ran before it, and the set of one of the change that waits."""
    waiting = _change_set(person, SetStatus.WAITING, title="Replace security contacts, November")
    _change_set(person, SetStatus.RUNNING, title="Move the duty rota at once", broke_glass=True)
    single = _change_set(person, SetStatus.WAITING, title=str(change.contact.account), kind=SetKind.SINGLE)
    ContactChange.objects.filter(pk=change.pk).update(change_set=single)
    for change_set, line in ((waiting, 1), (waiting, 2), (single, 1)):
        PlannedChange.objects.create(
            change_set=change_set,
            line=line,
            account_text=change.contact.account.aws_id,
            account=change.contact.account,
            contact_type=change.contact.contact_type,
            contact=change.contact,
            verdict=Verdict.CHANGE,
            wanted=change.wanted,
            before=change.before,
            change=change if change_set == single else None,
        )
    return waiting


def _change_set(person: User, status: SetStatus, **facts: Any) -> ChangeSet:
    now = timezone.now()
    usual: dict[str, Any] = {
        "kind": SetKind.FILE,
        "file_name": "security-contacts-november-from-the-helpdesk.csv",
        "source": Source.PAGE,
        "request_id": "set",
        "reason": "The duty rota moves to the partner for the December freeze.",
        "ticket": "CHG-1042",
        "planned_at": now,
        "submitted_at": now,
        "expires_at": now + timedelta(hours=72),
        "counts": {"change": 2},
        "plan_hash": "a" * 64,
        "needs_approval": ["it touches more than 50 contacts", "it touches a management account"],
    }
    return ChangeSet.objects.create(requested_by=person, status=status, **(usual | facts))


def _reviews(event: AuditEvent, change_set: ChangeSet, person: User) -> Review:
    """An open question to whoever looks, one that was answered, and a set that was reviewed."""
    facts: dict[str, Any] = {
        "by": person,
        "at": timezone.now(),
        "note": "Why did this not wait for the freeze?",
    }
    answered = facts | {"asked": person, "answer": "The partner asked for it.", "answered_at": timezone.now()}
    Review.objects.create(event_id=event.pk + 1, state=ReviewState.ANSWERED, **answered)
    Review.objects.create(change_set_id=change_set.pk, state=ReviewState.REVIEWED, **facts)
    return Review.objects.create(event=event, state=ReviewState.OPEN, **facts)


def _events(account: Account, person: User) -> AuditEvent:
    by_person = Context(
        actor=person, source=Source.PAGE, reason="New duty phone.", ticket="CHG-1042", ip="192.0.2.7"
    )
    facts = {"organization_id": "o-nw7k2d9x4b", "account_id": account.aws_id, "contact_type": "BILLING"}
    events = [
        record(
            action,
            by_person if action.startswith(("contact.change", "user", "access")) else worker_context(),
            before={"status": "set"} | OLD,
            after={"status": "set"} | NEW,
            **facts,
        )
        for action in Action
    ]
    return events[0]
