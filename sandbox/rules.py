"""The schema of the Account Management calls, and the words of the validator in front of them."""

import json
import re
from dataclasses import dataclass
from typing import Any

from sandbox.errors import Refusal

# AWS validates in the ECMA 262 dialect: \w and \d are ASCII there, \s holds the Unicode spaces
ECMA_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
EMAIL_SPACE = "".join(chr(code) for code in range(0x10000) if re.match(f"[{ECMA_SPACE}]", chr(code)))


@dataclass(frozen=True, slots=True)
class Rule:
    """One member of a request: lengths in code points, and a pattern for the whole text."""

    minimum: int = 0
    maximum: int | None = None
    pattern: str | None = None

    def complaints(self, value: Any) -> list[str]:  # Any: whatever JSON held
        """Say in the validator's words what is wrong with the value."""
        if not isinstance(value, str):
            kind = f"instance type ({_json_type(value)})"
            return [f'{kind} does not match any allowed primitive type (allowed: ["string"])']
        size, found = len(value), []
        if self.pattern and not matches(self.pattern, value):
            found.append(f'ECMA 262 regex "^{self.pattern}$" does not match input string "{value}"')
        if self.maximum is not None and size > self.maximum:
            found.append(f'string "{value}" is too long (length: {size}, maximum allowed: {self.maximum})')
        if size < self.minimum:
            found.append(f'string "{value}" is too short (length: {size}, required minimum: {self.minimum})')
        return found


# https://docs.aws.amazon.com/accounts/latest/APIReference/API_PutAlternateContact.html
TARGET = {"AlternateContactType": Rule(), "AccountId": Rule(pattern=r"\d{12}")}
DETAILS = {
    "Name": Rule(1, 64),
    "Title": Rule(1, 50),
    "EmailAddress": Rule(1, 254, r"[\s]*[\w+=.#|!&-]+@[\w.-]+\.[\w]+[\s]*"),
    "PhoneNumber": Rule(1, 25, r"[\s0-9()+-]+"),
}
SCHEMAS = {
    "GetAlternateContact": TARGET,
    "PutAlternateContact": {**DETAILS, **TARGET},
    "DeleteAlternateContact": TARGET,
}
OPTIONAL = {"AccountId"}


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches, as ECMA 262 reads the pattern."""
    return re.fullmatch(pattern.replace(r"\s", ECMA_SPACE), value, re.ASCII) is not None


def require_schema(operation: str, values: Any) -> None:  # Any: whatever JSON held
    """Refuse a body that the model of this operation does not allow."""
    if not isinstance(values, dict):
        kind = f"instance type ({_json_type(values)})"
        raise _refusal([f'{kind} does not match any allowed primitive type (allowed: ["object"])'])
    rules = SCHEMAS[operation]
    absent = sorted(name for name in rules if name not in values and name not in OPTIONAL)
    listed = json.dumps(absent, separators=(",", ":"))
    found = [f"object has missing required properties ({listed})"] if absent else []
    for name, rule in rules.items():
        if name in values:
            found += rule.complaints(values[name])
    if found:
        raise _refusal(found)


def strip_email(value: str) -> str:
    """Store an e-mail address as AWS does: surrounding whitespace goes, case stays."""
    return value.strip(EMAIL_SPACE)


def _refusal(complaints: list[str]) -> Refusal:
    return Refusal(400, "ValidationException", f"[{', '.join(complaints)}]")


def _json_type(value: Any) -> str:  # Any: whatever JSON held
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")
