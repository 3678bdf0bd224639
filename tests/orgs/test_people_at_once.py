"""Two administrators who remove each other at the same moment: one of them remains."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from audit.context import Context, Source
from orgs.grants import administrators, end_grant, give_grant
from orgs.models import Role
from portal.models import User
from tests.conftest import person


@pytest.mark.django_db(transaction=True)
def test_an_administrator_remains():
    erin, alice = person("erin"), person("alice")
    give_grant(alice, Role.ADMINISTRATOR, context=Context(actor=erin, source=Source.PAGE))
    start = Barrier(2)

    def remove(actor_pk: int, user_pk: int) -> bool:
        actor, user = User.objects.get(pk=actor_pk), User.objects.get(pk=user_pk)
        start.wait(timeout=10)
        try:
            grant = user.grants.get(role=Role.ADMINISTRATOR)
            end_grant(grant, context=Context(actor=actor, source=Source.PAGE))
        except (ValidationError, PermissionDenied):  # whoever comes second
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(remove, (erin.pk, alice.pk), (alice.pk, erin.pk)))

    assert sorted(outcomes) == [False, True]
    assert administrators().count() == 1
