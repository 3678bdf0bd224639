"""What no database can hold, a NUL in an address or an endless id in a form, is no error of ours."""

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


@pytest.mark.parametrize("ticked", [f"{10**25}@1:0", "-1@1:0", "x@1:0", "1@x", "@", ""])
def test_a_tick_that_no_list_has(scene, alice, ticked):
    form = {"way": "adopt", "reason": "Seen.", "drift": ticked}
    answer = as_person(alice).post(reverse("contacts:drift_decide"), form, follow=True)
    assert "0 adopted." in answer.text
