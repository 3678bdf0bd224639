"""Whose credentials make a call: found, assumed, expired, renewed, shared between threads, after a fork."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal import aws
from portal.aws import Caller, Refused, Unavailable
from portal.causes import Cause
from sandbox.testing import EXTERNAL_ID, MANAGEMENT_ID, PAGE_ACCOUNT_ID, PORTAL_ROLE, STANDALONE_IDS

MANAGEMENT = Caller(account_id=MANAGEMENT_ID)
ALONE = STANDALONE_IDS[0]
BY_ROLE = Caller(
    account_id=ALONE, role_arn=f"arn:aws:iam::{ALONE}:role/{PORTAL_ROLE}", external_id=EXTERNAL_ID
)


@pytest.fixture(autouse=True)
def no_quotas(sandbox):
    sandbox.switch(quota_scale=0)


def read(caller: Caller = MANAGEMENT):
    return aws.get_alternate_contact(caller, "BILLING", None)


def refusal(caller: Caller) -> Cause:
    with pytest.raises(Refused) as caught:
        read(caller)
    return caught.value.cause


def test_a_role_is_assumed_once_for_many_calls_of_many_threads(sandbox):
    with ThreadPoolExecutor(16) as pool:
        readings = list(pool.map(read, [BY_ROLE] * 100))
    assert all(reading.details for reading in readings)
    assert len(sandbox.log(operation="AssumeRole")) == 1
    calls = sandbox.log(operation="GetAlternateContact")
    assert {(call["caller"], call["target"]) for call in calls} == {(ALONE, ALONE)}
    assert aws.who_am_i(BY_ROLE).arn.endswith("/alternate-contacts-portal")


def test_many_threads_that_begin_together_are_not_taken_for_another_account(sandbox):
    sandbox.switch(latency_ms=60)
    with ThreadPoolExecutor(16) as pool:
        readings = list(pool.map(read, [MANAGEMENT] * 64))
    assert all(reading.details for reading in readings)


@pytest.mark.parametrize(
    "caller",
    [
        Caller(account_id=ALONE, role_arn=BY_ROLE.role_arn, external_id="wrong"),
        Caller(account_id=ALONE, role_arn=BY_ROLE.role_arn),
        Caller(account_id=ALONE, role_arn=f"arn:aws:iam::{ALONE}:role/Nobody", external_id=EXTERNAL_ID),
    ],
    ids=["wrong external id", "no external id", "unknown role"],
)
def test_a_role_that_we_may_not_assume_says_so_and_nothing_else_is_sent(sandbox, caller):
    assert refusal(caller) == Cause.ROLE_REFUSED
    assert not sandbox.log(operation="GetAlternateContact")


def test_a_write_whose_role_cannot_be_assumed_now_has_sent_nothing(sandbox, monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    sandbox.switch(error_rate=1, fault_operations=["AssumeRole"])
    with pytest.raises(Unavailable):
        aws.delete_alternate_contact(BY_ROLE, "BILLING", None)
    assert not sandbox.log(operation="DeleteAlternateContact")
    sandbox.switch(error_rate=0)
    assert not aws.delete_alternate_contact(BY_ROLE, "BILLING", None).was_absent


def test_credentials_that_expire_in_mid_run_are_refused_once_then_renewed(sandbox):
    assert read(BY_ROLE).details
    sandbox.expire_sessions()
    assert refusal(BY_ROLE) == Cause.CREDENTIALS_REJECTED
    assert read(BY_ROLE).details
    assert len(sandbox.log(operation="AssumeRole")) == 2


def test_renewed_keys_are_found_without_a_restart(sandbox, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")
    aws.forget_clients()
    assert refusal(MANAGEMENT) == Cause.CREDENTIALS_REJECTED
    assert refusal(BY_ROLE) == Cause.CREDENTIALS_REJECTED
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", sandbox.env()["AWS_ACCESS_KEY_ID"])
    assert read().details
    assert read(BY_ROLE).details


def test_missing_credentials_are_named_and_found_once_they_are_there(sandbox, monkeypatch):
    key = sandbox.env()["AWS_ACCESS_KEY_ID"]
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    aws.forget_clients()
    assert refusal(MANAGEMENT) == Cause.CREDENTIALS_MISSING
    assert refusal(Caller(profile="nobody")) == Cause.CREDENTIALS_MISSING
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    assert read().details


def test_a_profile_has_its_own_credentials(sandbox, monkeypatch, tmp_path):
    profiles = tmp_path / "credentials"
    profiles.write_text(
        f"[other]\naws_access_key_id={sandbox.env(PAGE_ACCOUNT_ID)['AWS_ACCESS_KEY_ID']}\n"
        "aws_secret_access_key=any\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    assert aws.who_am_i(Caller(profile="other")).account_id == PAGE_ACCOUNT_ID
    assert aws.who_am_i(Caller()).account_id == MANAGEMENT_ID


@pytest.mark.parametrize(
    ("role_arn", "region", "partition"),
    [
        ("arn:aws-cn:iam::222222222222:role/Portal", "us-east-1", "aws-cn"),
        ("nonsense", "us-east-1", "aws"),
        ("", "us-gov-east-1", "aws-us-gov"),
        ("", "eu-west-1", "aws"),
    ],
)
def test_the_partition_is_the_role_s_else_the_region_s(monkeypatch, role_arn, region, partition):
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert aws.partition_of(role_arn=role_arn) == partition


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "us-east-1"), ("aws-cn", "cn-northwest-1"), ("aws-us-gov", "us-gov-west-1")],
)
def test_each_partition_is_signed_for_its_own_region(partition, region, monkeypatch):
    scopes = []
    monkeypatch.setattr(
        "botocore.httpsession.URLLib3Session.send",
        lambda session, request: scopes.append(request.headers["Authorization"].decode()) or 1 / 0,
    )
    with pytest.raises(ZeroDivisionError):
        read(Caller(partition=partition))
    assert f"/{region}/account/aws4_request" in scopes[0]


def test_few_clients_are_kept_and_the_oldest_goes(sandbox, monkeypatch):
    monkeypatch.setattr(aws, "CONNECTIONS_KEPT", 2)
    for number in ("1", "2", "3"):
        read(Caller(account_id=MANAGEMENT_ID, external_id=number))
    assert [caller.external_id for caller in aws._connections] == ["2", "3"]


def _read_in_child(results) -> None:
    results.put(read().details is not None)


def test_a_forked_process_makes_clients_of_its_own(sandbox):
    assert read().details
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    with aws._lock:  # as if another thread made a client at the moment of the fork
        child = context.Process(target=_read_in_child, args=(results,))
        child.start()
    try:
        assert results.get(timeout=30)
    finally:
        child.join(10)
        child.kill()
    assert read().details
