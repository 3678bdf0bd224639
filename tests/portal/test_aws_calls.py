"""The gateway against the local AWS: contacts, organizations, and calls whose answer does not come."""

import logging
import socket
from dataclasses import replace

import pytest

from portal import aws, aws_organizations
from portal.aws import Caller, ContactDetails, Identity, OutcomeUnknown, Reading, Unavailable
from portal.aws_facts import OrganizationFacts
from portal.causes import Cause
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, STANDALONE_IDS
from tests.live import wait_until

MANAGEMENT = Caller(account_id=MANAGEMENT_ID)
MEMBER = PAGE_ACCOUNT_ID
WISH = ContactDetails(
    "Zoë Müller ", " Head of  Cloud", "  Secret.Person+ops@example.com ", " +1 (202) 555-0100"
)


@pytest.fixture(autouse=True)
def no_quotas(sandbox):
    sandbox.switch(quota_scale=0)


@pytest.fixture
def pages():
    """The operations for which a token was taken."""
    return []


def meet_anew(sandbox) -> None:
    """New clients, which have asked whose credentials they hold; an empty log."""
    aws.forget_clients()
    read()
    sandbox.aws.log.clear()


def attempts(sandbox, operation: str) -> int:
    return len(sandbox.log(operation=operation))


def test_a_written_contact_is_read_as_aws_keeps_it(sandbox):
    receipt = aws.put_alternate_contact(MANAGEMENT, "BILLING", WISH, MEMBER)
    reading = aws.get_alternate_contact(MANAGEMENT, "BILLING", MEMBER)
    assert reading.details == aws.as_aws_keeps(WISH) == replace(WISH, email=WISH.email.strip())
    logged = {attempt["request_id"] for attempt in sandbox.log()}
    assert {receipt.aws_request_id, reading.aws_request_id} <= logged


def test_same_contact_forgives_only_what_aws_forgives():
    assert aws.same_contact(WISH, replace(WISH, email=WISH.email.strip()))
    assert not aws.same_contact(WISH, replace(WISH, name=WISH.name.strip()))
    assert not aws.same_contact(WISH, replace(WISH, email=WISH.email.lower()))
    assert aws.same_contact(None, None)
    assert not aws.same_contact(WISH, None)


def test_a_second_delete_says_that_it_was_absent(sandbox):
    aws.put_alternate_contact(MANAGEMENT, "SECURITY", WISH, MEMBER)
    receipts = [aws.delete_alternate_contact(MANAGEMENT, "SECURITY", MEMBER) for _ in range(2)]
    assert [receipt.was_absent for receipt in receipts] == [False, True]
    assert all(receipt.aws_request_id for receipt in receipts)
    reading = aws.get_alternate_contact(MANAGEMENT, "SECURITY", MEMBER)
    assert isinstance(reading, Reading)
    assert reading.details is None


def test_without_an_account_id_the_caller_itself_is_meant(sandbox):
    aws.put_alternate_contact(MANAGEMENT, "BILLING", WISH, None)
    assert sandbox.contact(MANAGEMENT_ID, "BILLING")["name"] == WISH.name
    assert sandbox.log(operation="PutAlternateContact")[0]["target"] == MANAGEMENT_ID


def test_who_we_are_and_what_the_organization_is(sandbox, pages):
    assert aws.who_am_i(MANAGEMENT) == Identity(
        "aws", MANAGEMENT_ID, f"arn:aws:iam::{MANAGEMENT_ID}:user/portal"
    )
    organization = aws_organizations.describe_organization(MANAGEMENT, pages.append)
    assert organization == OrganizationFacts("o-nw7k2d9x4b", MANAGEMENT_ID, "ALL")
    assert aws_organizations.trusted_access_is_on(MANAGEMENT, pages.append) is True
    assert aws_organizations.delegated_administrators(MANAGEMENT, pages.append) == []
    sandbox.switch(trusted_access=False)
    assert aws_organizations.trusted_access_is_on(MANAGEMENT, pages.append) is False
    sandbox.switch(trusted_access=True, delegated_admin=MEMBER)
    assert aws_organizations.delegated_administrators(MANAGEMENT, pages.append) == [MEMBER]


def as_account(sandbox, monkeypatch, account_id: str) -> Caller:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", sandbox.env(account_id)["AWS_ACCESS_KEY_ID"])
    aws.forget_clients()
    return Caller(account_id=account_id)


def test_a_member_may_not_ask_who_administers(sandbox, monkeypatch, pages):
    member = as_account(sandbox, monkeypatch, MEMBER)
    assert (
        aws_organizations.describe_organization(member, pages.append).management_account_id == MANAGEMENT_ID
    )
    assert aws_organizations.trusted_access_is_on(member, pages.append) is None
    assert aws_organizations.delegated_administrators(member, pages.append) is None
    with pytest.raises(aws.Refused) as caught:
        list(aws_organizations.list_accounts(member, pages.append))
    assert caught.value.cause == Cause.NOT_ALLOWED


def test_an_account_outside_has_no_organization(sandbox, monkeypatch, pages):
    alone = as_account(sandbox, monkeypatch, STANDALONE_IDS[0])
    assert aws_organizations.describe_organization(alone, pages.append) is None
    with pytest.raises(aws.Refused) as caught:
        aws_organizations.list_roots(alone, pages.append)
    assert caught.value.cause == Cause.NO_ORGANIZATION


def walk(take) -> dict[str, aws_organizations.AccountFacts]:
    """All accounts by the tree."""
    found, units = {}, aws_organizations.list_roots(MANAGEMENT, take)
    while units:
        unit = units.pop()
        found |= {a.aws_id: a for a in aws_organizations.list_accounts_for_parent(MANAGEMENT, unit, take)}
        units += aws_organizations.list_units(MANAGEMENT, unit, take)
    return found


@pytest.mark.parametrize("empty_pages", [0, 0.5])
def test_every_account_comes_once_with_its_unit_and_each_page_takes_a_token(sandbox, pages, empty_pages):
    sandbox.switch(empty_pages=empty_pages)
    accounts = list(aws_organizations.list_accounts(MANAGEMENT, pages.append))
    assert {account.aws_id for account in accounts} == set(sandbox.world.accounts) - set(STANDALONE_IDS)
    assert len(accounts) == len({account.aws_id for account in accounts})
    assert pages == ["ListAccounts"] * attempts(sandbox, "ListAccounts")
    assert {account.aws_id: account for account in accounts} == walk(pages.append)


def test_the_tree_tells_the_unit_where_paths_are_missing(sandbox, pages):
    with_paths = {a.aws_id: a.unit_path for a in aws_organizations.list_accounts(MANAGEMENT, pages.append)}
    sandbox.switch(omit_paths=True)
    assert {a.unit_path for a in aws_organizations.list_accounts(MANAGEMENT, pages.append)} == {""}
    assert {account_id: a.unit_path for account_id, a in walk(pages.append).items()} == with_paths


def test_the_state_is_state_else_status_else_unknown(sandbox, pages):
    def states():
        return {a.state for a in aws_organizations.list_accounts(MANAGEMENT, pages.append)}

    sandbox.set_account(MEMBER, state="CLOSED")
    assert states() == {"ACTIVE", "CLOSED"}
    sandbox.switch(omit_state=True, omit_status=False)
    assert states() == {"ACTIVE", "SUSPENDED"}
    sandbox.switch(omit_status=True)
    assert states() == {"UNKNOWN"}


# Answers that do not come


def read():
    return aws.get_alternate_contact(MANAGEMENT, "BILLING", MEMBER)


def put():
    return aws.put_alternate_contact(MANAGEMENT, "BILLING", WISH, MEMBER)


def delete():
    return aws.delete_alternate_contact(MANAGEMENT, "BILLING", MEMBER)


@pytest.mark.parametrize(
    ("faults", "took_effect"),
    [({"drop_after": 1}, True), ({"drop_before": 1}, False), ({"outage": "hang"}, False)],
    ids=["dropped after", "dropped before", "hung"],
)
def test_a_write_without_an_answer_is_open_and_is_sent_once(sandbox, settings, faults, took_effect):
    settings.AWS_READ_TIMEOUT = 0.3
    meet_anew(sandbox)
    sandbox.switch(**faults)
    for write in (put, delete):
        with pytest.raises(OutcomeUnknown) as caught:
            write()
        assert not caught.value.answered
        assert caught.value.operation == f"{write.__name__.title()}AlternateContact"
    sandbox.switch(drop_after=0, drop_before=0, outage=None)
    wait_until(lambda: len(sandbox.log()) >= 2, "both attempts are in the log")
    assert attempts(sandbox, "PutAlternateContact") == attempts(sandbox, "DeleteAlternateContact") == 1
    assert (sandbox.contact(MEMBER, "BILLING") is None) == took_effect


@pytest.mark.parametrize("faults", [{"drop_before": 1}, {"outage": "hang"}, {"outage": "unavailable"}])
def test_a_read_without_an_answer_may_be_tried_later(sandbox, settings, faults):
    settings.AWS_READ_TIMEOUT = 0.3
    meet_anew(sandbox)
    sandbox.switch(**faults)
    with pytest.raises(Unavailable) as caught:
        read()
    assert caught.value.cause == Cause.UNAVAILABLE
    sandbox.switch(outage=None)
    wait_until(sandbox.log, "the attempt is in the log")
    assert attempts(sandbox, "GetAlternateContact") == 1


def test_a_500_leaves_a_write_open_but_answered(sandbox):
    meet_anew(sandbox)
    sandbox.switch(error_rate=1)
    for write in (put, delete):
        with pytest.raises(OutcomeUnknown) as caught:
            write()
        assert caught.value.answered
    assert len(sandbox.log()) == 2


def test_where_nobody_listens_nothing_was_sent(sandbox, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        aws.forget_clients()
        for call in (read, put, delete):
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.cause == Cause.UNAVAILABLE


def test_the_endpoint_of_one_service_may_be_set_apart(sandbox, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ACCOUNT", sandbox.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sandbox.url)
    aws.forget_clients()
    assert read().details


def test_a_run_full_of_errors_logs_ids_and_no_contact(sandbox, settings, caplog):
    settings.AWS_READ_TIMEOUT = 0.3
    aws.forget_clients()
    caplog.set_level(logging.DEBUG)
    wishes = [
        WISH,
        replace(WISH, phone="Secret phone 0100"),
        replace(WISH, email="Secret e-mail"),
        replace(WISH, name="Secret name " * 9),
        replace(WISH, title=""),
    ]
    errors = []
    for faults in ({}, {"error_rate": 1}, {"drop_before": 1}, {"drop_after": 1}, {"outage": "hang"}):
        sandbox.switch(**{"error_rate": 0, "drop_before": 0, "drop_after": 0, "outage": None} | faults)
        for wish in wishes:
            try:
                aws.put_alternate_contact(MANAGEMENT, "BILLING", wish, MEMBER)
                aws.get_alternate_contact(MANAGEMENT, "BILLING", MEMBER)
            except aws.AwsError as error:
                logging.getLogger("test").exception("it failed")
                errors.append(error)
    assert {error.cause for error in errors} >= {Cause.INVALID, Cause.OUTCOME_UNKNOWN, Cause.UNEXPECTED}
    for secret in ("Zoë", "Head of", "Secret", "example.com", "555"):
        assert secret not in caplog.text
    ids = {error.aws_request_id for error in errors if error.aws_request_id}
    assert ids
    assert all(aws_request_id in caplog.text for aws_request_id in ids)
