"""What the tests of organizations share: the demo organization, connected."""

import pytest
from django.contrib.auth.models import Group

from audit.context import Context, command_context
from audit.models import AuditEvent
from orgs.connecting import connect_organization
from orgs.discovery import discover
from orgs.grants import add_member, remove_member
from orgs.models import Organization
from portal.models import User
from sandbox.testing import Sandbox


@pytest.fixture
def unhurried(sandbox: Sandbox, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The local AWS without quotas, and ours without waiting: test_pace.py has the real ones."""
    monkeypatch.setattr("portal.quota.take", lambda *args, **kwargs: None)
    sandbox.switch(quota_scale=0)
    return sandbox


@pytest.fixture
def organization(db, unhurried: Sandbox) -> Organization:
    """Connected with the management account's credentials; not discovered yet."""
    return connect_organization(context=command_context())


@pytest.fixture
def discovered(organization: Organization) -> Organization:
    """Connected and discovered once."""
    discover(organization, context=command_context())
    return organization


def set_members(group: Group, people: list[User], *, context: Context) -> None:
    """Let these people, and nobody else, be in the group."""
    for person in people:
        add_member(group, person, context=context)
    for person in group.user_set.exclude(pk__in=[person.pk for person in people]):
        remove_member(group, person, context=context)


def events_of(*actions: str) -> list[AuditEvent]:
    """The events of these actions, oldest first."""
    return list(AuditEvent.objects.filter(action__in=actions).order_by("pk"))
