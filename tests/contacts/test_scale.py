"""Pages that stay as they are however many accounts, units and changes there are."""

from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import ChangeStatus
from contacts.shell import ReadStatus
from contacts.views.changes import ChangeList
from orgs.models import Account, OrganizationalUnit
from tests.contacts.scene import Scene, as_person

ACCOUNTS, CHANGES = reverse("contacts:account_list"), reverse("contacts:change_list")
OVERVIEW, DRIFTS = reverse("contacts:overview"), reverse("contacts:drift_list")
REVIEW, SETS = reverse("contacts:review_list"), reverse("contacts:change_set_list")
numbers = count(1)


def more_of_everything(scene: Scene, alice, rows: int) -> None:
    """Accounts in units of their own, each with a change that failed and one from outside."""
    for number in (next(numbers) for _ in range(rows)):
        unit = unit_below(scene, number)
        account = scene.account(f"6{number:011}", f"more-{number:03}", unit=unit)
        scene.change(alice, account, status=ChangeStatus.FAILED)
        scene.drift(account)


def unit_below(scene: Scene, number: int) -> OrganizationalUnit:
    return OrganizationalUnit.objects.create(
        organization=scene.organization,
        aws_id=f"ou-ab12-n{number:07}",
        name=f"Flat {number:03}",
        parent=scene.root,
        path=f"r-ab12/ou-ab12-n{number:07}/",
    )


@pytest.mark.parametrize("address", [OVERVIEW, ACCOUNTS, f"{ACCOUNTS}?q=more", CHANGES, DRIFTS,
                                     f"{CHANGES}?sort=problems", f"{CHANGES}?q=more", SETS,
                                     REVIEW, f"{REVIEW}?look=failed"])  # fmt: skip
def test_a_page_asks_as_much_of_many_rows_as_of_a_few(scene, alice, bob, dana, address):
    client = as_person(dana if address.startswith(REVIEW) else bob)
    asked = []
    for rows in (2, 12):
        more_of_everything(scene, alice, rows)
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]


def flat_units(scene: Scene, number: int) -> None:
    for each in range(number):
        unit = unit_below(scene, each)
        Account.objects.create(
            aws_id=f"7{each:011}", name=f"flat-{each:03}", organization=scene.organization, unit=unit
        )


def test_of_many_units_the_branch_is_shown_where_somebody_is(scene, bob):
    flat_units(scene, 100)
    client = as_person(bob)

    (bank, _) = client.get(ACCOUNTS).context["tree"].nodes
    assert (len(bank.children), bank.more, bank.count) == (30, 71, 103)
    assert not any(node.children for node in bank.children)

    page = client.get(ACCOUNTS, {"unit": "ou-ab12-payments"})
    (bank, _) = page.context["tree"].nodes
    (workloads,) = [node for node in bank.children if node.label == "Workloads"]
    assert [(node.label, node.is_current) for node in workloads.children] == [("Payments", True)]
    assert "and 71 smaller ones" in page.text


def test_a_unit_that_is_not_shown_is_found_by_name(scene, bob):
    flat_units(scene, 100)
    client = as_person(bob)

    page = client.get(ACCOUNTS, {"units": "flat 09", "type": "SECURITY"})
    assert [node.label for node in page.context["tree"].nodes] == [f"Flat 09{n}" for n in range(10)]
    assert page.context["tree"].nodes[3].href == "?type=SECURITY&unit=ou-ab12-n0000093"
    assert page.context["paginator"].count == 104
    assert "No unit has this in its name." in client.get(ACCOUNTS, {"units": "nowhere"}).text


def test_the_heat_table_shows_the_largest_units_of_many(scene, bob):
    flat_units(scene, 100)
    page = as_person(bob).get(OVERVIEW)
    labels = [row.label for row in page.context["coverage"].rows]
    assert len(labels) == 42
    assert labels[0] == "Northwind Bank" and labels[-1] == "Standalone" and "Workloads" in labels
    assert "Payments" not in labels
    assert "The largest units" in page.text


@pytest.mark.parametrize("address", [reverse("contacts:audit_list"), reverse("contacts:review_list")])
def test_a_filter_takes_one_of_many_units_by_name_or_id(scene, dana, address):
    flat_units(scene, 100)
    client = as_person(dana)

    assert "Flat 093" not in client.get(address).text
    for text in ("flat 093", "ou-ab12-n0000093"):
        form = client.get(address, {"unit": text}).context["form"]
        assert form.cleaned_data["unit"].name == "Flat 093"
    assert "No unit has this name or id" in client.get(address, {"unit": "Flat"}).text
    OrganizationalUnit.objects.filter(name="Flat 094").update(name="Flat 093")
    assert "Several units have this name" in client.get(address, {"unit": "Flat 093"}).text


def test_beyond_what_is_counted_a_list_says_so(scene, alice, bob, monkeypatch):
    monkeypatch.setattr(ChangeList, "counted", 30)
    more_of_everything(scene, alice, 40)
    client = as_person(bob)

    first = client.get(CHANGES)
    assert "1–25 of 30+ changes" in first.text and "30+ changes" in first.text
    last = client.get(CHANGES, {"page": "9"})
    assert "26–30 of 30+ changes. Filter or sort to see those beyond." in last.text
    assert len(last.context["wishes"]) == 5


def test_pages_of_a_search_say_the_exact_number(scene, bob):
    flat_units(scene, 60)
    client = as_person(bob)

    shown = []
    for page in ("", "2", "3"):
        found = client.get(ACCOUNTS, {"q": "flat-", "page": page})
        assert found.context["paginator"].count_words == "60"
        shown += [row.account.name for row in found.context["rows"]]
    assert shown == [f"flat-{number:03}" for number in range(60)]
    for page in ("99", "9" * 30, "-1", "x"):
        assert "of 60 accounts" in client.get(ACCOUNTS, {"q": "flat-", "page": page}).text
    assert "No account matches" in client.get(ACCOUNTS, {"q": "nowhere", "page": "2"}).text


def test_by_urgency_pages_go_on_from_one_kind_to_the_next(scene, alice, bob):
    accounts = [scene.account(f"8{number:011}", f"turn-{number:02}") for number in range(15)]
    applied = [scene.change(alice, account, status=ChangeStatus.APPLIED) for account in accounts]
    failed = [scene.change(alice, each, "BILLING", status=ChangeStatus.FAILED) for each in accounts]
    queued = [scene.change(alice, account, "OPERATIONS") for account in accounts]
    client = as_person(bob)

    shown = []
    for page in (1, 2):
        wishes = client.get(CHANGES, {"sort": "problems", "page": page}).context["wishes"]
        shown += [wish.change for wish in wishes]

    assert shown == failed[::-1] + queued[::-1] + applied[::-1]


def test_numbers_of_a_large_company_are_readable(scene, bob, monkeypatch):
    large = ReadStatus(accounts=98_000, fresh=53_650, last_read_at=None, span="hour")
    monkeypatch.setattr("contacts.shell.read_status_of", lambda user: large)
    page = as_person(bob).get(OVERVIEW)
    assert "53,650 of 98,000 in the last hour" in page.text
    assert '98,000<span class="visually-hidden"> accounts' in page.text


def test_figures_over_all_accounts_ask_only_for_what_is_in_an_index(scene, bob):
    client = as_person(bob)
    with CaptureQueriesContext(connection) as queries:
        client.get(ACCOUNTS)
    counts = [q["sql"] for q in queries if "COUNT(" in q["sql"] and 'FROM "orgs_account" WHERE' in q["sql"]]
    assert len(counts) == 4  # the list's own, the tree, all of the frame, and what is stale
    assert not any('"orgs_account"."id"' in sql or "FILTER" in sql for sql in counts)


TEXT_INDEXES = ("account_by_text", "contact_by_text", "change_by_text")
FILLING = """
    INSERT INTO orgs_organizationalunit (aws_id, name, path, organization_id, parent_id, missed_scans)
    SELECT 'ou-ab12-m' || n, 'Unit ' || n, 'r-ab12/ou-ab12-m' || n || '/', %(owner)s, %(root)s, 0
    FROM generate_series(1, 2000) n;
    INSERT INTO orgs_account (aws_id, partition, name, email, state, profile, role_arn, external_id,
        missed_scans, organization_id, unit_id)
    SELECT (300000000000 + u.id)::text, 'aws', md5(u.name), md5(u.path) || '@northwind.example', 'ACTIVE',
        '', '', '', 0, u.organization_id, u.id
    FROM orgs_organizationalunit u;
    INSERT INTO contacts_alternatecontact (account_id, contact_type, status, name, title, email, phone,
        problem, version)
    SELECT a.id, t.kind, 'set', md5(name || kind), 'Team', md5(email || kind), '+44 20 7946 0150', '', 1
    FROM orgs_account a, (VALUES ('BILLING'), ('OPERATIONS'), ('SECURITY')) t (kind)
    WHERE a.aws_id LIKE '3000%%';
    INSERT INTO contacts_contactchange (contact_id, caller_key, lane, status, before, seen_version,
        requested_by_id, requested_at, source, reason, ticket, request_id, attempts, claim, problem,
        aws_request_id)
    SELECT c.id, '', 0, 'applied', '{}', 1, %(person)s, now(), 'page', md5(c.name), 'T' || c.id, '', 1,
        '', '', ''
    FROM contacts_alternatecontact c
"""
TABLES = "orgs_organizationalunit, orgs_account, contacts_alternatecontact, contacts_contactchange"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("address", "text", "indexes"),
    [
        (f"{ACCOUNTS}?q=quetzal", "quetzal", ("contact_by_text",)),
        (f"{ACCOUNTS}?email=quetzal@northwind.example", "quetzal", ("contact_by_text",)),
        (f"{CHANGES}?q=quetzal", "quetzal", ("account_by_text", "change_by_text")),
        (f"{ACCOUNTS}?unit=ou-ab12-n0000001", "n0000001/", ("orgs_organizationalunit_path",)),
    ],
)
def test_postgresql_searches_by_indexes(scene, alice, bob, address, text, indexes):
    unit_below(scene, 1)
    values = {"person": alice.pk, "owner": scene.organization.pk, "root": scene.root.pk}
    with connection.cursor() as cursor:
        for statement in FILLING.split(";"):
            cursor.execute(statement, values)
        cursor.execute("SELECT gin_clean_pending_list(i) FROM unnest(%s::regclass[]) i", [list(TEXT_INDEXES)])
    client = as_person(bob)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"] and text in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TABLES}")
        # Of so few rows it would rather read all, in the table or through some other index.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute(f"EXPLAIN {counts[0]}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    for index in indexes:
        assert index in plan
