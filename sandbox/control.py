"""The control interface under /_sandbox/, for this machine only: switches, log, world."""

import json
import re
from collections.abc import Callable
from dataclasses import fields, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.errors import BadSwitch
from sandbox.local_aws import LocalAws
from sandbox.records import ACCOUNT_STATES, CONTACT_TYPES, Account, Contact, as_json
from sandbox.wire import HttpRequest, HttpResponse

PREFIX = "/_sandbox/"
ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
ACCOUNT_FIELDS = {field.name for field in fields(Account)} - {"parent_id", "joined_at"} | {"unit"}


def answer_control(aws: LocalAws, request: HttpRequest) -> HttpResponse:
    """Answer a request to /_sandbox/; refuse other machines, unknown places and nonsense."""
    if not ip_address(request.peer).is_loopback:
        return _json(403, {"message": "The control interface answers this machine only."})
    url = urlsplit(request.path)
    place, _, rest = url.path.removeprefix(PREFIX).partition("/")
    action = ACTIONS.get((request.method, place))
    if action is None:
        return _json(404, {"message": "There is no such control; sandbox/README.md lists them."})
    try:
        body = json.loads(request.body) if request.body else {}
        result = action(aws, rest, {**{key: each[-1] for key, each in parse_qs(url.query).items()}, **body})
    except (ValueError, TypeError, KeyError) as error:
        return _json(400, {"message": str(error)})
    return _json(200, result)


def upsert_account(aws: LocalAws, values: dict[str, Any]) -> Account:  # Any: JSON
    """Join a new account, or change what is given of a known one: move, leave, close, rename, roles.

    `unit` is a unit's id, its path of names below the root ("Workloads/Prod"), "" for the root, or null
    for an account outside the organization.
    """
    account_id = values.get("account_id", "")
    unknown = values.keys() - ACCOUNT_FIELDS
    if unknown or not isinstance(account_id, str) or not ACCOUNT_ID.fullmatch(account_id):
        raise BadSwitch(f"An account needs account_id (12 digits) and may have {sorted(ACCOUNT_FIELDS)}.")
    if values.get("state", "ACTIVE") not in ACCOUNT_STATES:
        raise BadSwitch(f"The state is one of {ACCOUNT_STATES}.")
    world = aws.world
    with world.lock:
        account = world.accounts.get(account_id) or _new_account(aws, account_id)
        changes = {name: value for name, value in values.items() if name not in ("account_id", "unit")}
        if "unit" in values:
            changes["parent_id"] = unit_id(aws, values["unit"])
        world.set_account(replace(account, **changes))
        return world.accounts[account_id]


def unit_id(aws: LocalAws, unit: str | None) -> str | None:
    """Find a unit by its id or by its path of names below the root."""
    world = aws.world
    if unit is None or unit in world.units:
        return unit
    found = world.organization.root_id
    for name in filter(None, unit.split("/")):
        below = (
            each.unit_id for each in world.units.values() if (each.parent_id, each.name) == (found, name)
        )
        found = next(below, "")
    if not found:
        raise BadSwitch(f"There is no unit {unit!r}.")
    return found


def set_contact(aws: LocalAws, account_id: str, contact_type: str, contact: Contact | None) -> None:
    """Write a contact past rules, rights and quota, as somebody else would in the console."""
    if account_id not in aws.world.accounts or contact_type not in CONTACT_TYPES:
        raise BadSwitch(f"There is no contact {account_id}/{contact_type}.")
    aws.world.set_contact(account_id, contact_type, contact)


def expire_sessions(aws: LocalAws) -> None:
    """Let every temporary credential expire now."""
    with aws.world.lock:
        for session in list(aws.world.sessions.values()):
            aws.world.set_session(replace(session, expires_at=aws.world.clock()))


def _new_account(aws: LocalAws, account_id: str) -> Account:
    return Account(
        account_id=account_id,
        name=f"new-{account_id}",
        email=f"aws+{account_id}@northwind.example",
        parent_id=aws.world.organization.root_id,
        joined_at=aws.world.clock(),
    )


def _get_switches(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    return aws.all_switches()


def _post_switches(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    aws.set_switches(values)
    return aws.all_switches()


def _reset(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    aws.reset()
    return aws.all_switches()


def _get_log(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    return aws.log.after(int(values.get("after", 0)))


def _delete_log(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    aws.log.clear()
    return {}


def _get_contact(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    contact = aws.world.contact(*_contact_key(rest))
    return as_json(contact) if contact else None


def _put_contact(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    contact = Contact(**values)
    set_contact(aws, *_contact_key(rest), contact)
    return as_json(contact)


def _delete_contact(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    set_contact(aws, *_contact_key(rest), None)
    return None


def _contact_key(rest: str) -> tuple[str, str]:
    account_id, _, contact_type = rest.partition("/")
    return account_id, contact_type


def _get_accounts(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    if rest:
        return as_json(aws.world.accounts[rest])
    return [as_json(account) for account in aws.world.accounts.values()]


def _post_accounts(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    return as_json(upsert_account(aws, values))


def set_scp(aws: LocalAws, target: str, document: str | None) -> None:
    """Attach a service control policy to a root, unit or account, or detach it."""
    if target not in aws.world.units and target not in aws.world.accounts:
        raise BadSwitch(f"There is no root, unit or account {target!r}.")
    aws.world.set_scp(target, "Control", document)


def _put_scp(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    set_scp(aws, rest, json.dumps(values))
    return values


def _delete_scp(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    set_scp(aws, rest, None)
    return None


def _delete_sessions(aws: LocalAws, rest: str, values: dict[str, Any]) -> Any:  # Any: JSON
    expire_sessions(aws)
    return {}


def _json(status: int, value: Any) -> HttpResponse:  # Any: JSON
    return HttpResponse(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


ACTIONS: dict[tuple[str, str], Callable[[LocalAws, str, dict[str, Any]], Any]] = {
    ("GET", "switches"): _get_switches,
    ("POST", "switches"): _post_switches,
    ("POST", "reset"): _reset,
    ("GET", "log"): _get_log,
    ("DELETE", "log"): _delete_log,
    ("GET", "contacts"): _get_contact,
    ("PUT", "contacts"): _put_contact,
    ("DELETE", "contacts"): _delete_contact,
    ("GET", "accounts"): _get_accounts,
    ("POST", "accounts"): _post_accounts,
    ("PUT", "scps"): _put_scp,
    ("DELETE", "scps"): _delete_scp,
    ("DELETE", "sessions"): _delete_sessions,
}
