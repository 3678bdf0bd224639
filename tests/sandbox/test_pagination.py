"""Organizations' lists: pages of twenty, tokens, empty pages, and fields that may be missing."""

import pytest

from sandbox.company import ROOT_ID
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, Sandbox

from .conftest import Client, MakeClient, refusal


def pages(organizations: Client, operation: str, **values: str) -> list[dict]:
    return list(organizations.get_paginator(operation).paginate(**values))


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 1])
def test_every_account_comes_exactly_once(sandbox: Sandbox, client: MakeClient, share: float) -> None:
    sandbox.switch(empty_pages=share)
    found = pages(client("organizations"), "list_accounts")
    ids = [account["Id"] for each in found for account in each["Accounts"]]
    assert sorted(ids) == sorted(account.account_id for account in sandbox.world.members())
    assert len(ids) == len(set(ids)) == 150
    assert max(len(each["Accounts"]) for each in found) == 20
    assert any(not each["Accounts"] for each in found) == (share > 0)


def test_there_are_empty_pages_by_default(client: MakeClient, sandbox: Sandbox) -> None:
    with Sandbox(accounts=150) as running:
        assert running.aws.all_switches()["empty_pages"] > 0


def test_tokens_never_repeat(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(empty_pages=0.3)
    found = [each for _ in range(3) for each in pages(client("organizations"), "list_accounts")]
    tokens = [each["NextToken"] for each in found if "NextToken" in each]
    assert len(tokens) == len(set(tokens)) > 20


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"MaxResults": 0}, "MIN_VALUE_EXCEEDED"),
        ({"MaxResults": 21}, "MAX_VALUE_EXCEEDED"),
        ({"NextToken": ""}, "INVALID_NEXT_TOKEN"),
        ({"NextToken": "bm9uc2Vuc2U="}, "INVALID_NEXT_TOKEN"),
    ],
)
def test_bad_pages_are_refused(client: MakeClient, values: dict, reason: str) -> None:
    organizations = client("organizations")
    with pytest.raises(organizations.exceptions.InvalidInputException) as caught:
        organizations.list_accounts(**values)
    assert caught.value.response["Reason"] == reason


def test_a_token_belongs_to_its_list(client: MakeClient) -> None:
    organizations = client("organizations")
    token = organizations.list_accounts(MaxResults=1)["NextToken"]
    answer = refusal(organizations.list_accounts_for_parent, ParentId=ROOT_ID, NextToken=token)
    assert answer[1] == "InvalidInputException"


def test_the_tree_walk_finds_the_accounts_that_paths_name(sandbox: Sandbox, client: MakeClient) -> None:
    organizations = client("organizations")
    walked, open_units, depth = {}, [(ROOT_ID, 0)], 0
    while open_units:
        unit_id, level = open_units.pop()
        depth = max(depth, level)
        for page in pages(organizations, "list_accounts_for_parent", ParentId=unit_id):
            walked.update({account["Id"]: unit_id for account in page["Accounts"]})
        for page in pages(organizations, "list_organizational_units_for_parent", ParentId=unit_id):
            open_units += [(unit["Id"], level + 1) for unit in page["OrganizationalUnits"]]
    listed = [each for page in pages(organizations, "list_accounts") for each in page["Accounts"]]
    assert walked == {account["Id"]: account["Paths"][0].split("/")[-3] for account in listed}
    assert depth >= 3


def test_units_carry_their_path(client: MakeClient) -> None:
    organizations = client("organizations")
    unit = organizations.list_organizational_units_for_parent(ParentId=ROOT_ID)["OrganizationalUnits"][0]
    assert unit["Path"] == f"o-nw7k2d9x4b/{ROOT_ID}/{unit['Id']}/"
    described = organizations.describe_organizational_unit(OrganizationalUnitId=unit["Id"])
    assert described["OrganizationalUnit"] == unit


@pytest.mark.parametrize(
    ("switch", "fields"),
    [
        ({}, {"State", "Paths"}),
        ({"omit_status": False}, {"State", "Status", "Paths"}),
        ({"omit_state": True, "omit_status": False}, {"Status", "Paths"}),
        ({"omit_paths": True}, {"State"}),
    ],
)
def test_fields_can_be_left_out(sandbox: Sandbox, client: MakeClient, switch: dict, fields: set) -> None:
    sandbox.switch(**switch)
    account = client("organizations").describe_account(AccountId=MANAGEMENT_ID)["Account"]
    assert {"State", "Status", "Paths"} & account.keys() == fields


def test_the_old_status_does_not_know_closed(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(omit_status=False)
    sandbox.set_account(PAGE_ACCOUNT_ID, state="CLOSED")
    account = client("organizations").describe_account(AccountId=PAGE_ACCOUNT_ID)["Account"]
    assert (account["State"], account["Status"]) == ("CLOSED", "SUSPENDED")
