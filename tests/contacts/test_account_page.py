"""The account list and the page of one account, through the door."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.context import worker_context
from audit.log import record
from audit.models import Action
from contacts.models import ChangeStatus
from portal.causes import Cause
from tests.contacts.scene import ARCHIVE, DESK, GATEWAY, LAB, LEDGER, ROTA, as_person

LIST = reverse("contacts:account_list")


def names(response) -> list[str]:
    return [str(row.account) for row in response.context["rows"]]


def detail(account_id: str) -> str:
    return reverse("contacts:account_detail", args=[account_id])


def cards(account_id: str) -> str:
    return reverse("contacts:account_cards", args=[account_id])


# The list


def test_each_row_says_set_not_set_or_unknown_and_why(scene, bob):
    page = as_person(bob).get(LIST, {"q": "gateway"})
    row = page.context["rows"][0]
    assert [cell.contact.status for cell in row.cells] == ["set", "unknown", "absent"]
    assert "Finance Operations" in page.text
    assert "billing@northwind.example" in page.text
    assert "Not set" in page.text
    assert Cause.POLICY_DENIES.label in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "ledger"}, ["payments-ledger-prod"]),
        ({"q": "4421 0915 3376"}, ["payments-ledger-prod"]),
        ({"q": "SOC@northwind"}, ["payments-ledger-prod"]),
        ({"q": "no such thing"}, []),
        ({"organization": "o-nw7k2d9x4b"}, ["archive-old", "partner-gateway-dev", "payments-ledger-prod"]),
        ({"organization": "standalone"}, [LAB]),
        ({"unit": "ou-ab12-payments"}, ["partner-gateway-dev", "payments-ledger-prod"]),
        ({"unit": "ou-ab12-workload"}, ["archive-old", "partner-gateway-dev", "payments-ledger-prod"]),
        ({"state": "SUSPENDED"}, ["archive-old"]),
        ({"type": "SECURITY", "contact": "absent"}, ["partner-gateway-dev"]),
        ({"type": "SECURITY", "contact": "set"}, ["payments-ledger-prod"]),
        ({"type": "OPERATIONS", "contact": "absent"}, []),
        ({"type": "OPERATIONS", "contact": "missing"}, [LAB, "archive-old", "partner-gateway-dev"]),
        ({"contact": "unknown", "problem": "policy_denies"}, ["partner-gateway-dev"]),
        ({"email": "BILLING@northwind.example"}, ["partner-gateway-dev", "payments-ledger-prod"]),
        ({"email": "billing@northwind.example", "type": "SECURITY"}, []),
        ({"domain": "northwind.example", "type": "SECURITY"}, ["payments-ledger-prod"]),
        ({"domain": "wind.example"}, []),
        ({"placeholder": "true"}, []),
        ({"drift": "true"}, []),
        ({"sort": "-name"}, ["payments-ledger-prod", "partner-gateway-dev", "archive-old", LAB]),
    ],
)
def test_filters_of_the_list(scene, bob, query, expected):
    page = as_person(bob).get(LIST, query)
    assert names(page) == expected
    assert page.context["paginator"].count == len(expected)


@pytest.mark.parametrize(("field", "value"), [("name", " TBD "), ("title", "n/a"), ("phone", "+00 000 000")])
def test_placeholders_are_found(scene, bob, field, value):
    contact = scene.contact(scene.ledger, "SECURITY")
    setattr(contact, field, value)
    contact.save(update_fields=[field])
    assert names(as_person(bob).get(LIST, {"placeholder": "true"})) == ["payments-ledger-prod"]


def test_drift_is_found_for_a_week(scene, bob):
    record(Action.CONTACT_DRIFT, worker_context(), account_id=LEDGER, contact_type="SECURITY")
    assert names(as_person(bob).get(LIST, {"drift": "true"})) == ["payments-ledger-prod"]


def test_accounts_that_left_are_hidden_until_asked_for(scene, bob):
    scene.ledger.left_at = timezone.now()
    scene.ledger.save(update_fields=["left_at"])
    client = as_person(bob)
    assert "payments-ledger-prod" not in names(client.get(LIST))
    assert names(client.get(LIST, {"state": "LEFT"})) == ["payments-ledger-prod"]


def test_a_filter_that_makes_no_sense_is_named_and_shows_nothing(scene, bob):
    page = as_person(bob).get(LIST, {"unit": "ou-none-such"})
    assert names(page) == []
    assert "Unit:" in page.text


def test_filters_in_force_can_be_taken_off_one_by_one(scene, bob):
    page = as_person(bob).get(LIST, {"domain": "northwind.example", "type": "SECURITY", "page": "1"})
    (active,) = page.context["active_filters"]
    assert (active.label, active.text, active.without) == (
        "E-mail domain",
        "northwind.example",
        "?type=SECURITY",
    )


def test_units_are_counted_with_what_lies_below_and_keep_the_filters(scene, bob):
    tree = as_person(bob).get(LIST, {"type": "SECURITY", "page": "3"}).context["tree"]
    bank, standalone = tree.nodes
    (workloads,) = bank.children
    assert [(node.label, node.count) for node in (bank, workloads, *workloads.children, standalone)] == [
        ("Northwind Bank", 3),
        ("Workloads", 3),
        ("Payments", 2),
        ("Standalone", 1),
    ]
    assert workloads.href == "?type=SECURITY&unit=ou-ab12-workload"


def test_pages_say_x_of_y_and_the_last_one_answers_for_those_beyond(scene, bob):
    for number in range(30):
        scene.account(f"5{number:011}", f"extra-{number:02}")
    page = as_person(bob).get(LIST, {"page": "99"})
    assert "26–34 of 34 accounts" in page.text
    assert len(as_person(bob).get(LIST, {"size": "50"}).context["rows"]) == 34
    assert len(as_person(bob).get(LIST, {"size": "7"}).context["rows"]) == 25


def test_htmx_is_told_the_address_without_empty_fields(scene, bob):
    page = as_person(bob).get(LIST, {"q": "", "type": "SECURITY", "state": ""})
    assert page["HX-Push-Url"] == f"{LIST}?type=SECURITY"


def test_queries_do_not_grow_with_the_rows(scene, bob, django_assert_max_num_queries):
    for number in range(20):
        account = scene.account(f"5{number:011}", f"extra-{number:02}")
        scene.put(account, "SECURITY", DESK)
        scene.change(bob, account)
    client = as_person(bob)
    with django_assert_max_num_queries(14):
        client.get(LIST)


# One account


def test_cards_show_value_cause_and_last_author(scene, alice, bob):
    applied = scene.change(alice, scene.ledger, status=ChangeStatus.APPLIED, finished_at=timezone.now())
    page = as_person(bob).get(detail(LEDGER))
    assert "soc@northwind.example" in page.text
    assert f"by {applied.requested_by.label}" in page.text
    page = as_person(bob).get(detail(GATEWAY))
    assert Cause.POLICY_DENIES.label in page.text
    assert Cause.POLICY_DENIES.remedy in page.text
    assert "AWS has no security contact" in page.text


def test_a_change_from_outside_is_not_said_to_be_ours(scene, alice, bob):
    scene.change(alice, scene.ledger, status=ChangeStatus.APPLIED, finished_at=timezone.now())
    scene.drift(scene.ledger)
    page = as_person(bob).get(detail(LEDGER))
    assert "Changed outside the portal" in page.text
    assert "Last changed by" not in page.text


def test_a_viewer_sees_no_button_that_writes(scene, alice, bob):
    scene.change(alice, scene.ledger)
    page = as_person(bob).get(detail(LEDGER))
    for address in (
        reverse("contacts:contact_edit", args=[LEDGER, "BILLING"]),
        reverse("contacts:contact_delete", args=[LEDGER, "BILLING"]),
        reverse("contacts:account_check", args=[LEDGER]),
    ):
        assert f'"{address}"' not in page.text
    assert "/cancel/" not in page.text


def test_an_editor_may_edit_delete_check_and_cancel(scene, alice):
    change = scene.change(alice, scene.ledger)
    page = as_person(alice).get(detail(LEDGER))
    for address in (
        reverse("contacts:contact_edit", args=[LEDGER, "BILLING"]),
        reverse("contacts:contact_delete", args=[LEDGER, "BILLING"]),
        reverse("contacts:account_check", args=[LEDGER]),
        reverse("contacts:change_cancel", args=[change.pk]),
    ):
        assert address in page.text
    # What is under way or not there cannot be deleted.
    assert reverse("contacts:contact_delete", args=[LEDGER, "SECURITY"]) not in page.text
    assert reverse("contacts:contact_delete", args=[GATEWAY, "SECURITY"]) not in (
        as_person(alice).get(detail(GATEWAY)).text
    )


def test_an_account_that_is_not_active_says_why_nothing_can_be_changed(scene, alice):
    page = as_person(alice).get(detail(ARCHIVE))
    assert "Nothing can be changed here now." in page.text
    assert "suspended" in page.text
    assert f'"{reverse("contacts:contact_edit", args=[ARCHIVE, "BILLING"])}"' not in page.text


def test_the_cards_ask_again_only_while_something_moves(scene, alice, bob):
    client = as_person(bob)
    assert "hx-get" not in client.get(cards(LEDGER)).text
    change = scene.change(alice, scene.ledger)
    assert f'hx-get="{cards(LEDGER)}"' in client.get(cards(LEDGER)).text
    change.status = ChangeStatus.WAITING  # a person decides: that may take days
    change.save(update_fields=["status"])
    assert "hx-get" not in client.get(cards(LEDGER)).text


def test_a_failed_change_says_its_cause_and_what_mends_it(scene, alice, bob):
    scene.change(alice, scene.ledger, status=ChangeStatus.FAILED, problem=Cause.SCP_DENIES)
    text = as_person(bob).get(detail(LEDGER)).text
    assert Cause.SCP_DENIES.label in text
    assert Cause.SCP_DENIES.remedy in text


def test_the_timeline_tells_what_happened_to_this_account_alone(scene, bob, dana):
    record(
        Action.CONTACT_DRIFT,
        worker_context(),
        account_id=LEDGER,
        contact_type="BILLING",
        before={"status": "set", "name": "Old Desk"},
        after={"status": "set", "name": "New Desk"},
    )
    record(Action.ACCOUNT_RENAMED, worker_context(), account_id=GATEWAY)
    client = as_person(bob)
    entries = client.get(detail(LEDGER)).context["entries"]
    assert [(entry.subject, entry.words) for entry in entries] == [
        ("Billing", "contact changed outside the portal")
    ]
    assert [(row.old, row.new) for row in entries[0].rows] == [("Old Desk", "New Desk")]
    assert reverse("contacts:audit_list") not in client.get(detail(LEDGER)).text
    assert reverse("contacts:audit_list") in as_person(dana).get(detail(LEDGER)).text


def test_check_now_asks_once_and_shows_that_it_does(scene, alice, redis_client):
    client = as_person(alice)
    address = reverse("contacts:account_check", args=[LEDGER])
    assert client.post(address).url == detail(LEDGER)
    client.post(address)
    assert redis_client.llen("people") == 1
    page = client.get(detail(LEDGER))
    assert "Asking AWS" in page.text
    assert "hx-get" in page.text


def test_check_now_says_when_redis_is_away(scene, alice, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///none"}
    }
    page = as_person(alice).post(reverse("contacts:account_check", args=[LEDGER]), follow=True)
    assert page.status_code == 200
    assert Cause.NO_QUOTA.label in page.text


def test_what_people_typed_is_shown_as_text(scene, bob):
    scene.put(scene.ledger, "SECURITY", ROTA.__class__("<script>alert(1)</script>", "t", "a@b.co", "1234567"))
    for address in (LIST, detail(LEDGER)):
        text = as_person(bob).get(address).text
        assert "<script>alert(1)" not in text
        assert "&lt;script&gt;" in text


def test_one_account_costs_the_same_however_much_happened(scene, alice, django_assert_max_num_queries):
    for _ in range(5):
        scene.change(alice, scene.ledger, status=ChangeStatus.APPLIED, finished_at=timezone.now())
        scene.drift(scene.ledger)
    client = as_person(alice)
    with django_assert_max_num_queries(16):
        client.get(detail(LEDGER))


def test_unknown_and_unreadable_addresses_are_the_same_404(scene, bob, carol):
    unknown = as_person(bob).get(detail("999999999999"))
    invisible = as_person(carol).get(detail(LEDGER))
    assert (unknown.status_code, invisible.status_code) == (404, 404)


def test_what_is_under_way_is_read_before_the_values(scene, bob):
    """Read after them, a change that ends in between leaves the old value on a page that stopped asking."""
    with CaptureQueriesContext(connection) as queries:
        as_person(bob).get(cards(LEDGER))
    tables = [query["sql"].partition(" FROM ")[2].split()[:1] for query in queries]
    assert tables.index(['"contacts_contactchange"']) < tables.index(['"contacts_alternatecontact"'])


def test_a_check_that_could_not_be_sent_is_not_shown_as_under_way(scene, alice, monkeypatch, redis_client):
    def fail(*args, **kwargs):
        raise OperationalError("Redis went away between two calls")

    client, address = as_person(alice), reverse("contacts:account_check", args=[LEDGER])
    with monkeypatch.context() as patch:
        patch.setattr("contacts.checking.app.send_task", fail)
        page = client.post(address, follow=True).text
    assert Cause.NO_QUOTA.label in page and "Asking AWS" not in page
    client.post(address)
    assert redis_client.llen("people") == 1, "the next click is not taken for a second one"
