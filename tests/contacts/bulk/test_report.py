"""The report of a change set as a file: every line with what was planned and what became of it."""

import csv
import io
import json

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from audit.models import Action, AuditEvent
from contacts.bulk.line import Line, Problem
from contacts.bulk.plan import make_plan
from contacts.bulk.report import COLUMNS
from contacts.models import ChangeSet, ChangeStatus, SetKind
from portal.causes import Cause
from tests.contacts.bulk.plans import by, run_until_ended, submit
from tests.contacts.scene import DESK, LEDGER, ROTA, as_person

FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def reported(scene, alice) -> ChangeSet:
    """A line that failed, one that was not sent yet, and a refused one."""
    lines = [
        Line(2, LEDGER, "SECURITY", {"name": FORMULA, "phone": ROTA.phone}),
        Line(3, LEDGER, "BILLING", None),
        Line(4, "38557091002", "SECURITY", {}, (Problem("AccountId", "Account id has 11 digits."),)),
    ]
    change_set = make_plan(lines, kind=SetKind.FILE, title="November", context=by(alice))
    facts = {"change_set": change_set, "problem": Cause.POLICY_DENIES, "aws_request_id": "request-1"}
    row = change_set.rows.get(line=2)
    row.change = scene.change(alice, scene.ledger, status=ChangeStatus.FAILED, **facts)
    row.save()
    return change_set


def export(person, change_set: ChangeSet, name: str = "export", **query: str):
    return as_person(person).get(reverse(f"contacts:change_set_{name}", args=[change_set.pk]), query)


def content(answer) -> bytes:
    return b"".join(answer.streaming_content)


def rows_of(person, change_set: ChangeSet, file_format: str) -> list[dict[str, str]]:
    """The rows of the file, whatever its format."""
    data = content(export(person, change_set, format=file_format))
    if file_format == "json":
        return json.loads(data)
    if file_format == "csv":
        return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(data), read_only=True).active
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, [value or "" for value in row], strict=True)) for row in rows]


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "json"])
def test_every_line_stands_in_the_file(reported, alice, file_format):
    failed, waiting, refused = rows_of(alice, reported, file_format)
    assert tuple(failed) == COLUMNS
    assert (failed["Line"], failed["AccountId"], failed["Plan"], failed["Result"]) == (
        "2",
        LEDGER,
        "change",
        "failed",
    )
    assert failed["Cause"].startswith(Cause.POLICY_DENIES.label)
    assert failed["AwsRequestId"] == "request-1"
    assert (failed["BeforeStatus"], failed["BeforeName"]) == ("set", DESK.name)
    assert (waiting["Plan"], waiting["Result"], waiting["Name"]) == ("delete", "not_sent", "")
    assert (refused["AccountId"], refused["Result"]) == ("38557091002", "refused")
    assert refused["Remarks"] == "AccountId: Account id has 11 digits."


@pytest.mark.parametrize(
    ("file_format", "cell"), [("csv", f"'{FORMULA}"), ("xlsx", FORMULA), ("json", FORMULA)]
)
def test_a_formula_is_text_in_every_file(reported, alice, file_format, cell):
    assert rows_of(alice, reported, file_format)[0]["Name"] == cell


def test_the_download_is_written_down(reported, alice):
    content(export(alice, reported))
    event = AuditEvent.objects.get(action=Action.CONTACTS_EXPORTED)
    assert (event.actor_id, event.change_set_id) == (alice.pk, reported.pk)
    assert event.detail == {"contacts": 3, "format": "csv", "title": "November"}


def test_a_format_that_is_none_is_refused(reported, alice):
    assert export(alice, reported, format="pdf").status_code == 400
    assert not AuditEvent.objects.filter(action=Action.CONTACTS_EXPORTED).exists()


def test_the_refused_lines_are_a_file_of_their_own(reported, alice):
    answer = export(alice, reported, "errors")
    lines = list(csv.reader(io.StringIO(content(answer).decode("utf-8-sig"))))
    assert lines[1:] == [["4", "38557091002", "SECURITY", *[""] * 5, "AccountId: Account id has 11 digits."]]


def test_a_long_report_costs_a_query_for_five_hundred_lines(scene, alice, django_assert_max_num_queries):
    lines = [Line(number, str(number), "SECURITY", {}) for number in range(1, 1101)]
    change_set = make_plan(lines, kind=SetKind.PASTED, title="Many", context=by(alice))
    client = as_person(alice)
    with django_assert_max_num_queries(15):
        answer = client.get(reverse("contacts:change_set_export", args=[change_set.pk]))
        assert content(answer).count(b"\n") == 1101


def test_the_report_says_what_aws_has(organization, account, alice):
    lines = [Line(1, account.aws_id, "SECURITY", vars(ROTA))]
    change_set = make_plan(lines, kind=SetKind.SET, title="Rota", context=by(alice))
    run_until_ended(submit(change_set))
    row = rows_of(alice, change_set, "json")[0]
    assert (row["Result"], row["EmailAddress"]) == ("applied", ROTA.email)
    assert row["AwsRequestId"]
    assert row["EndedAt"]
