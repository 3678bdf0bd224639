"""The published quotas: buckets of their own for each caller and operation."""

from collections.abc import Iterator

import pytest

from sandbox.quotas import Buckets, account_limits, organization_limits
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, Sandbox

from .conftest import client_maker, refusal

SLOW = 0.001


class Clock:
    """A clock that moves only when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(buckets: Buckets, operation: str, limits: dict[str, tuple[float, float]]) -> int:
    return sum(buckets.take(operation, limits) for _ in range(100))


@pytest.mark.parametrize(
    ("partition", "operation", "rate", "burst"),
    [
        ("aws", "GetAlternateContact", 10, 15),
        ("aws", "PutAlternateContact", 5, 8),
        ("aws", "DeleteAlternateContact", 1, 6),
        ("aws-us-gov", "PutAlternateContact", 5, 8),
        ("aws-cn", "GetAlternateContact", 3, 5),
        ("aws-cn", "PutAlternateContact", 1, 6),
        ("aws-cn", "DeleteAlternateContact", 1, 6),
    ],
)
def test_account_management_gives_the_burst_and_then_the_rate(partition, operation, rate, burst) -> None:
    clock = Clock()
    buckets = Buckets(clock=clock)
    limits = account_limits(partition, operation, MANAGEMENT_ID)
    assert taken(buckets, operation, limits) == burst
    clock.now += 2
    assert taken(buckets, operation, limits) == min(burst, 2 * rate)
    clock.now += 3600
    assert taken(buckets, operation, limits) == burst


def test_part_of_a_token_is_kept() -> None:
    clock = Clock()
    buckets = Buckets(clock=clock)
    limits = account_limits("aws", "DeleteAlternateContact", MANAGEMENT_ID)
    taken(buckets, "DeleteAlternateContact", limits)
    clock.now += 0.5
    assert taken(buckets, "DeleteAlternateContact", limits) == 0
    clock.now += 0.5
    assert taken(buckets, "DeleteAlternateContact", limits) == 1


def test_organizations_counts_by_caller_and_by_organization() -> None:
    buckets = Buckets(clock=Clock())
    first = organization_limits("ListAccounts", MANAGEMENT_ID, "o-nw7k2d9x4b")
    second = organization_limits("ListAccounts", PAGE_ACCOUNT_ID, "o-nw7k2d9x4b")
    assert taken(buckets, "ListAccounts", first) == 12
    assert taken(buckets, "ListAccounts", second) == 3


def test_the_scale_multiplies_and_zero_switches_off() -> None:
    clock = Clock()
    limits = account_limits("aws", "PutAlternateContact", MANAGEMENT_ID)
    assert taken(Buckets(2, clock), "PutAlternateContact", limits) == 16
    assert taken(Buckets(0, clock), "PutAlternateContact", limits) == 100


@pytest.fixture
def throttled() -> Iterator[Sandbox]:
    """A sandbox whose buckets hold one token and hardly ever get another."""
    with Sandbox(accounts=150, quota_scale=SLOW, empty_pages=0) as running:
        yield running


def test_the_bucket_belongs_to_caller_and_operation(throttled: Sandbox) -> None:
    make = client_maker(throttled)
    account = make("account")
    account.get_alternate_contact(AlternateContactType="BILLING")
    answer = refusal(
        account.get_alternate_contact, AlternateContactType="SECURITY", AccountId=PAGE_ACCOUNT_ID
    )
    assert answer == (429, "TooManyRequestsException", "Too Many Requests")
    account.delete_alternate_contact(AlternateContactType="BILLING")
    make("account", PAGE_ACCOUNT_ID).get_alternate_contact(AlternateContactType="BILLING")
    assert [attempt["status"] for attempt in throttled.log()] == [200, 429, 200, 200]


def test_organizations_throttles_with_400(throttled: Sandbox) -> None:
    organizations = client_maker(throttled)("organizations")
    organizations.list_roots()
    assert refusal(organizations.list_roots) == (
        400,
        "TooManyRequestsException",
        "You have sent too many requests in too short a period of time. Try again later.",
    )


def test_a_new_scale_fills_the_buckets(throttled: Sandbox) -> None:
    account = client_maker(throttled)("account")
    account.get_alternate_contact(AlternateContactType="BILLING")
    throttled.switch(quota_scale=1)
    for _ in range(15):
        account.get_alternate_contact(AlternateContactType="BILLING")
