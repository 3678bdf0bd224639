"""A NUL in an address, which PostgreSQL cannot hold, is a bad request and no error of ours."""

import pytest
from django.urls import reverse

from tests.contacts.scene import LEDGER, as_person


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/%00/",
        "/organizations/%00/",
        f"/accounts/{LEDGER}/contacts/SECURITY/?copy_from=%00:BILLING",
        f"/accounts/{LEDGER}/contacts/SECURITY/copy/?q=%00",
        f"{reverse('contacts:account_export')}?x=%00",
    ],
)
def test_nul(scene, alice, address):
    assert as_person(alice).get(address).status_code == 400
