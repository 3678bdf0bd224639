"""What can be turned on the running sandbox: quotas, faults, lag, fields left out, refusals."""

import random
import threading
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sandbox.errors import BadSwitch
from sandbox.records import ACCOUNT_STATES, CONTACT_TYPES

OUTAGES = (None, "closed", "unavailable", "hang")
DENIALS = ("identity", "session", "explicit", "scp")
STATE_RULES = ("all", "read", "none")
RATES = ("error_rate", "drop_before", "drop_after", "empty_pages")


def _default_state_rules() -> dict[str, str]:
    return {state: "all" if state == "ACTIVE" else "read" for state in ACCOUNT_STATES}


@dataclass(slots=True)
class Switches:
    """`deny` holds {account, type, operation, kind}: an absent key means any, kind is one of DENIALS."""

    quota_scale: float = 1.0
    latency_ms: float = 0.0
    error_rate: float = 0.0
    drop_before: float = 0.0
    drop_after: float = 0.0
    fault_operations: list[str] = field(default_factory=list)
    fault_seed: int = 7
    outage: str | None = None
    read_lag_seconds: float = 0.0
    clock_offset_seconds: float = 0.0
    contact_types: list[str] = field(default_factory=lambda: list(CONTACT_TYPES))
    omit_status: bool = True
    omit_state: bool = False
    omit_paths: bool = False
    empty_pages: float = 0.1
    state_rules: dict[str, str] = field(default_factory=_default_state_rules)
    deny: list[dict[str, str]] = field(default_factory=list)
    log_values: bool = False

    def set(self, values: dict[str, Any]) -> None:  # Any: JSON
        """Take over these switches, or none of them where one is unknown or makes no sense."""
        candidate = Switches(**asdict(self))
        for name, value in values.items():
            if name not in NAMES:
                raise BadSwitch(f"There is no switch {name!r}; sandbox/README.md lists them.")
            setattr(candidate, name, _checked(name, value, getattr(candidate, name)))
        for name in values:
            setattr(self, name, getattr(candidate, name))

    def denial(self, account_id: str, contact_type: str, operation: str) -> str | None:
        """Give the kind of refusal that a policy has for this call, if any."""
        asked = {"account": account_id, "type": contact_type, "operation": operation}
        for rule in self.deny:
            if all(rule.get(key) in (None, "*", value) for key, value in asked.items()):
                return rule.get("kind", "identity")
        return None

    def denies_everywhere(self, operation: str) -> bool:
        """Whether a policy names this very operation; how Organizations' calls are denied."""
        return any(rule.get("operation") == operation for rule in self.deny)

    def may_use(self, state: str, is_write: bool) -> bool:
        """Whether an account in this state may be read, or written, from the organization."""
        rule = self.state_rules[state]
        return rule == "all" or (rule == "read" and not is_write)


NAMES = {each.name for each in fields(Switches)}


class Chance:
    """Seeded dice for faults, one for each kind of fault, so that a run repeats."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self.restart(seed)

    def restart(self, seed: int) -> None:
        with self._lock:
            self._seed = seed
            self._dice: dict[str, random.Random] = {}

    def happens(self, kind: str, rate: float) -> bool:
        if rate <= 0:
            return False
        with self._lock:
            die = self._dice.setdefault(kind, random.Random(f"{self._seed} {kind}"))
            return die.random() < rate


def _checked(name: str, value: Any, present: Any) -> Any:  # Any: JSON, checked here
    if name == "state_rules":
        value = {**present, **_mapping(name, value)}
    if not _is_sound(name, value):
        raise BadSwitch(f"The switch {name!r} cannot be {value!r}.")
    return value


def _mapping(name: str, value: Any) -> dict[str, Any]:  # Any: JSON
    if not isinstance(value, dict):
        raise BadSwitch(f"The switch {name!r} needs an object.")
    return value


def _is_sound(name: str, value: Any) -> bool:  # Any: JSON
    if name.startswith(("omit_", "log_")):
        return isinstance(value, bool)
    if name == "outage":
        return value in OUTAGES
    if name == "state_rules":
        return all(state in ACCOUNT_STATES and rule in STATE_RULES for state, rule in value.items())
    if name == "deny":
        return isinstance(value, list) and all(_is_denial(rule) for rule in value)
    if name == "contact_types":
        return isinstance(value, list) and set(value) <= set(CONTACT_TYPES)
    if name == "fault_operations":
        return isinstance(value, list) and all(isinstance(operation, str) for operation in value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "clock_offset_seconds":
        return is_number
    return is_number and value >= 0 and (name not in RATES or value <= 1)


def _is_denial(rule: Any) -> bool:  # Any: JSON
    return (
        isinstance(rule, dict)
        and rule.keys() <= {"account", "type", "operation", "kind"}
        and rule.get("kind", "identity") in DENIALS
        and rule.get("type") in (None, "*", *CONTACT_TYPES)
    )
