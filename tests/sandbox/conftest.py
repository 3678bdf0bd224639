"""A sandbox for each test, boto3 clients for any of its accounts, and its control interface."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.callers import KEY_PREFIX
from sandbox.testing import MANAGEMENT_ID, Sandbox

SESSION = boto3.Session()
# One request for each call, and nothing held back: what the client would refuse is sent too
ONE_ATTEMPT = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=5,
    read_timeout=5,
    parameter_validation=False,
)

Client = Any  # boto3 makes its clients at run time
MakeClient = Callable[..., Client]
Control = Callable[..., tuple[int, Any]]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(accounts=150, quota_scale=0, empty_pages=0) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> MakeClient:
    return client_maker(sandbox)


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    """Call the control interface: (method, place, body) -> (status, answer)."""

    def call(method: str, place: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{sandbox.url}/_sandbox/{place}", data, method=method)
        try:
            with urlopen(request, timeout=5) as response:
                return response.status, json.load(response)
        except HTTPError as error:
            return error.code, json.load(error)

    return call


def client_maker(sandbox: Sandbox) -> MakeClient:
    """Make clients of a service as the user of an account, or with temporary credentials."""

    def make(service: str, account_id: str = MANAGEMENT_ID, **credentials: str) -> Client:
        keys = {"aws_access_key_id": f"{KEY_PREFIX}{account_id}", "aws_secret_access_key": "any"}
        region = sandbox.env()["AWS_REGION"]
        return SESSION.client(
            service, region, endpoint_url=sandbox.url, config=ONE_ATTEMPT, **{**keys, **credentials}
        )

    return make


def refusal(call: Callable[..., Any], **values: Any) -> tuple[int, str, str]:
    """Make a call that AWS must refuse, and give status, code and message."""
    with pytest.raises(ClientError) as caught:
        call(**values)
    response = caught.value.response
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )
