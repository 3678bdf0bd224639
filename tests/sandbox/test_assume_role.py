"""STS: who am I, and which roles may be assumed."""

from datetime import UTC, datetime

import pytest

from sandbox.testing import EXTERNAL_ID, MANAGEMENT_ID, PAGE_ACCOUNT_ID, PORTAL_ROLE, STANDALONE_IDS, Sandbox

from .conftest import Client, MakeClient, refusal

TARGET = STANDALONE_IDS[0]


def role(account_id: str = TARGET, name: str = PORTAL_ROLE, partition: str = "aws") -> dict[str, str]:
    arn = f"arn:{partition}:iam::{account_id}:role/{name}"
    return {"RoleArn": arn, "RoleSessionName": "portal", "ExternalId": EXTERNAL_ID}


def with_credentials(client: MakeClient, service: str, answer: dict) -> Client:
    keys = answer["Credentials"]
    return client(
        service,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


@pytest.mark.parametrize("account_id", [*STANDALONE_IDS, MANAGEMENT_ID])
def test_the_role_acts_in_its_own_account(client: MakeClient, account_id: str) -> None:
    answer = client("sts", PAGE_ACCOUNT_ID).assume_role(**role(account_id))
    identity = with_credentials(client, "sts", answer).get_caller_identity()
    arn = f"arn:aws:sts::{account_id}:assumed-role/{PORTAL_ROLE}/portal"
    assert (identity["Account"], identity["Arn"]) == (account_id, arn)
    assert answer["AssumedRoleUser"]["Arn"] == arn
    contact = with_credentials(client, "account", answer).get_alternate_contact(
        AlternateContactType="BILLING"
    )
    assert contact["AlternateContact"]["Name"] == "Finance Operations"


@pytest.mark.parametrize(
    "request_",
    [
        {**role(), "ExternalId": "something-else"},
        {name: value for name, value in role().items() if name != "ExternalId"},
        role(name="Unknown"),
        role(PAGE_ACCOUNT_ID),
        role("999999999999"),
        role(partition="aws-cn"),
    ],
    ids=["wrong-external-id", "no-external-id", "no-role", "account-without-role", "no-account", "partition"],
)
def test_other_roles_are_refused(client: MakeClient, request_: dict[str, str]) -> None:
    text = (
        f"User: arn:aws:iam::{MANAGEMENT_ID}:user/portal is not authorized to perform: sts:AssumeRole "
        f"on resource: {request_['RoleArn']}"
    )
    assert refusal(client("sts").assume_role, **request_) == (403, "AccessDenied", text)


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED", "PENDING_ACTIVATION"])
def test_no_role_in_an_account_that_is_not_active(sandbox: Sandbox, client: MakeClient, state: str) -> None:
    answer = client("sts").assume_role(**role())
    sandbox.set_account(TARGET, state=state)
    assert refusal(client("sts").assume_role, **role())[:2] == (403, "AccessDenied")
    contact = with_credentials(client, "account", answer).get_alternate_contact
    assert refusal(contact, AlternateContactType="BILLING")[1] == "UnrecognizedClientException"


def test_a_role_without_external_id_asks_for_none(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.set_account(PAGE_ACCOUNT_ID, roles={"Open": None})
    client("sts").assume_role(RoleArn=f"arn:aws:iam::{PAGE_ACCOUNT_ID}:role/Open", RoleSessionName="portal")


@pytest.mark.parametrize(
    ("service", "code"),
    [("account", "ExpiredTokenException"), ("sts", "ExpiredToken")],
)
def test_credentials_expire(sandbox: Sandbox, client: MakeClient, service: str, code: str) -> None:
    answer = client("sts").assume_role(**role())
    sandbox.expire_sessions()
    session = with_credentials(client, service, answer)
    if service == "sts":
        assert refusal(session.get_caller_identity)[:2] == (403, code)
    else:
        assert refusal(session.get_alternate_contact, AlternateContactType="BILLING")[:2] == (403, code)


def test_a_wrong_session_token_is_refused(client: MakeClient) -> None:
    answer = client("sts").assume_role(**role())
    answer["Credentials"]["SessionToken"] = "another"
    session = with_credentials(client, "sts", answer)
    assert refusal(session.get_caller_identity)[:2] == (403, "InvalidClientTokenId")


@pytest.mark.parametrize("asked", [900, 3600, 43200])
def test_credentials_live_as_long_as_asked(client: MakeClient, asked: int) -> None:
    answer = client("sts").assume_role(**role(), DurationSeconds=asked)
    left = answer["Credentials"]["Expiration"] - datetime.now(UTC)
    assert asked - 5 < left.total_seconds() <= asked


@pytest.mark.parametrize(
    "change",
    [{"DurationSeconds": 899}, {"DurationSeconds": 43201}, {"RoleSessionName": "a b"}, {"RoleArn": "role"}],
)
def test_bad_requests_are_validation_errors(client: MakeClient, change: dict) -> None:
    assert refusal(client("sts").assume_role, **{**role(), **change})[:2] == (400, "ValidationError")


def test_a_chained_role_lives_one_hour_at_most(client: MakeClient) -> None:
    session = with_credentials(client, "sts", client("sts").assume_role(**role()))
    session.assume_role(**role(MANAGEMENT_ID), DurationSeconds=3600)
    answer = refusal(session.assume_role, **role(MANAGEMENT_ID), DurationSeconds=3601)
    assert answer[:2] == (400, "ValidationError")
