"""A company of 100,000 accounts in the database alone, with its people and what happened in a year.

`python -m benchmarks.scale.scene` runs in the environment of the measured portal, on PostgreSQL; prints JSON.
"""

import json
import secrets
import time
from pathlib import Path

import django

django.setup()

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret  # noqa: E402 - needs the set-up
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from audit.context import command_context  # noqa: E402
from benchmarks.scale.names import ADMIN, LOCAL_READER, OWNER, READER  # noqa: E402
from orgs.grants import give_grant  # noqa: E402
from orgs.models import Organization, OrganizationalUnit, Role, Standing  # noqa: E402
from orgs.people import create_user  # noqa: E402
from portal.models import User  # noqa: E402

OWNERS = {OWNER: "Northwind Bank", "o-small00002": "Southwind Insurance"}
COLLEAGUES = 200
TABLES = Path(__file__).with_name("scene.sql")


def main() -> None:
    """Make all of it; the indexes are as migrations leave them."""
    started = time.perf_counter()
    _make_people()
    for number, (aws_id, name) in enumerate(OWNERS.items()):
        _make_organization(aws_id, name, f"{100_000_000_000 + number}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'")
        text_indexes = dict(cursor.fetchall())
        for name in text_indexes:  # much faster after the rows than with each of them
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(TABLES.read_text())
        for definition in text_indexes.values():
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE")
    division = OrganizationalUnit.objects.filter(organization__aws_id=OWNER, parent__parent=None)[1]
    local = User.objects.get(username=LOCAL_READER)
    give_grant(local, Role.VIEWER, place=division, context=command_context())
    print(json.dumps({"seconds": time.perf_counter() - started}))


def _make_people() -> None:
    """Those who look, and colleagues in whose names the rest was done; these cannot sign in."""
    for name, roles in ((READER, [Role.ADMINISTRATOR]), (LOCAL_READER, [])):
        create_user(name, password=secrets.token_urlsafe(20), roles=roles, context=command_context())
    User.objects.create_superuser(ADMIN, password=secrets.token_urlsafe(20))
    for user in User.objects.filter(username__in=[READER, ADMIN]):
        TOTP.activate(user, generate_totp_secret())  # their roles open no page without a second step
    User.objects.bulk_create(
        User(username=f"person-{number:03d}", first_name="Person", last_name=f"{number:03d}")
        for number in range(COLLEAGUES)
    )


def _make_organization(aws_id: str, name: str, management: str) -> None:
    Organization.objects.create(
        aws_id=aws_id,
        name=name,
        management_account_id=management,
        caller_account_id=management,
        standing=Standing.MANAGEMENT,
        feature_set="ALL",
        trusted_access=True,
        observed_at=timezone.now(),
        tried_at=timezone.now(),
    )


if __name__ == "__main__":
    main()
