"""An account list with ids that are none: a sentence, never an error page."""

import pytest
from django.urls import reverse

from tests.contacts.scene import LEDGER, as_person

ODD = [
    "abc",
    "",
    "1" * 13,
    f"{LEDGER}\n",
    "١٢٣٤٥٦٧٨٩٠١٢",
    "<script>",
    "'; --",
    "%0d%0aX: y",
    "https://x.example/",
]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize(
    "name",
    [
        "contacts:account_list",
        "contacts:account_export",
        "contacts:bulk_start",
        "contacts:bulk_set",
        "contacts:bulk_template",
    ],
)
def test_odd_ids_are_no_error(scene, alice, name, value):
    client = as_person(alice)
    client.raise_request_exception = False
    for query in (
        {"id": value},
        {"id": [LEDGER, value]},
        {"id": value, "q": value, "unit": value, "organization": value, "sort": value, "page": value},
    ):
        answer = client.get(reverse(name), query)
        assert answer.status_code in (200, 302, 400, 403, 404), (query, answer.status_code)
