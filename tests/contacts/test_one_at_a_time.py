"""Of one contact one wish waits and one is on its way: the database itself refuses a second one."""

import pytest
from django.db import IntegrityError, transaction

from contacts.models import ChangeStatus

pytestmark = pytest.mark.django_db

WAITS = [ChangeStatus.WAITING, ChangeStatus.QUEUED]
FLIES = [ChangeStatus.SENDING, ChangeStatus.UNCONFIRMED]


@pytest.mark.parametrize("first", ChangeStatus)
@pytest.mark.parametrize("second", ChangeStatus)
def test_a_second_one_is_refused(scene, alice, first, second):
    scene.change(alice, scene.ledger, status=first)
    clash = any({first, second} <= set(states) for states in (WAITS, FLIES))
    if not clash:
        scene.change(alice, scene.ledger, status=second)
        return
    with pytest.raises(IntegrityError), transaction.atomic():
        scene.change(alice, scene.ledger, status=second)


@pytest.mark.parametrize("states", [WAITS, FLIES])
def test_other_contacts_do_not_mind(scene, alice, states):
    for contact_type in ("BILLING", "OPERATIONS", "SECURITY"):
        scene.change(alice, scene.ledger, contact_type, status=states[0])
