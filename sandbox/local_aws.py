"""Answers requests as AWS does, with the faults that are switched on, and logs every attempt."""

import threading
import time
import uuid
from dataclasses import asdict
from email.utils import formatdate
from types import ModuleType
from typing import Any

from sandbox import account_api, iam_api, organizations_api, sts_api, wire
from sandbox.ask import Ask
from sandbox.attempts import Attempt, AttemptLog, digest
from sandbox.callers import identify, require_clock
from sandbox.errors import BadSwitch, Refusal
from sandbox.quotas import Buckets
from sandbox.records import ACCOUNT_MANAGEMENT
from sandbox.switches import Chance, Switches
from sandbox.wire import Call, HttpRequest, HttpResponse
from sandbox.world import World

APIS: dict[str, ModuleType] = {
    wire.ACCOUNT: account_api,
    wire.ORGANIZATIONS: organizations_api,
    wire.STS: sts_api,
    wire.IAM: iam_api,
}
FAULTS = {
    wire.ACCOUNT: ("InternalServerException", "Internal server error"),
    wire.ORGANIZATIONS: (
        "ServiceException",
        "AWS Organizations can't complete your request. Try again later.",
    ),
    wire.STS: ("InternalFailure", "The request processing has failed because of an unknown error."),
    wire.IAM: ("ServiceFailure", "The request processing has failed because of an unknown error."),
}
WORLD_SWITCHES = ("trusted_access", "feature_set", "delegated_admin")
HANG_LIMIT_SECONDS = 120


class LocalAws:
    """One world behind its quotas, switches and log."""

    def __init__(self, world: World, **switches: Any) -> None:  # Any: values of switches
        self.world = world
        self.switches = Switches()
        self.chance = Chance(self.switches.fault_seed)
        self.buckets = Buckets()
        self.log = AttemptLog()
        self.is_stopping = threading.Event()
        self._turned = threading.Condition()
        self.set_switches(switches)
        self._at_start = self._own_switches()

    # Switches

    def all_switches(self) -> dict[str, Any]:  # Any: JSON
        """Give every switch with its value, those that AWS itself keeps in the world included."""
        world = self.world
        holders = [holder for holder, principal in world.delegated if principal == ACCOUNT_MANAGEMENT]
        return {
            **self._own_switches(),
            "trusted_access": ACCOUNT_MANAGEMENT in world.trusted,
            "feature_set": world.feature_set,
            "delegated_admin": holders[0] if holders else None,
        }

    def set_switches(self, values: dict[str, Any]) -> None:  # Any: JSON
        """Turn these switches; a new scale fills the buckets, a new seed restarts the dice."""
        in_world = {name: value for name, value in values.items() if name in WORLD_SWITCHES}
        self._require_sound(in_world)
        self.switches.set({name: value for name, value in values.items() if name not in in_world})
        self._set_world(in_world)
        if "quota_scale" in values:
            self.buckets.fill(self.switches.quota_scale)
        if "fault_seed" in values:
            self.chance.restart(self.switches.fault_seed)
        with self._turned:
            self._turned.notify_all()

    def reset(self) -> None:
        """Turn the switches back, fill the buckets, empty the log; the world stays as it is."""
        self.set_switches(self._at_start)
        self.log.clear()

    def _own_switches(self) -> dict[str, Any]:  # Any: values of switches
        return asdict(self.switches)

    def _require_sound(self, values: dict[str, Any]) -> None:  # Any: JSON
        if not isinstance(values.get("trusted_access", True), bool):
            raise BadSwitch("The switch 'trusted_access' is true or false.")
        if values.get("feature_set", "ALL") not in ("ALL", "CONSOLIDATED_BILLING"):
            raise BadSwitch("The switch 'feature_set' is ALL or CONSOLIDATED_BILLING.")
        administrator = values.get("delegated_admin")
        if administrator is not None and not self.world.is_member(administrator):
            raise BadSwitch("The switch 'delegated_admin' is null or the id of a member account.")

    def _set_world(self, values: dict[str, Any]) -> None:  # Any: JSON
        if "trusted_access" in values:
            self.world.set_trusted(ACCOUNT_MANAGEMENT, values["trusted_access"])
        if "feature_set" in values:
            self.world.set_feature_set(values["feature_set"])
        if "delegated_admin" in values:
            self.world.replace_delegated_administrator(values["delegated_admin"])

    # Answers

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """Answer one request, or give nothing where the connection is to be closed instead."""
        attempt = Attempt(at_start=time.time(), request_id=str(uuid.uuid4()))
        call = wire.read_call(request)
        _describe(attempt, call, request)
        response = None
        try:
            response = self._delayed_answer(call, request, attempt)
            if response:
                response.headers["Date"] = formatdate(self._now(), usegmt=True)
        finally:
            attempt.status = response.status if response else 0
            attempt.at_end = time.time()
            if self.switches.log_values and isinstance(call.values, dict):
                attempt.values = call.values
            self.log.add(attempt)
        return response

    def _delayed_answer(self, call: Call, request: HttpRequest, attempt: Attempt) -> HttpResponse | None:
        """Spend half of the latency on the way to AWS and half on the way back."""
        outage = self.switches.outage
        if outage == "hang":
            self._hang()
        if outage in ("closed", "hang"):
            return None
        self._travel()
        if self._strikes("drop_before", call):
            return None
        response = self._faulty_answer(call, request, attempt)
        if attempt.effect and self._strikes("drop_after", call):
            return None
        self._travel()
        return response

    def _faulty_answer(self, call: Call, request: HttpRequest, attempt: Attempt) -> HttpResponse:
        try:
            self._require_health(call)
            with self.world.lock:
                result = self._perform(call, request, attempt)
        except Refusal as error:
            attempt.code = error.code
            return wire.refusal(call, error, attempt.request_id)
        attempt.effect = call.operation in APIS[call.service].WRITES
        return wire.answer(call, result, attempt.request_id)

    def _require_health(self, call: Call) -> None:
        code, message = FAULTS[call.service]
        if self.switches.outage == "unavailable":
            raise Refusal(503, "ServiceUnavailableException", "Service Unavailable")
        if self._strikes("error_rate", call):
            raise Refusal(500, code, message)

    def _perform(self, call: Call, request: HttpRequest, attempt: Attempt) -> Any:  # Any: JSON
        api = APIS[call.service]
        if call.operation not in api.OPERATIONS:
            raise _unknown_operation(call)
        caller = identify(self.world, request.headers, call.service)
        if self.switches.clock_offset_seconds:
            require_clock(request.headers, self._now(), call.service)
        attempt.caller = caller.account_id
        if call.service == wire.ACCOUNT and attempt.target is None:
            attempt.target = caller.account_id
        return api.perform(
            Ask(caller, call.operation, call.values, self.world, self.switches, self.buckets, self.chance)
        )

    def _now(self) -> float:
        """What this AWS takes for the time."""
        return self.world.clock() + self.switches.clock_offset_seconds

    def _strikes(self, fault: str, call: Call) -> bool:
        chosen = self.switches.fault_operations
        if chosen and call.operation not in chosen:
            return False
        return self.chance.happens(fault, getattr(self.switches, fault))

    def _travel(self) -> None:
        if self.switches.latency_ms:
            time.sleep(self.switches.latency_ms / 2000)

    def _hang(self) -> None:
        """Say nothing until the outage ends or the sandbox stops."""
        with self._turned:
            self._turned.wait_for(
                lambda: self.switches.outage != "hang" or self.is_stopping.is_set(), HANG_LIMIT_SECONDS
            )

    def stop(self) -> None:
        """Let go of the requests that hang."""
        self.is_stopping.set()
        with self._turned:
            self._turned.notify_all()


def _describe(attempt: Attempt, call: Call, request: HttpRequest) -> None:
    """Note what the request says about itself, but none of its contact values."""
    attempt.service, attempt.operation = call.service, call.operation
    attempt.user_agent = request.headers.get("user-agent")
    attempt.invocation_id = request.headers.get("amz-sdk-invocation-id")
    values = call.values if isinstance(call.values, dict) else {}
    attempt.target = _text(values.get("AccountId"))
    attempt.contact_type = _text(values.get("AlternateContactType"))
    given = (values.get(name) for name in ("Name", "Title", "EmailAddress", "PhoneNumber"))
    details = [value for value in given if isinstance(value, str)]
    if call.operation == "PutAlternateContact" and len(details) == 4:
        attempt.digest = digest(*details)


def _text(value: Any) -> str | None:  # Any: JSON
    return value if isinstance(value, str) else None


def _unknown_operation(call: Call) -> Refusal:
    if call.service in wire.NAMESPACES:
        version = call.values.get("Version", "")
        text = f"Could not find operation {call.operation} for version {version}"
        return Refusal(400, "InvalidAction", text)
    return Refusal(400 if call.service == wire.ORGANIZATIONS else 404, "UnknownOperationException", "")
