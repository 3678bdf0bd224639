"""Looks at every page, and at the account list and Django admin's changelist in turns; prints JSON.

`python -m benchmarks.scale.looks` runs with the settings of this package. Both lists are asked through
Django's test client, in one process: routing, middleware, queries and templates, and no network.
"""

import json
import time
from urllib.parse import urlencode

import django

django.setup()

from django.test import Client  # noqa: E402 - needs the set-up
from django.test.utils import setup_test_environment  # noqa: E402

from benchmarks.scale.names import (  # noqa: E402
    ADMIN,
    LIVE,
    LOCAL_READER,
    LOOKS,
    OWNER,
    PAGE_LOOKS,
    PAGES,
    READER,
    SEARCHES,
)
from contacts.models import ChangeSet  # noqa: E402
from orgs.models import Account, Organization, OrganizationalUnit  # noqa: E402
from portal.models import User  # noqa: E402


def main() -> None:
    """Every look once for nothing, so that each is warm."""
    reader, local, admin = (_client(name) for name in (READER, LOCAL_READER, ADMIN))
    ours: list[float] = []
    theirs: list[float] = []
    scoped: list[float] = []
    for look in range(-1, LOOKS):
        for search in SEARCHES:
            mine, peers = _list_address(search), _changelist_address(search)
            found = [_look(reader, mine), _look(admin, peers), _look(local, mine)]
            if look >= 0:
                for seconds, one in zip((ours, theirs, scoped), found, strict=True):
                    seconds.append(one)
    places = _places()
    pages = {name: _looks(reader, address.format(**places)) for name, address in (PAGES | LIVE).items()}
    setup_test_environment()  # from here on answers tell their context, which costs time
    rows = {
        search: (_rows_of(reader, _list_address(search)), _rows_of(admin, _changelist_address(search)))
        for search in SEARCHES
    }
    print(json.dumps({"ours": ours, "theirs": theirs, "scoped": scoped, "rows": rows, "pages": pages}))


def _client(username: str) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username=username), "django.contrib.auth.backends.ModelBackend")
    return client


def _look(client: Client, address: str) -> float:
    """Seconds until the whole page was there."""
    started = time.perf_counter()
    answer = client.get(address)
    seconds = time.perf_counter() - started
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    return seconds


def _looks(client: Client, address: str) -> dict[str, float]:
    """Seconds of each look but the first, and how long the page is."""
    length = len(client.get(address).content)
    return {"seconds": [_look(client, address) for _ in range(PAGE_LOOKS)], "bytes": length}


def _list_address(search: str) -> str:
    return "/accounts/?" + urlencode({"q": search, "state": "ACTIVE", "organization": OWNER})


def _changelist_address(search: str) -> str:
    owner = Organization.objects.get(aws_id=OWNER)
    query = {"q": search, "state__exact": "ACTIVE", "organization__id__exact": owner.pk}
    return "/admin/orgs/account/?" + urlencode(query)


def _rows_of(client: Client, address: str) -> int:
    """How many rows the list has found: both must find the same."""
    context = client.get(address).context
    return context["paginator"].count if "paginator" in context else context["cl"].result_count


def _places() -> dict[str, str]:
    division = OrganizationalUnit.objects.filter(organization__aws_id=OWNER, parent__parent=None)[1]
    account = Account.objects.filter(unit__path__startswith=division.path, left_at=None, state="ACTIVE")[7]
    change_set = ChangeSet.objects.earliest("pk")
    return {
        "owner": OWNER,
        "division": division.aws_id,
        "account": account.aws_id,
        "change_set": str(change_set.pk),
    }


if __name__ == "__main__":
    main()
