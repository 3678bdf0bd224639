"""The benchmark of a large company says what was reached, and says it where it was not."""

from dataclasses import replace

import pytest

from benchmarks.scale.discovery import Discovery, limit_of
from benchmarks.scale.figures import Page, Scale
from benchmarks.scale.report import scale_report
from benchmarks.scale.standin import ACCOUNTS, UNITS, large_world

GOOD = Scale(
    discovery=Discovery(
        accounts=10_000,
        units=300,
        attempts=520,
        rejected=0,
        limit=61.0,
        seconds=65.0,
        whole_seconds=70.0,
        rest_mib=90,
        peak_mib=140,
    ),
    ours=[0.1] * 19 + [0.2],
    theirs=[0.3] * 18 + [0.5, 0.9],
    scoped=[0.1, 0.1],
    rows={"ledger": (14_000, 14_000)},
    pages={"overview": Page([0.2, 0.3], 70_000)},
)


def test_what_was_reached_is_said_with_its_figures():
    text = scale_report(0.5, GOOD)

    assert "MISSED" not in text
    assert "(0.20 of it): reached" in text and "“ledger” 14,000" in text
    assert "1.066" in text
    assert "| overview | 0.20 | 0.30 | 68 |" in text


@pytest.mark.parametrize(
    "changes",
    [{"seconds": 67.2}, {"rejected": 1}, {"peak_mib": 250}],
)
def test_each_limit_of_discovery_that_was_not_held_is_named(changes):
    assert scale_report(0.5, replace(GOOD, discovery=replace(GOOD.discovery, **changes))).count("MISSED") == 1


def test_a_list_that_is_slow_or_finds_something_else_is_named():
    slow = replace(GOOD, ours=[0.26] * 20, rows=GOOD.rows | {"kyc": (3, 4)})
    assert scale_report(0.5, slow).count("MISSED") == 2


def test_the_limit_is_that_of_the_operation_that_takes_longest():
    log = [{"operation": "ListAccounts", "status": 200}] * 500
    log += [{"operation": "ListOrganizationalUnitsForParent", "status": 200}] * 20
    log += [{"operation": "ListAccounts", "status": 429}] * 50
    assert limit_of(log) == (500 - 12) / 8
    log += [{"operation": "ListOrganizationalUnitsForParent", "status": 200}] * 380
    assert limit_of(log) == (400 - 8) / 5


def test_the_large_company_is_as_large_as_it_says():
    world = large_world()
    assert len(world.members()) == ACCOUNTS
    assert len(world.units) == UNITS + 1
    assert {account.parent_id for account in world.members()} <= world.units.keys()
