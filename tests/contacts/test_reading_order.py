"""Whom the rolling read takes first, and that nobody at the head of the line keeps the others waiting."""

import pytest

from contacts.observation import MANY_FAILURES, read_accounts
from orgs.models import Organization
from orgs.reading import due_accounts
from portal import aws
from portal.causes import Cause
from portal.quota import Lane

pytestmark = pytest.mark.django_db


def test_accounts_that_aws_always_answers_oddly_do_not_keep_the_others_from_being_read(
    organization: Organization, monkeypatch
):
    odd = {account.aws_id for account in due_accounts()[: MANY_FAILURES + 2]}
    ask = aws.get_alternate_contact

    def ask_and_wonder(caller, contact_type, account_id):
        if account_id in odd:
            raise aws.Refused(Cause.UNEXPECTED)
        return ask(caller, contact_type, account_id)

    monkeypatch.setattr("portal.aws.get_alternate_contact", ask_and_wonder)

    read_accounts(list(due_accounts()), lane=Lane.PERSON)

    assert not due_accounts().exists(), "each was asked, and the odd ones are not first in line again"
    unread = organization.accounts.filter(contacts__problem=Cause.NOT_READ_YET)
    assert not unread.exists()
