"""Two companies whose every text carries a mark, so that a page tells what it gives away."""

from dataclasses import dataclass, field
from typing import Any

from audit.context import worker_context
from audit.log import record
from audit.models import Action
from contacts.events import account_facts, record_change, record_contact
from contacts.models import AlternateContact, ChangeSet, ChangeStatus, ContactChange, ContactType, Drift
from orgs.models import Account, Organization, OrganizationalUnit, Standing
from portal.aws import ContactDetails
from tests.contacts.scene import Scene

TYPES = ContactType.values
PHONE = "+44 20 7946 0100"  # of every contact: whoever looks for it finds what they may see


@dataclass
class Company:
    """An organization with a root, two units and one below the first; an account in each of the three."""

    letter: str
    organization: Organization
    units: dict[str, OrganizationalUnit]
    accounts: dict[str, Account]
    sets: dict[str, ChangeSet] = field(default_factory=dict)

    def mark(self, *path: str) -> str:
        """The mark of a unit, an account or a contact: "zqa-alpha-account-SECURITY-x"."""
        return "-".join([f"zq{self.letter}", *path, "x"]).lower()


class Companies(Scene):
    """Both, beside the scene's own methods; each contact has a change, a drift, a question and events."""

    def __init__(self, author: Any) -> None:
        self.author, self.payments = author, None
        self.companies = [self._company("a", 1), self._company("b", 5)]
        self.both = self._set(
            "zqs-set-both-x", [company.accounts["alpha"] for company in self.companies], TYPES
        )
        self.standalone = self.account("700000000001", "zqs-account-x", organization=None, unit=None)
        self._fill(self.standalone, "zqs-account")
        self.changes = list(ContactChange.objects.order_by("pk"))
        self.drifts = list(Drift.objects.order_by("pk"))

    def _company(self, letter: str, digit: int) -> Company:
        organization = Organization.objects.create(
            aws_id=f"o-{letter * 10}",
            name=f"zq{letter}-organization-x",
            management_account_id=f"{digit}" * 12,
            caller_account_id=f"{digit}" * 12,
            standing=Standing.MANAGEMENT,
            feature_set="ALL",
            trusted_access=True,
        )
        company = Company(letter, organization, {}, {})
        self.organization = organization
        company.units["root"] = self._named(company, "root", None)
        company.units["alpha"] = self._named(company, "alpha", company.units["root"])
        company.units["beta"] = self._named(company, "beta", company.units["alpha"])
        company.units["gamma"] = self._named(company, "gamma", company.units["root"])
        for number, name in enumerate(("alpha", "beta", "gamma")):
            aws_id = f"{digit}0000000000{number}"
            base = company.mark("account", name).removesuffix("-x")
            account = self.account(
                aws_id, f"{base}-x", unit=company.units[name], email=f"{base}-x@own.example"
            )
            company.accounts[name] = account
            self._fill(account, base)
        for name, names, types in (
            ("one", ["alpha"], ["SECURITY"]),
            ("unit", ["alpha", "beta"], ["SECURITY"]),
            ("whole", ["alpha", "beta", "gamma"], TYPES),
        ):
            accounts = [company.accounts[which] for which in names]
            company.sets[name] = self._set(f"zq{letter}-set-{name}-x", accounts, types)
        return company

    def _named(self, company: Company, name: str, parent: OrganizationalUnit | None) -> OrganizationalUnit:
        aws_id = f"r-{company.letter}000" if parent is None else f"ou-{company.letter}000-{name}0000"
        return self._unit(aws_id, company.mark("unit", name), parent)

    def _fill(self, account: Account, base: str) -> None:
        record(
            Action.ACCOUNT_RENAMED, worker_context(), before={"name": f"{base}-x"}, **account_facts(account)
        )
        for contact_type in TYPES:
            self._live(account, contact_type, f"{base}-{contact_type.lower()}-x")
        values = {contact.contact_type: contact.value for contact in account.contacts.all()}
        record(Action.CONTACT_BASELINE, worker_context(), after=values, **account_facts(account))

    def _live(self, account: Account, contact_type: str, mark: str) -> None:
        """A contact with a history: changed once, and once more from outside."""
        self.put(account, contact_type, ContactDetails(f"{mark} n", f"{mark} t", f"{mark}@x.example", PHONE))
        wanted = ContactDetails(f"{mark} wanted", "Desk", f"{mark}.w@x.example", PHONE)
        facts = {"reason": f"{mark} reason", "request_id": f"{mark}"[:32]}
        change = self.change(self.author, account, contact_type, wanted, ChangeStatus.FAILED, **facts)
        record_change(Action.CHANGE_REQUESTED, change, worker_context())
        contact = self.contact(account, contact_type)
        self.drift(account, contact_type)
        record_contact(Action.DRIFT_IGNORED, contact, worker_context(), reason=f"{mark} ignored")

    def _set(self, title: str, accounts: list[Account], types: list[str]) -> ChangeSet:
        change_set = self.change_set(self.author, title=title, counts={"change": len(accounts) * len(types)})
        contacts = AlternateContact.objects.filter(account__in=accounts, contact_type__in=types)
        for line, contact in enumerate(contacts.select_related("account").order_by("pk"), start=1):
            self.row(change_set, contact, line)
        facts = {"change_set_id": change_set.pk, "detail": {"title": title}}
        record(Action.SET_SUBMITTED, worker_context(), **facts)
        return change_set
