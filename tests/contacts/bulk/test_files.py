"""Files of a bulk change: every mistake is named by its line, and a template comes back as it went."""

from io import BytesIO

import pytest

from audit.context import command_context
from contacts.bulk.files import pasted_lines, read_lines
from contacts.bulk.line import Line
from contacts.bulk.plan import make_plan
from contacts.bulk.template import error_rows, template_rows
from contacts.mirror import ensure_contacts
from contacts.models import AlternateContact, ChangeSet, ContactStatus, SetKind
from orgs.models import Account, AccountState
from orgs.scope import EVERYTHING, Scope
from portal.aws import ContactDetails
from portal.spreadsheets import csv_lines, write_xlsx
from portal.tables import NotATable
from tests.contacts.bulk.traps import ROWS, mended_file, trap_file, trap_workbook
from tests.contacts.scene import GATEWAY, LAB, LEDGER, Scene

IDS = [f"0{311_000_000_00 + number}" for number in range(90)]


def told(line: Line) -> list[str]:
    return [
        f"{problem.field}: {problem.text}" if problem.field else problem.text for problem in line.problems
    ]


def lines_of(
    *rows: str, header: str = "AccountId,AlternateContactType,Action,Name,Phone Number"
) -> list[Line]:
    return list(pasted_lines("\n".join([header, *rows])))


def plan_of(person, data: bytes, name: str = "contacts.csv") -> ChangeSet:
    lines = read_lines(BytesIO(data), name)
    return make_plan(lines, kind=SetKind.FILE, title=name, context=command_context(person))


@pytest.fixture
def accounts(scene: Scene) -> list[str]:
    """Ninety of them, whose contacts are all set."""
    Account.objects.bulk_create(
        Account(
            aws_id=aws_id, organization=scene.organization, unit=scene.payments, state=AccountState.ACTIVE
        )
        for aws_id in IDS
    )
    ensure_contacts(Account.objects.filter(aws_id__in=IDS))
    AlternateContact.objects.filter(account__aws_id__in=IDS).update(
        status=ContactStatus.SET,
        problem="",
        name="Old",
        title="Old",
        email="old@northwind.example",
        phone="+1 2",
    )
    return IDS


def test_every_trap_is_named_by_its_line_and_nothing_else_is_refused(accounts, alice):
    data, expected = trap_file(accounts)
    change_set = plan_of(alice, data)
    rows = list(error_rows(change_set))
    assert rows[0][:4] == ("Line", "AccountId", "AlternateContactType", "Action")
    found = {int(line): problem for line, *_, problem in rows[1:]}
    assert found.keys() == expected.keys()
    missing = [(line, words) for line in expected for words in expected[line] if words not in found[line]]
    assert not missing
    assert change_set.rows.count() == ROWS + 1
    assert all(
        len(row.problems) == len(expected[row.line]) for row in change_set.rows.filter(verdict="refused")
    )


def test_the_refused_lines_are_mended_where_they_stand_and_sent_back(accounts, alice):
    lines = lines_of(
        f"{accounts[0][1:]},BILLING,,Zoë,+44 1",
        f"{accounts[1]},SECURTY,delete,,",
        f"{accounts[2]},SECURITY,,,call me",
    )
    refused = make_plan(lines, kind=SetKind.FILE, title="", context=command_context(alice))
    header, *rows = error_rows(refused)
    assert [row[3:8] for row in rows] == [
        ("", "Zoë", "", "", "+44 1"),
        ("delete", "", "", "", ""),
        ("", "", "", "", "call me"),
    ]
    mended = {accounts[0][1:]: accounts[0], "SECURTY": "SECURITY", "call me": "+44 2"}
    table = [[mended.get(cell, cell) for cell in row] for row in rows]
    text = "\n".join("\t".join(row) for row in [header, *table])
    again = make_plan(pasted_lines(text), kind=SetKind.PASTED, title="", context=command_context(alice))
    assert again.counts == {"change": 2, "delete": 1, "management": 0}
    assert again.rows.get(line=2).wanted["name"] == "Zoë"


def test_the_mended_file_is_right(accounts, alice):
    change_set = plan_of(alice, mended_file(accounts))
    assert list(error_rows(change_set))[1:] == []
    assert (change_set.counts["delete"], change_set.counts["unchanged"]) == (2, 1)
    assert sum(change_set.counts.values()) == ROWS - 3
    assert (
        change_set.rows.filter(wanted__name="=not a formula", wanted__phone="+44 20 7946 0150").count() == 1
    )


def test_what_a_workbook_made_of_its_cells_is_told():
    data, expected = trap_workbook(LEDGER)
    lines = {line.number: line for line in read_lines(BytesIO(data), "contacts.xlsx")}
    assert list(lines) == [2, 4, 5, 6, 7, 8, 9]
    found = {number: told(line) for number, line in lines.items() if line.problems}
    assert found.keys() == expected.keys()
    for number, words in expected.items():
        assert len(found[number]) == len(words)
        assert all(text.startswith(start) for text, start in zip(found[number], words, strict=True)), found[
            number
        ]
    assert (lines[2].account_id, lines[2].values["name"]) == (LEDGER, "=not run")
    assert lines[9].account_id == "000000000007"


@pytest.mark.parametrize(
    "written", ["1234-5678-9012", " 123456789012 ", "'123456789012", "1234 5678\u00a09012"]
)
def test_an_account_id_may_be_written_as_people_do(written):
    (line,) = lines_of(f"{written},security")
    assert (line.account_id, line.contact_type, line.problems) == ("123456789012", "SECURITY", ())


def test_empty_cells_are_not_asked_for_and_values_are_as_typed():
    (line,) = lines_of(f'{LEDGER},BILLING,,  ,"\'+44 1 "')
    assert line == Line(2, LEDGER, "BILLING", {"phone": "+44 1 "})


def test_deleting_is_said_by_its_word_alone():
    lines = lines_of(f"{LEDGER},BILLING,Delete,Any,=1", f"{LEDGER},SECURITY,,,")
    assert [(line.values, line.problems) for line in lines] == [(None, ()), ({}, ())]


@pytest.mark.parametrize(
    "header",
    [
        "account,TYPE,e-mail",
        "Account Id;alternate_contact-type;EMAIL ADDRESS",
        "AccountId\tType\temail\tAccountName",
    ],
)
def test_columns_are_known_in_any_writing(header):
    mark = next(mark for mark in "\t;," if mark in header)
    (line,) = lines_of(mark.join([LEDGER, "BILLING", "a@b.example"]), header=header)
    assert (line.account_id, line.values, line.problems) == (LEDGER, {"email": "a@b.example"}, ())


def test_a_column_that_stands_twice_is_no_choice_of_ours():
    header, same, other, alone = lines_of(
        f"{LEDGER},BILLING,Desk,Desk",
        f"{LEDGER},SECURITY,Desk,Rota",
        f"{LEDGER},OPERATIONS,,Rota",
        header="AccountId,Type,Name,NAME",
    )
    assert told(header) == ["Name: The columns “Name” and “NAME” mean the same. Remove all but one."]
    assert told(other) == ["Name: This column stands twice here, with different values."]
    assert [(line.values, line.problems) for line in (same, alone)] == [
        ({"name": "Desk"}, ()),
        ({"name": "Rota"}, ()),
    ]


def test_a_line_that_says_the_same_but_for_blanks_is_a_repetition():
    lines = lines_of(
        f"{LEDGER},BILLING,,Desk", f"{LEDGER},billing,set,Desk ", f"{LEDGER},BILLING,delete,Desk"
    )
    assert told(lines[1]) == ["This line repeats line 2. Remove one of them."]
    assert told(lines[0])[0].startswith("Line 4 asks for something else for the same contact.")
    assert told(lines[2])[0].startswith("Line 2 asks for something else")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Account;Name\n1;2",
            "There is no column AlternateContactType in the pasted text. Its first line names: Account,",
        ),
        (
            "Foo\n1",
            "no column AccountId and no column AlternateContactType in the pasted text.",
        ),
        ("account,type\n\n", "There are no rows in the pasted text below the line that names the columns."),
        ("", "There is nothing in the pasted text."),
        ('account,type\n1,SECURITY\n2,"', "Line 3 of the pasted text cannot be read"),
    ],
)
def test_what_cannot_be_read_gives_no_line(text, words):
    with pytest.raises(NotATable) as caught:
        pasted_lines(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_an_untouched_template_changes_nothing(scene: Scene, alice, file_format, django_assert_num_queries):
    scene.put(scene.ledger, "SECURITY", ContactDetails(" '=Desk\r\n", "- ", "\ta@b.example ", "+44 1"))
    scene.put(scene.ledger, "BILLING", ContactDetails("''+", "_x000D_\x01", "a@b.example", "-1"))
    active = Account.objects.filter(aws_id__in=[LEDGER, GATEWAY])
    with django_assert_num_queries(3):
        rows = list(template_rows(active.order_by("aws_id"), Scope((EVERYTHING,))))
    assert rows[1][:4] == (LEDGER, "payments-ledger-prod", "BILLING", "")
    assert rows[5] == (GATEWAY, "partner-gateway-dev", "OPERATIONS", *[""] * 5)
    out = BytesIO("".join(csv_lines(rows)).encode())
    if file_format == "xlsx":
        out = BytesIO()
        write_xlsx(rows, out)
    change_set = plan_of(alice, out.getvalue())
    refused = change_set.rows.filter(verdict="refused")
    assert [(row.account_text, row.contact_type) for row in refused] == [(GATEWAY, "OPERATIONS")]
    assert change_set.rows.filter(verdict="unchanged").count() == 5


def test_a_template_of_no_accounts_names_the_columns(db):
    (header,) = template_rows(Account.objects.filter(aws_id=LAB), Scope((EVERYTHING,)))
    assert header[2:] == ("AlternateContactType", "Action", "Name", "Title", "EmailAddress", "PhoneNumber")
