"""What happens before a call is understood: credentials, protocol, unknown operations."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, Sandbox

from .conftest import MakeClient, refusal

SCOPE = "20261123/us-east-1/account/aws4_request"
SIGNED = f"AWS4-HMAC-SHA256 Credential=%s/{SCOPE}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
GOOD = SIGNED % f"SANDBOX{MANAGEMENT_ID}"
ACCOUNT_CALL = (
    "/getAlternateContact",
    {"Content-Type": "application/json"},
    b'{"AlternateContactType":"BILLING"}',
)
ORGANIZATIONS_CALL = ("/", {"X-Amz-Target": "AWSOrganizationsV20161128.ListRoots"}, b"{}")
STS_CALL = (
    "/",
    {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    b"Action=GetCallerIdentity&Version=2011-06-15",
)
BAD_CREDENTIALS = [
    (None, "MissingAuthenticationTokenException", "MissingAuthenticationToken"),
    ("AWS4-HMAC-SHA256 nonsense", "IncompleteSignatureException", "IncompleteSignature"),
    (SIGNED % "AKIAIOSFODNN7EXAMPLE", "UnrecognizedClientException", "InvalidClientTokenId"),
    (SIGNED % "SANDBOX999999999999", "UnrecognizedClientException", "InvalidClientTokenId"),
]


def connection(sandbox: Sandbox) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=5)


def send(sandbox: Sandbox, call: tuple[str, dict[str, str], bytes], authorization: str | None):
    path, headers, body = call
    signed = {**headers, "Authorization": authorization} if authorization else headers
    wire = connection(sandbox)
    wire.request("POST", path, body, signed)
    response = wire.getresponse()
    return response, response.read()


@pytest.mark.parametrize(("authorization", "code", "_sts_code"), BAD_CREDENTIALS)
def test_account_management_refuses_bad_credentials(sandbox, authorization, code, _sts_code) -> None:
    response, body = send(sandbox, ACCOUNT_CALL, authorization)
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (403, code)
    assert json.loads(body).keys() == {"message"}
    assert sandbox.log()[-1]["code"] == code


@pytest.mark.parametrize(("authorization", "code", "_sts_code"), BAD_CREDENTIALS)
def test_organizations_refuses_bad_credentials(sandbox, authorization, code, _sts_code) -> None:
    response, body = send(sandbox, ORGANIZATIONS_CALL, authorization)
    assert (response.status, json.loads(body)["__type"]) == (400, code)


@pytest.mark.parametrize(("authorization", "_code", "sts_code"), BAD_CREDENTIALS)
def test_sts_refuses_bad_credentials(sandbox, authorization, _code, sts_code) -> None:
    response, body = send(sandbox, STS_CALL, authorization)
    assert response.status == 403
    assert f"<Code>{sts_code}</Code>" in body.decode()


def test_an_account_that_is_suspended_cannot_act(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.set_account(PAGE_ACCOUNT_ID, state="SUSPENDED")
    call = client("sts", PAGE_ACCOUNT_ID).get_caller_identity
    assert refusal(call)[:2] == (403, "InvalidClientTokenId")


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (("/listRegions", {}, b"{}"), 404),
        (("/", {"X-Amz-Target": "AWSOrganizationsV20161128.CreateAccount"}, b"{}"), 400),
        (("/", STS_CALL[1], b"Action=GetFederationToken&Version=2011-06-15"), 400),
    ],
)
def test_an_operation_that_is_not_there_is_refused(sandbox: Sandbox, call, status: int) -> None:
    response, _ = send(sandbox, call, GOOD)
    assert response.status == status


def test_a_body_that_is_no_json_is_a_validation_error(sandbox: Sandbox) -> None:
    path, headers, _ = ACCOUNT_CALL
    response, _ = send(sandbox, (path, headers, b"{nonsense"), GOOD)
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "ValidationException")


def test_a_request_that_is_no_http_is_refused(sandbox: Sandbox) -> None:
    wire = connection(sandbox)
    wire.putrequest("POST", "/getAlternateContact")
    wire.putheader("Content-Length", "many")
    wire.endheaders()
    assert wire.getresponse().status == 400


def test_answers_carry_the_headers_of_an_api_gateway(sandbox: Sandbox) -> None:
    response, _ = send(sandbox, ACCOUNT_CALL, GOOD)
    assert response.headers["x-amzn-RequestId"] == sandbox.log()[-1]["request_id"]
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["x-amz-apigw-id"]


def test_one_connection_serves_many_calls_without_waiting(sandbox: Sandbox) -> None:
    path, headers, body = ACCOUNT_CALL
    wire = connection(sandbox)
    start = time.monotonic()
    for _ in range(100):
        wire.request("POST", path, body, {**headers, "Authorization": GOOD})
        assert wire.getresponse().read()
    # Head and body in two writes would take 40 ms for each call
    assert time.monotonic() - start < 2
