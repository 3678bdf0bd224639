"""Pages of Organizations' lists: at most twenty rows, sometimes none although more follow."""

import base64
import json
import secrets
from typing import Any

from sandbox.ask import Ask
from sandbox.errors import Refusal

LARGEST_PAGE = 20


def page(ask: Ask, key: str, rows: list[Any], scope: str = "") -> dict[str, Any]:  # Any: JSON
    """Cut the page that the call asks for; `scope` ties a token to the list it came from.

    "These operations can occasionally return an empty set of results even when there are more results
    available": https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    """
    size = _size(ask)
    place = f"{ask.operation} {scope}"
    start, was_empty = _position(ask, place)
    if start < len(rows) and not was_empty and ask.chance.happens("empty_pages", ask.switches.empty_pages):
        return {key: [], "NextToken": _token(place, start, True)}
    result: dict[str, Any] = {key: rows[start : start + size]}
    if start + size < len(rows):
        result["NextToken"] = _token(place, start + size, False)
    return result


def invalid_input(reason: str, message: str) -> Refusal:
    return Refusal(400, "InvalidInputException", message, Reason=reason)


def _size(ask: Ask) -> int:
    size = ask.values.get("MaxResults")
    if size is None:
        return LARGEST_PAGE
    if not isinstance(size, int) or size < 1:
        raise invalid_input("MIN_VALUE_EXCEEDED", "You provided a value that is lower than the minimum.")
    if size > LARGEST_PAGE:
        raise invalid_input("MAX_VALUE_EXCEEDED", "You provided a value that is higher than the maximum.")
    return size


def _position(ask: Ask, place: str) -> tuple[int, bool]:
    token = ask.values.get("NextToken")
    if token is None:
        return 0, False
    try:
        known_place, start, was_empty, _ = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError):
        known_place, start, was_empty = None, 0, False
    if known_place != place:
        raise invalid_input("INVALID_NEXT_TOKEN", "You provided an invalid NextToken.")
    return start, was_empty


def _token(place: str, start: int, was_empty: bool) -> str:
    """Make a token that was never given before: botocore stops at a repeated one."""
    return base64.urlsafe_b64encode(
        json.dumps([place, start, was_empty, secrets.token_hex(6)]).encode()
    ).decode()
