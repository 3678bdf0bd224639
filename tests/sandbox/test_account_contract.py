"""Drives every row of what AWS answers to the alternate-contact operations through boto3."""

import re
from pathlib import Path

import pytest

import sandbox.account_api
from sandbox.testing import Sandbox

from .conftest import MakeClient, refusal
from .contract_rows import (
    CALLS,
    DELEGATED,
    DELETE,
    DETAILS,
    MEMBER,
    OTHER,
    PROVEN,
    PUT,
    STANDALONE,
    UNPROVEN,
    M,
    Row,
)

README = Path(sandbox.account_api.__file__).with_name("README.md")


@pytest.mark.parametrize("row", PROVEN + UNPROVEN, ids=lambda row: row.name)
def test_row(sandbox: Sandbox, client: MakeClient, row: Row) -> None:
    prepare(sandbox, row)
    call = getattr(client("account", row.caller), CALLS[row.operation])
    values = {"AlternateContactType": "SECURITY", **(DETAILS if row.operation == PUT else {}), **row.values}
    values = {name: value for name, value in values.items() if name not in row.without}
    if row.switches.get("quota_scale"):
        call(**values)
    if row.answer:
        assert refusal(call, **values) == row.answer
    else:
        assert call(**values)["ResponseMetadata"]["HTTPStatusCode"] == 200
    target = row.values.get("AccountId", row.caller)
    kept = sandbox.contact(target, row.values.get("AlternateContactType", "SECURITY"))
    assert has_promised_effect(row, kept)


def prepare(sandbox: Sandbox, row: Row) -> None:
    for account_id in (M, MEMBER, DELEGATED, STANDALONE):
        for contact_type in ("BILLING", "SECURITY"):
            sandbox.set_contact(
                account_id, contact_type, name="Before", title="B", email="before@example.com", phone="1"
            )
    sandbox.set_contact(OTHER, "BILLING")
    if row.state:
        sandbox.set_account(MEMBER, state=row.state)
    sandbox.switch(**row.switches)


def has_promised_effect(row: Row, kept: dict[str, str] | None) -> bool:
    """A granted write is there; a refused one left no trace."""
    if row.operation == DELETE and row.answer is None:
        return kept is None
    if row.operation == PUT and row.answer is None:
        return kept is not None and kept["name"] == {**DETAILS, **row.values}["Name"]
    return kept is None or kept["name"] == "Before"


def test_every_unproven_row_is_listed_in_the_readme() -> None:
    listed = re.findall(r"^- `(\w[\w-]+)`", README.read_text(), re.MULTILINE)
    assert sorted(row.name for row in UNPROVEN) == sorted(listed)
