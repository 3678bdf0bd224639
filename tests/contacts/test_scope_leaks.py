"""Whatever the grants, no page, file or error says a word of what lies outside them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audit.models import AuditEvent
from contacts.models import ChangeSet, ContactChange, Drift
from orgs.models import AccessGrant, Account, Organization, OrganizationalUnit, Role
from portal.models import User
from tests.contacts.companies import PHONE, TYPES, Companies
from tests.contacts.scene import as_person

MARK = re.compile(r"zq[abs]-[a-z-]+-x")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')
EXPORTERS = {Role.HELPDESK, Role.EDITOR, Role.APPROVER, Role.AUDITOR}
EDITORS = {Role.HELPDESK, Role.EDITOR}
READERS = {Role.EDITOR, Role.APPROVER, Role.AUDITOR}  # of the audit
LISTS = [
    "overview", "account_list", "change_list", "change_set_list", "drift_list", "approval_list", "audit_list",
    "bulk_start", "bulk_set", "bulk_delete", "bulk_copy", "review_question_list",
]  # fmt: skip


@dataclass(frozen=True)
class Given:
    """A grant as the test draws it, and what it means, said anew: the product is not asked."""

    role: Role
    place: Organization | OrganizationalUnit | Account | None
    types: frozenset[str]

    def holds(self, account: Account, contact_type: str = "") -> bool:
        if contact_type and self.types and contact_type not in self.types:
            return False
        if isinstance(self.place, Account):
            return self.place == account
        if isinstance(self.place, OrganizationalUnit):
            return account.unit is not None and account.unit.path.startswith(self.place.path)
        return self.place in (None, account.organization)


class Oracle:
    """What the marks stand for, and which of them somebody with these grants may read."""

    def __init__(self, companies: Companies, grants: list[Given]) -> None:
        self.companies, self.grants = companies, grants
        self.accounts = list(Account.objects.select_related("unit", "organization"))

    def may(self, account: Account, contact_type: str = "", roles: set[Role] | None = None) -> bool:
        grants = [grant for grant in self.grants if roles is None or grant.role in roles]
        return any(grant.holds(account, contact_type) for grant in grants)

    def seen_marks(self) -> set[str]:
        return {*self._of_accounts(), *self._of_places(), *self._of_sets()}

    def _of_accounts(self) -> Iterator[str]:
        for account in self.accounts:
            if self.may(account):
                yield account.name
                yield from (unit.name for unit in self._units() if self._is_on_way(unit, account))
                yield str(account.organization)
            base = account.name.removesuffix("-x")
            yield from (f"{base}-{kind.lower()}-x" for kind in TYPES if self.may(account, kind))

    def _of_places(self) -> Iterator[str]:
        for grant in self.grants:
            if not isinstance(grant.place, Account):
                yield from (unit.name for unit in self._units() if self._is_inside(unit, grant))
                owners = Organization.objects.all()
                yield from (str(owner) for owner in owners if self._owns(grant, owner))

    def _of_sets(self) -> Iterator[str]:
        for change_set in ChangeSet.objects.all():
            rows = change_set.rows.select_related("account__unit", "account__organization")
            if all(self.may(row.account, row.contact_type) for row in rows):
                yield change_set.title

    def _units(self) -> list[OrganizationalUnit]:
        return [unit for company in self.companies.companies for unit in company.units.values()]

    def _is_on_way(self, unit: OrganizationalUnit, account: Account) -> bool:
        return account.unit is not None and account.unit.path.startswith(unit.path)

    def _is_inside(self, unit: OrganizationalUnit, grant: Given) -> bool:
        if isinstance(grant.place, OrganizationalUnit):
            return unit.path.startswith(grant.place.path)
        return grant.place in (None, unit.organization)

    def _owns(self, grant: Given, owner: Organization) -> bool:
        place = grant.place
        return owner == (place.organization if isinstance(place, OrganizationalUnit) else place) or not place


def marks_in(answer: Any) -> set[str]:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return set(MARK.findall(body.decode()))


def page(client: Client, name: str, *args: Any, query: str = "") -> Any:
    return client.get(reverse(f"contacts:{name}", args=args) + query)


@pytest.fixture
def companies(erin) -> Companies:
    return Companies(erin)


places = st.integers(min_value=0, max_value=17)
drawn = st.lists(
    st.tuples(
        st.sampled_from(sorted(EXPORTERS | {Role.VIEWER})),
        places,
        st.sets(st.sampled_from(TYPES), max_size=2),
    ),
    min_size=1,
    max_size=3,
)


def person_with(companies: Companies, draw: Any) -> tuple[User, Oracle]:
    where = [None, *Organization.objects.all(), *OrganizationalUnit.objects.order_by("pk")]
    where += Account.objects.select_related("unit", "organization").order_by("pk")
    grants = [Given(Role(role), where[place % len(where)], frozenset(types)) for role, place, types in draw]
    user = User.objects.create_user("somebody")
    names = {Organization: "organization", OrganizationalUnit: "unit", Account: "account"}
    for grant in grants:
        at = {names[type(grant.place)]: grant.place} if grant.place else {}
        AccessGrant.objects.create(person=user, role=grant.role, contact_types=sorted(grant.types), **at)
    return user, Oracle(companies, grants)


SOME = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(draw=drawn)
@SOME
def test_no_list_or_file_says_what_lies_outside(companies, draw):
    with transaction.atomic():
        user, oracle = person_with(companies, draw)
        client, seen = as_person(user), oracle.seen_marks()
        answers = {name: page(client, name) for name in LISTS}
        for name in ("change_list", "drift_list", "audit_list", "change_set_list"):
            answers[f"{name} long"] = page(client, name, query="?size=100")
        answers["organizations"] = client.get(reverse("orgs:organization_list"))
        answers["sorted"] = page(client, "account_list", query="?sort=-name&drift=on")
        for file_format in ("csv", "json"):
            answers[file_format] = page(client, "account_export", query=f"?format={file_format}")
        answers["template"] = page(client, "bulk_template", query="?format=csv")
        for file_format in ("csv", "jsonl"):
            answers[f"audit {file_format}"] = page(client, "audit_export", query=f"?format={file_format}")
        told = {name: marks_in(answer) - seen for name, answer in answers.items()}
        assert {name: marks for name, marks in told.items() if marks} == {}
        _numbers_are_right(client, oracle)
        transaction.set_rollback(True)


def _numbers_are_right(client: Client, oracle: Oracle) -> None:
    """Counts and files hold all that may be seen, and no more."""
    accounts = [account for account in oracle.accounts if oracle.may(account)]
    contacts = [(account, kind) for account in accounts for kind in TYPES if oracle.may(account, kind)]
    assert page(client, "account_list").context["paginator"].count == len(accounts)
    assert page(client, "change_list").context["paginator"].count == len(contacts)
    assert page(client, "drift_list").context["paginator"].count == len(contacts)
    assert page(client, "overview").context["coverage"].accounts == len(accounts)
    types = page(client, "overview").context["coverage"].types
    told = {tally.contact_type: tally.accounts for tally in types}
    assert told == {
        kind: sum(kind == other for _, other in contacts)
        for kind in TYPES
        if any(not grant.types or kind in grant.types for grant in oracle.grants)
    }
    out = [(account, kind) for account, kind in contacts if oracle.may(account, kind, EXPORTERS)]
    export = page(client, "account_export")
    assert export.status_code == 403 or len(export.getvalue().decode().splitlines()) == len(out) + 1


@given(draw=drawn)
@SOME
def test_no_search_finds_what_lies_outside(companies, draw):
    with transaction.atomic():
        user, oracle = person_with(companies, draw)
        client = as_person(user)
        for account in oracle.accounts[::2]:
            base = account.name.removesuffix("-x")
            why = page(client, "access_why", query=f"?right=view&account={account.aws_id}")
            assert marks_in(why) <= oracle.seen_marks()
            for kind in TYPES:
                mark = f"{base}-{kind.lower()}-x"
                number = int(oracle.may(account, kind))
                for query in (f"?q={mark}", f"?email={mark}@x.example"):
                    found = page(client, "account_list", query=query)
                    assert found.context["paginator"].count == number, query
                for name in ("drift_list", "change_list"):
                    assert page(client, name, query=f"?q={mark}").context["paginator"].count == number
                audit = page(client, "audit_list", query=f"?q={mark}")
                if audit.status_code == 200:
                    may = oracle.may(account, kind, READERS)
                    assert bool(audit.context["entries"]) == may, (mark, may)
        if any(grant.role in EDITORS for grant in oracle.grants):
            found = page(client, "bulk_replace", query=f"?find_phone={PHONE.replace('+', '%2B')}")
            may = [
                (account, kind) for account in oracle.accounts for kind in TYPES if oracle.may(account, kind)
            ]
            assert found.context["total"] == len(may)
        transaction.set_rollback(True)


@given(draw=drawn, start=st.integers(min_value=0, max_value=7))
@SOME
def test_no_id_opens_what_lies_outside(companies, draw, start):
    """Either the page of the thing itself, or the very answer that an absent id gets, for the same price."""
    with transaction.atomic():
        user, oracle = person_with(companies, draw)
        client, seen = as_person(user), oracle.seen_marks()
        for name, absent, given_ids in _ids(start):
            nothing = _answer(client, name, absent)
            for args, is_visible in given_ids:
                found = _answer(client, name, args)
                assert found.marks <= seen, (name, args)
                if not is_visible(oracle):
                    assert found == nothing, (name, args)
        transaction.set_rollback(True)


@dataclass(frozen=True)
class Answer:
    code: int
    text: str
    queries: int
    marks: frozenset[str]


def _answer(client: Client, name: str, args: tuple) -> Answer:
    with CaptureQueriesContext(connection) as queries:
        answer = page(client, name, *args)
    text = TOKEN.sub("", answer.text) if answer.status_code >= 400 else ""
    text = text.partition("<main")[2].partition("</main>")[0]
    return Answer(answer.status_code, text, len(queries), frozenset(marks_in(answer)))


def _ids(start: int) -> Iterator[tuple[str, tuple, list]]:
    """Some of every kind of thing: the page, an absent id, and ids with who may see them."""
    accounts = list(Account.objects.select_related("unit", "organization").order_by("pk"))[start % 2 :: 2]
    yield "account_detail", ("999999999999",), [((a.aws_id,), lambda o, a=a: o.may(a)) for a in accounts]
    contacts = [(account, kind) for account in accounts for kind in TYPES][start % 2 :: 2]
    yield (
        "contact_history",
        ("999999999999", "SECURITY"),
        [((account.aws_id, kind), _contact(account, kind)) for account, kind in contacts],
    )
    for name, model in (("change_detail", ContactChange), ("drift_detail", Drift)):
        rows = model.objects.select_related("contact__account__unit", "contact__account__organization")
        found = [
            ((row.pk,), _contact(row.contact.account, row.contact.contact_type))
            for row in rows.order_by("pk")[start % 4 :: 4]
        ]
        yield name, (10**9,), found
    sets = [((change_set.pk,), _set(change_set)) for change_set in ChangeSet.objects.all()]
    yield "change_set_detail", (10**9,), sets
    yield "change_set_export", (10**9,), sets
    by_id = {account.aws_id: account for account in Account.objects.select_related("unit", "organization")}
    events = AuditEvent.objects.filter(pk__gte=1).order_by("pk")[start::8]
    yield "audit_detail", (10**9,), [((event.pk,), _event(event, by_id)) for event in events]


def _contact(account: Account, kind: str) -> Any:
    return lambda oracle: oracle.may(account, kind)


def _set(change_set: ChangeSet) -> Any:
    return lambda oracle: change_set.title in set(oracle._of_sets())


def _event(event: AuditEvent, accounts: dict[str, Account]) -> Any:
    def is_visible(oracle: Oracle) -> bool:
        account = accounts.get(event.account_id)
        grants = [grant for grant in oracle.grants if grant.role in READERS]
        if account is None:
            return any(grant.place is None and not grant.types for grant in grants)
        if event.contact_type:
            return oracle.may(account, event.contact_type, READERS)
        return any(grant.holds(account) and not grant.types for grant in grants)

    return is_visible


@given(draw=drawn.filter(lambda grants: any(role in EDITORS for role, *_ in grants)))
@SOME
def test_a_plan_says_of_what_lies_outside_no_more_than_of_what_is_not_there(companies, draw):
    with transaction.atomic():
        user, oracle = person_with(companies, draw)
        seen = oracle.seen_marks()
        lines = [f"{account.aws_id},{kind},New desk" for account in oracle.accounts for kind in TYPES]
        rows = "\n".join(["AccountId,AlternateContactType,Title", *lines, "999999999999,SECURITY,New desk"])
        answer = as_person(user).post(reverse("contacts:bulk_file"), {"rows": rows}, follow=True)
        assert marks_in(answer) <= seen
        change_set = ChangeSet.objects.latest("pk")
        planned = {(row.account_text, row.contact_type): row for row in change_set.rows.all()}
        for account in oracle.accounts:
            for kind in TYPES:
                row = planned[account.aws_id, kind]
                if not oracle.may(account):
                    absent = planned["999999999999", "SECURITY"]
                    assert row.problems == [
                        {**problem, "text": problem["text"].replace("999999999999", account.aws_id)}
                        for problem in absent.problems
                    ]
                if not oracle.may(account, kind, EDITORS):
                    assert (row.verdict, row.before, row.contact) == ("refused", {}, None)
                    assert row.wanted == {"name": "", "title": "New desk", "email": "", "phone": ""}
        transaction.set_rollback(True)
