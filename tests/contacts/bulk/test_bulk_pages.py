"""Where bulk changes begin: ticking accounts, the forms about them, files and pasted rows."""

from dataclasses import asdict

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audit.models import Action, AuditEvent
from contacts.bulk import forms_file
from contacts.models import ChangeSet, ContactChange, SetKind
from portal import uploads
from tests.contacts.scene import ARCHIVE, DESK, FINANCE, GATEWAY, LAB, LEDGER, ROTA, as_person

ACCOUNTS = reverse("contacts:account_list")
START, FILE = reverse("contacts:bulk_start"), reverse("contacts:bulk_file")
SET, REPLACE = reverse("contacts:bulk_set"), reverse("contacts:bulk_replace")
COPY, DELETE = reverse("contacts:bulk_copy"), reverse("contacts:bulk_delete")
TEMPLATE = reverse("contacts:bulk_template")
NEW = {"types": ["SECURITY"], "name": "Night Desk", "title": "", "email": "night@northwind.example"}
ROWS = f"AccountId\tAlternateContactType\tEmailAddress\n{LEDGER}\tSecurity\tnight@northwind.example\n"


def planned(answer) -> ChangeSet:
    """The plan that the answer leads to; nobody was asked for anything yet."""
    assert answer.status_code == 302
    change_set = ChangeSet.objects.get()
    assert answer.url == reverse("contacts:change_set_detail", args=[change_set.pk])
    assert (change_set.status, ContactChange.objects.count()) == ("planned", 0)
    return change_set


def contacts_of(change_set: ChangeSet) -> set[tuple[str, str]]:
    return {(row.account_text, row.contact_type) for row in change_set.rows.all()}


def refused(answer, *words: str) -> str:
    """The page with the form again, saying these words; no plan was made."""
    assert answer.status_code == 422
    assert not ChangeSet.objects.exists()
    assert [word for word in words if word not in answer.text] == []
    return answer.text


# Which accounts


def test_who_may_change_contacts_ticks_accounts(scene, alice, bob):
    assert f'name="id" value="{LEDGER}"' in as_person(alice).get(ACCOUNTS).text
    page = as_person(bob).get(ACCOUNTS).text
    assert LEDGER in page
    assert 'name="id"' not in page
    assert "Bulk change" not in page


def test_accounts_that_left_are_not_ticked(scene, alice):
    scene.lab.left_at = scene.contact(scene.ledger, "BILLING").observed_at
    scene.lab.save(update_fields=["left_at"])
    page = as_person(alice).get(ACCOUNTS, {"state": "LEFT"}).text
    assert LAB in page
    assert 'name="id"' not in page


def test_all_that_match_are_the_filters_and_no_list_of_accounts(scene, alice):
    page = as_person(alice).get(ACCOUNTS, {"unit": "ou-ab12-payments", "select": "all", "page": "1"}).text
    assert '<input type="hidden" name="unit" value="ou-ab12-payments">' in page
    assert "accounts, all that match" in page
    assert 'name="page"' not in page


@pytest.mark.parametrize(
    ("query", "accounts"),
    [
        ({"select": "ticked", "id": [LEDGER, GATEWAY, LEDGER]}, {LEDGER, GATEWAY}),
        ({"select": "all"}, {LEDGER, GATEWAY, ARCHIVE, LAB}),
        ({"select": "all", "unit": "ou-ab12-payments"}, {LEDGER, GATEWAY}),
        ({"type": "SECURITY", "contact": "absent"}, {GATEWAY}),
        ({"q": "ledger"}, {LEDGER}),
    ],
)
def test_the_number_that_is_said_is_the_number_that_is_planned(scene, alice, query, accounts):
    client = as_person(alice)
    address = client.get(SET, query).wsgi_request.get_full_path()
    page = client.get(address)
    assert page.context["scope"].count == len(accounts)
    assert client.get(page.context["scope"].back).context["paginator"].count == len(accounts)
    change_set = planned(client.post(address, NEW))
    assert contacts_of(change_set) == {(account, "SECURITY") for account in accounts}


def test_nothing_ticked_never_means_everything(scene, alice):
    for address in (SET, REPLACE, COPY, DELETE, TEMPLATE):
        answer = as_person(alice).get(address, {"select": "ticked"}, follow=True)
        assert answer.redirect_chain == [(ACCOUNTS, 302)]
        assert "Tick an account first" in answer.text
    assert not AuditEvent.objects.filter(action=Action.CONTACTS_EXPORTED).exists()


@pytest.mark.parametrize("query", [{"id": "12"}, {"id": "a\0b"}, {"unit": "ou-none"}, {"contact": "maybe"}])
def test_accounts_that_make_no_sense_are_a_bad_request(scene, alice, query):
    assert as_person(alice).get(SET, query).status_code == 400


# The four forms


def test_set_keeps_what_is_left_empty_and_names_its_plan(scene, alice):
    change_set = planned(as_person(alice).post(f"{SET}?id={LEDGER}", NEW))
    row = change_set.rows.get()
    assert (change_set.kind, change_set.title) == (SetKind.SET, "Set Security")
    assert row.wanted == {**asdict(DESK), "name": "Night Desk", "email": "night@northwind.example"}


def test_set_where_nothing_is_set_leaves_the_others_out(scene, alice):
    wanted = {**asdict(ROTA), "types": ["SECURITY"], "only_missing": "on", "heading": "Fill the gaps"}
    change_set = planned(as_person(alice).post(SET, wanted))
    assert (change_set.kind, change_set.title) == (SetKind.FILL, "Fill the gaps")
    assert (GATEWAY, "SECURITY") in contacts_of(change_set)
    assert (LEDGER, "SECURITY") not in contacts_of(change_set)


@pytest.mark.parametrize(
    ("address", "wanted", "words"),
    [
        (SET, NEW | {"types": []}, "Choose at least one contact type."),
        (SET, {"types": ["BILLING"]}, "Type at least one new value."),
        (SET, NEW | {"phone": "ask Robin"}, "AWS takes digits, spaces"),
        (SET, NEW | {"only_missing": "on"}, "AWS needs all four values"),
        (COPY, {"source": "BILLING", "targets": ["BILLING"]}, "Choose other types"),
        (COPY, {"source": "BILLING"}, "Choose at least one contact type."),
        (DELETE, {}, "Choose at least one contact type."),
        (
            f"{SET}?id={LEDGER}",
            asdict(ROTA) | {"types": ["BILLING"], "only_missing": "on"},
            "Nothing to plan",
        ),
        (f"{DELETE}?q=none", {"types": ["BILLING"]}, "No account matches"),
    ],
)
def test_a_form_that_cannot_be_planned_says_why_and_keeps_the_typing(scene, alice, address, wanted, words):
    page = refused(as_person(alice).post(address, wanted), words)
    assert all(
        f'value="{value}"' in page
        for name, value in wanted.items()
        if name in NEW and name != "types" and value
    )


def test_replace_counts_before_it_asks_for_the_new_values(scene, alice):
    client = as_person(alice)
    nowhere = client.get(REPLACE, {"find_email": "nobody@northwind.example"})
    assert "Found nowhere" in nowhere.text
    page = client.get(REPLACE, {"find_email": FINANCE.email})
    assert page.context["found"] == [("Billing", 2)]
    change_set = planned(client.post(page.wsgi_request.get_full_path(), {"email": "money@northwind.example"}))
    assert contacts_of(change_set) == {(LEDGER, "BILLING"), (GATEWAY, "BILLING")}
    assert change_set.title == f"Replace {FINANCE.email}"


@pytest.mark.parametrize(
    ("phone", "words"),
    [("", "Type the e-mail or the phone to look for."), ("abc", "A phone number has digits.")],
)
def test_replace_asks_for_something_to_find(scene, alice, phone, words):
    refused(as_person(alice).get(REPLACE, {"find_email": " ", "find_phone": phone}), words)


def test_copy_and_delete_are_planned(scene, alice):
    client = as_person(alice)
    copied = planned(client.post(f"{COPY}?id={LEDGER}", {"source": "BILLING", "targets": ["SECURITY"]}))
    assert (copied.title, copied.rows.get().wanted) == ("Copy Billing to Security", asdict(FINANCE))
    copied.rows.all().delete()
    copied.delete()
    deleted = planned(client.post(f"{DELETE}?id={LEDGER}", {"types": ["BILLING", "SECURITY"]}))
    assert (deleted.kind, deleted.title) == (SetKind.DELETE, "Delete Billing and Security")
    assert {row.wanted for row in deleted.rows.all()} == {None}


# Files and pasted rows


@pytest.mark.parametrize("kept_in_memory", [10, 1000])
def test_a_file_becomes_a_plan(scene, alice, settings, kept_in_memory):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = kept_in_memory
    file = SimpleUploadedFile("night desk.csv", ROWS.encode("utf-8-sig"))
    change_set = planned(as_person(alice).post(FILE, {"file": file}))
    assert (change_set.kind, change_set.title) == (SetKind.FILE, "night desk.csv")
    assert change_set.file_name == "night desk.csv"
    assert contacts_of(change_set) == {(LEDGER, "SECURITY")}


def test_pasted_rows_become_a_plan(scene, alice):
    change_set = planned(as_person(alice).post(FILE, {"rows": ROWS, "heading": "Night desk"}))
    assert (change_set.kind, change_set.title) == (SetKind.PASTED, "Night desk")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("", "Choose a file, or paste rows."),
        ("no table at all", "AccountId"),
        ("AccountId\tAlternateContactType\n", "no rows"),
        ("x" * (forms_file.PASTE_LIMIT + 1), "too much to paste"),
    ],
)
def test_what_is_no_table_gets_no_plan_and_stays_in_the_box(scene, alice, rows, words):
    page = refused(as_person(alice).post(FILE, {"rows": rows}), words)
    assert rows.strip() in page


def test_a_file_and_pasted_rows_are_one_too_many(scene, alice):
    both = {"rows": ROWS, "file": SimpleUploadedFile("a.csv", ROWS.encode())}
    refused(as_person(alice).post(FILE, both), "not both", "Choose the file again")


@pytest.mark.parametrize("body_limit", [1000, 10_000_000])
def test_a_file_that_is_too_large_is_not_kept(scene, alice, monkeypatch, body_limit):
    monkeypatch.setattr(uploads, "BODY_LIMIT", body_limit)
    monkeypatch.setattr(forms_file, "SIZE_LIMIT", 2 * 1024 * 1024)
    file = SimpleUploadedFile("large.csv", b"x" * (2 * 1024 * 1024 + 1))
    refused(as_person(alice).post(FILE, {"file": file}), "This file has more than 2 MB.")


def test_the_start_page_says_what_a_file_holds(scene, alice):
    page = as_person(alice).get(START).text
    assert "AlternateContactType" in page
    assert "A file of all 4 accounts" in page


# The file to fill in


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_the_template_comes_back_without_changing_anything(scene, alice, file_format):
    client = as_person(alice)
    query = {"format": file_format, "select": "ticked", "id": [LEDGER, GATEWAY]}
    answer = client.get(TEMPLATE, query)
    name = f"contacts-template.{file_format}"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    event = AuditEvent.objects.get(action=Action.CONTACTS_EXPORTED)
    assert event.detail["contacts"] == 6
    assert event.detail["filters"] == {"id": [LEDGER, GATEWAY], "template": True}
    file = SimpleUploadedFile(name, b"".join(answer.streaming_content))
    change_set = planned(client.post(FILE, {"file": file}))
    assert [row.account_text for row in change_set.rows.all()] == [GATEWAY] * 3 + [LEDGER] * 3
    assert change_set.writes == 0


def test_a_template_in_another_format_is_refused(scene, alice):
    assert as_person(alice).get(TEMPLATE, {"format": "pdf"}).status_code == 400
    assert not AuditEvent.objects.filter(action=Action.CONTACTS_EXPORTED).exists()
