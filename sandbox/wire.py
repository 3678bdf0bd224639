"""The protocols: rest-json (Account Management), JSON 1.1 (Organizations), query and XML (STS, IAM)."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from sandbox.errors import Refusal

ACCOUNT, ORGANIZATIONS, STS, IAM = "account", "organizations", "sts", "iam"
TARGET_PREFIX = "AWSOrganizationsV20161128."
NAMESPACES = {
    STS: "https://sts.amazonaws.com/doc/2011-06-15/",
    IAM: "https://iam.amazonaws.com/doc/2010-05-08/",
}
IAM_VERSION = "2010-05-08"


@dataclass(slots=True)
class HttpRequest:
    """A request as it came; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: str = "127.0.0.1"


@dataclass(slots=True)
class HttpResponse:
    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Call:
    """A request by service and operation; a body that is not readable counts as null."""

    service: str
    operation: str
    values: Any  # JSON as it came


def read_call(request: HttpRequest) -> Call:
    """Tell which service and operation a request is for."""
    target = request.headers.get("x-amz-target")
    if target is not None:
        return Call(ORGANIZATIONS, target.removeprefix(TARGET_PREFIX), _json(request.body))
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        service = IAM if form.get("Version") == IAM_VERSION else STS
        return Call(service, form.get("Action", ""), form)
    name = request.path.partition("?")[0].strip("/")
    operation = name[:1].upper() + name[1:] if request.method == "POST" else ""
    return Call(ACCOUNT, operation, _json(request.body))


def answer(call: Call, result: Any, request_id: str) -> HttpResponse:  # Any: JSON
    """Write a result as the service does; no result is an empty body."""
    if call.service in NAMESPACES:
        return _xml(200, _query_answer(call, result or {}, request_id), request_id)
    body = b"" if result is None else json.dumps(result).encode()
    return HttpResponse(200, _headers(call.service, request_id), body)


def refusal(call: Call, error: Refusal, request_id: str) -> HttpResponse:
    """Write an error as the service does."""
    if call.service in NAMESPACES:
        return _xml(error.status, _query_error(call, error, request_id), request_id)
    headers = _headers(call.service, request_id)
    if call.service == ORGANIZATIONS:
        body = {"__type": error.code, "Message": error.message, **error.members}
        return HttpResponse(error.status, headers, json.dumps(body).encode())
    headers["x-amzn-ErrorType"] = error.code
    return HttpResponse(error.status, headers, json.dumps({"message": error.message}).encode())


def _headers(service: str, request_id: str) -> dict[str, str]:
    if service == ORGANIZATIONS:
        return {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": request_id}
    # Account Management stands behind an API Gateway
    return {
        "Content-Type": "application/json",
        "x-amzn-RequestId": request_id,
        "x-amz-apigw-id": request_id[:16],
        "access-control-allow-origin": "*",
    }


def _json(body: bytes) -> Any:  # Any: JSON
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return None


def _xml(status: int, body: str, request_id: str) -> HttpResponse:
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
    return HttpResponse(status, headers, body.encode())


def _query_answer(call: Call, result: dict[str, Any], request_id: str) -> str:  # Any: nested texts
    operation = call.operation
    return (
        f'<{operation}Response xmlns="{NAMESPACES[call.service]}"><{operation}Result>{_elements(result)}'
        f"</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        f"</{operation}Response>"
    )


def _query_error(call: Call, error: Refusal, request_id: str) -> str:
    kind = "Sender" if error.status < 500 else "Receiver"
    fields = {"Type": kind, "Code": error.code, "Message": error.message}
    return (
        f'<ErrorResponse xmlns="{NAMESPACES[call.service]}"><Error>{_elements(fields)}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _elements(values: dict[str, Any]) -> str:  # Any: nested texts
    return "".join(f"<{name}>{_element(value)}</{name}>" for name, value in values.items())


def _element(value: Any) -> str:  # Any: nested texts
    if isinstance(value, list):
        return "".join(f"<member>{_element(one)}</member>" for one in value)
    return _elements(value) if isinstance(value, dict) else escape(str(value))
