"""The switches: faults, lag and outages; and the log that tells what really happened."""

import threading
import time

import pytest
from botocore.exceptions import ConnectionClosedError

from sandbox.attempts import digest
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, Sandbox

from .conftest import Client, Control, MakeClient, refusal

PUT = {
    "AlternateContactType": "SECURITY",
    "AccountId": PAGE_ACCOUNT_ID,
    "Name": "Mateo Jackson",
    "Title": "CISO",
    "EmailAddress": " mateo@example.com ",
    "PhoneNumber": "+1(206)555-1234",
}
TARGET = {"AlternateContactType": "SECURITY", "AccountId": PAGE_ACCOUNT_ID}


def name_of(sandbox: Sandbox) -> str | None:
    contact = sandbox.contact(PAGE_ACCOUNT_ID, "SECURITY")
    return contact and contact["name"]


def test_a_connection_dropped_before_leaves_no_effect(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(drop_before=1)
    with pytest.raises(ConnectionClosedError):
        client("account").put_alternate_contact(**PUT)
    assert name_of(sandbox) != "Mateo Jackson"
    attempt = sandbox.log()[-1]
    assert (attempt["status"], attempt["effect"]) == (0, False)


def test_a_connection_dropped_after_leaves_the_write(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(drop_after=1)
    account = client("account")
    with pytest.raises(ConnectionClosedError):
        account.put_alternate_contact(**PUT)
    assert name_of(sandbox) == "Mateo Jackson"
    attempt = sandbox.log()[-1]
    assert (attempt["status"], attempt["effect"]) == (0, True)
    account.get_alternate_contact(**TARGET)


def test_errors_have_no_effect(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(error_rate=1)
    assert refusal(client("account").put_alternate_contact, **PUT)[:2] == (500, "InternalServerException")
    assert refusal(client("organizations").list_roots)[:2] == (500, "ServiceException")
    assert refusal(client("sts").get_caller_identity)[:2] == (500, "InternalFailure")
    assert name_of(sandbox) != "Mateo Jackson"


def test_faults_can_be_kept_to_some_operations(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(error_rate=1, fault_operations=["DeleteAlternateContact"])
    account = client("account")
    account.put_alternate_contact(**PUT)
    assert refusal(account.delete_alternate_contact, **TARGET)[0] == 500


def test_faults_repeat_with_their_seed(sandbox: Sandbox, client: MakeClient) -> None:
    runs = []
    for _ in range(2):
        sandbox.switch(error_rate=0.5, fault_seed=11)
        seen = sandbox.log()[-1]["seq"] if sandbox.log() else 0
        for _ in range(30):
            read_anyway(client, sandbox)
        runs.append([attempt["status"] for attempt in sandbox.log(after=seen)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def read_anyway(client: MakeClient, sandbox: Sandbox) -> None:
    account = client("account")
    try:
        account.get_alternate_contact(**TARGET)
    except account.exceptions.InternalServerException:
        assert sandbox.log()[-1]["status"] == 500


def test_a_write_is_read_only_after_the_lag(sandbox: Sandbox, client: MakeClient) -> None:
    now = time.time()
    sandbox.world.clock = lambda: now
    sandbox.switch(read_lag_seconds=5)
    account = client("account")
    before = account.get_alternate_contact(**TARGET)["AlternateContact"]
    account.put_alternate_contact(**PUT)
    assert account.get_alternate_contact(**TARGET)["AlternateContact"] == before
    now += 4.9
    assert account.get_alternate_contact(**TARGET)["AlternateContact"] == before
    now += 0.2
    assert account.get_alternate_contact(**TARGET)["AlternateContact"]["Name"] == "Mateo Jackson"
    account.delete_alternate_contact(**TARGET)
    assert account.get_alternate_contact(**TARGET)["AlternateContact"]["Name"] == "Mateo Jackson"
    assert refusal(account.delete_alternate_contact, **TARGET)[0] == 404
    now += 5
    assert refusal(account.get_alternate_contact, **TARGET)[0] == 404


def test_latency_is_spent_on_both_ways(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(latency_ms=80)
    client("account").get_alternate_contact(**TARGET)
    attempt = sandbox.log()[-1]
    assert attempt["at_end"] - attempt["at_start"] >= 0.08


def test_an_outage_closes_every_connection(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(outage="closed")
    for call in (client("sts").get_caller_identity, client("organizations").list_roots):
        with pytest.raises(ConnectionClosedError):
            call()
    sandbox.switch(outage=None)
    client("sts").get_caller_identity()


def test_an_outage_answers_503(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(outage="unavailable")
    assert refusal(client("account").put_alternate_contact, **PUT)[0] == 503
    assert name_of(sandbox) != "Mateo Jackson"


def test_an_outage_hangs_until_it_ends(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(outage="hang")
    account = client("account")
    failures: list[BaseException] = []
    caller = threading.Thread(target=lambda: failures.append(failure_of(account)))
    caller.start()
    caller.join(0.2)
    assert failures == []
    sandbox.switch(outage=None)
    caller.join(4)
    assert isinstance(failures[0], ConnectionClosedError)
    assert name_of(sandbox) != "Mateo Jackson"


def failure_of(account: Client) -> BaseException:
    with pytest.raises(ConnectionClosedError) as caught:
        account.put_alternate_contact(**PUT)
    return caught.value


def test_the_log_tells_of_each_attempt_but_no_values(sandbox: Sandbox, client: MakeClient) -> None:
    answer = client("account").put_alternate_contact(**PUT)
    attempt = sandbox.log()[-1]
    assert attempt["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert (attempt["caller"], attempt["target"]) == (MANAGEMENT_ID, PAGE_ACCOUNT_ID)
    assert (attempt["operation"], attempt["contact_type"]) == ("PutAlternateContact", "SECURITY")
    assert (attempt["status"], attempt["code"], attempt["effect"]) == (200, None, True)
    assert attempt["digest"] == digest("Mateo Jackson", "CISO", " mateo@example.com ", "+1(206)555-1234")
    assert attempt["at_start"] <= attempt["at_end"]
    assert "Boto3" in attempt["user_agent"]
    assert attempt["invocation_id"]
    assert "Mateo" not in str(sandbox.log())


def test_the_log_can_keep_values(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(log_values=True)
    client("account").put_alternate_contact(**PUT)
    assert sandbox.log()[-1]["values"] == PUT


def test_switches_over_http(sandbox: Sandbox, control: Control) -> None:
    assert control("GET", "switches")[1]["trusted_access"] is True
    changes = {"latency_ms": 1, "trusted_access": False, "feature_set": "CONSOLIDATED_BILLING"}
    status, switches = control("POST", "switches", {**changes, "delegated_admin": PAGE_ACCOUNT_ID})
    assert status == 200
    assert changes.items() <= switches.items()
    assert switches["delegated_admin"] == PAGE_ACCOUNT_ID
    status, switches = control("POST", "reset")
    assert (status, switches["latency_ms"], switches["quota_scale"]) == (200, 0, 0)
    assert sandbox.log() == []


@pytest.mark.parametrize(
    "values",
    [
        {"no_such_switch": 1},
        {"latency_ms": -1},
        {"error_rate": 2},
        {"omit_status": "yes"},
        {"outage": "maybe"},
        {"deny": [{"kind": "whim"}]},
        {"deny": ["all"]},
        {"state_rules": {"CLOSED": "perhaps"}},
        {"state_rules": []},
        {"fault_operations": "Put"},
        {"trusted_access": 1},
        {"feature_set": "SOME"},
        {"delegated_admin": "999999999999"},
    ],
)
def test_a_switch_that_makes_no_sense_changes_nothing(control: Control, values: dict) -> None:
    before = control("GET", "switches")
    status, answer = control("POST", "switches", {"latency_ms": 3, **values})
    assert status == 400
    assert answer["message"]
    assert control("GET", "switches") == before


def test_the_log_over_http(control: Control, client: MakeClient) -> None:
    account = client("account")
    for _ in range(3):
        account.get_alternate_contact(**TARGET)
    attempts = control("GET", "log")[1]
    assert [attempt["operation"] for attempt in attempts] == ["GetAlternateContact"] * 3
    assert control("GET", f"log?after={attempts[1]['seq']}")[1] == attempts[2:]
    control("DELETE", "log")
    assert control("GET", "log")[1] == []


def test_contacts_and_accounts_over_http(control: Control, client: MakeClient) -> None:
    place = f"contacts/{PAGE_ACCOUNT_ID}/SECURITY"
    details = {"name": "n" * 99, "title": "t", "email": "none", "phone": "x"}
    assert control("PUT", place, details) == (200, details)
    assert control("GET", place) == (200, details)
    assert client("account").get_alternate_contact(**TARGET)["AlternateContact"]["Name"] == "n" * 99
    assert control("DELETE", place) == (200, None)
    assert control("GET", place) == (200, None)
    joined = {"account_id": "000000000042", "name": "new-one", "unit": "Workloads/Prod", "state": "ACTIVE"}
    assert control("POST", "accounts", joined)[0] == 200
    assert client("organizations").describe_account(AccountId="000000000042")["Account"]["Name"] == "new-one"
    assert control("POST", "accounts", {"account_id": "000000000042", "unit": None})[0] == 200
    assert control("GET", "accounts/000000000042")[1]["parent_id"] is None


@pytest.mark.parametrize(
    ("method", "place", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("PUT", "contacts/999999999999/SECURITY", {"name": "", "title": "", "email": "", "phone": ""}, 400),
        (
            "PUT",
            f"contacts/{PAGE_ACCOUNT_ID}/OTHER",
            {"name": "", "title": "", "email": "", "phone": ""},
            400,
        ),
        ("PUT", f"contacts/{PAGE_ACCOUNT_ID}/SECURITY", {"name": "only"}, 400),
        ("POST", "accounts", {"account_id": "1"}, 400),
        ("POST", "accounts", {"account_id": "000000000042", "unit": "Nowhere"}, 400),
        ("POST", "accounts", {"account_id": "000000000042", "state": "HAPPY"}, 400),
        ("GET", "accounts/999999999999", None, 400),
        ("POST", "switches", [1], 400),
    ],
)
def test_bad_control_requests_are_refused(control: Control, method, place, body, status) -> None:
    assert control(method, place, body)[0] == status
