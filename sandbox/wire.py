"""The three protocols: rest-json (Account Management), JSON 1.1 (Organizations), query and XML (STS)."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from sandbox.errors import Refusal

ACCOUNT, ORGANIZATIONS, STS = "account", "organizations", "sts"
TARGET_PREFIX = "AWSOrganizationsV20161128."
STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


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
        return Call(STS, form.get("Action", ""), form)
    name = request.path.partition("?")[0].strip("/")
    operation = name[:1].upper() + name[1:] if request.method == "POST" else ""
    return Call(ACCOUNT, operation, _json(request.body))


def answer(call: Call, result: Any, request_id: str) -> HttpResponse:  # Any: JSON
    """Write a result as the service does; no result is an empty body."""
    if call.service == STS:
        return _xml(200, _sts_answer(call.operation, result, request_id), request_id)
    body = b"" if result is None else json.dumps(result).encode()
    return HttpResponse(200, _headers(call.service, request_id), body)


def refusal(call: Call, error: Refusal, request_id: str) -> HttpResponse:
    """Write an error as the service does."""
    if call.service == STS:
        return _xml(error.status, _sts_error(error, request_id), request_id)
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


def _sts_answer(operation: str, result: dict[str, Any], request_id: str) -> str:  # Any: nested texts
    return (
        f'<{operation}Response xmlns="{STS_NAMESPACE}"><{operation}Result>{_elements(result)}'
        f"</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        f"</{operation}Response>"
    )


def _sts_error(error: Refusal, request_id: str) -> str:
    kind = "Sender" if error.status < 500 else "Receiver"
    fields = {"Type": kind, "Code": error.code, "Message": error.message}
    return (
        f'<ErrorResponse xmlns="{STS_NAMESPACE}"><Error>{_elements(fields)}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _elements(values: dict[str, Any]) -> str:  # Any: nested texts
    return "".join(
        f"<{name}>{_elements(value) if isinstance(value, dict) else escape(str(value))}</{name}>"
        for name, value in values.items()
    )
