"""Reading one account because a person asked for it."""

from contextlib import suppress

from django.core.cache import cache

from audit.context import Context
from audit.log import record
from audit.models import Action
from contacts.delivery import BROKER_ERRORS
from contacts.events import account_facts
from contacts.observation import Outcome, read_account
from orgs.access import Right, require_can
from orgs.models import Account
from portal import aws
from portal.causes import Cause
from portal.celery import app
from portal.quota import Lane

CHECK_SECONDS = 60


def request_check(account: Account, *, context: Context) -> None:
    """Have a worker read this account now. Raises PermissionDenied, and Unavailable when Redis is away."""
    require_can(context.actor, Right.CHECK, account)
    try:
        if cache.add(_check_mark(account), 1, timeout=CHECK_SECONDS):
            app.send_task("contacts.check_account", args=[account.pk], queue="people", retry=False)
            record(Action.CONTACTS_CHECKED, context, **account_facts(account))
    except BROKER_ERRORS as error:
        with suppress(*BROKER_ERRORS):  # or the page would wait for what nobody does
            cache.delete(_check_mark(account))
        raise aws.Unavailable(Cause.NO_QUOTA) from error


def is_being_checked(account: Account) -> bool:
    """Whether somebody asked for a check that did not end yet."""
    try:
        return cache.get(_check_mark(account)) is not None
    except BROKER_ERRORS:
        return False


def check_account(account: Account) -> Outcome:
    """What a worker does for request_check()."""
    try:
        return read_account(account, lane=Lane.CHECK)
    finally:
        cache.delete(_check_mark(account))


def _check_mark(account: Account) -> str:
    return f"check:{account.pk}"
