"""What all tests stand on: a real Redis-protocol server, a database, the sandbox, and the cast."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from sandbox.testing import Sandbox
from tests import chromium
from tests.directory import TEST_DIR
from tests.live import LivePortal
from tests.postgres import Postgres
from tests.valkey import Valkey

PASSWORD = "correct horse battery staple"
CAST = {
    "alice": "Editor",
    "bob": "Viewer",
    "carol": "",
    "dana": "Auditor",
    "erin": "Administrator",
    "frank": "Approver",
    "hank": "Helpdesk",
}
ON_POSTGRES = os.environ.get("TEST_DATABASE", "sqlite") == "postgres"
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "database_url"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """PostgreSQL's run takes what touches the database; SQLite's all that is not for PostgreSQL alone."""
    wanted = [item for item in items if _belongs_to_this_run(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(wanted)])
    items[:] = wanted


def pytest_unconfigure() -> None:
    """The processes of pytest-xdist end without atexit, so what they leave is cleared here."""
    shutil.rmtree(TEST_DIR, ignore_errors=True)


def _belongs_to_this_run(item: pytest.Item) -> bool:
    if not ON_POSTGRES:
        return item.get_closest_marker("postgres") is None
    return item.get_closest_marker("sqlite") is None and _touches_database(item)


def _touches_database(item: pytest.Item) -> bool:
    from django.test import TransactionTestCase

    case = getattr(item, "cls", None)
    return bool(
        item.get_closest_marker("postgres")
        or item.get_closest_marker("django_db")
        or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ()))
        or (case and issubclass(case, TransactionTestCase))
    )


# Services


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    """A real Redis-protocol server of this test run, at settings.REDIS_URL."""
    server = Valkey(TEST_DIR)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_url(shared_valkey: Valkey) -> str:
    """Where it answers."""
    return shared_valkey.url


@pytest.fixture
def redis_client(redis_url: str):
    """A client of that server."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture(autouse=True)
def _empty_redis(request: pytest.FixtureRequest) -> None:
    """No test sees another's queues, rate limits or buckets."""
    if request.config.pluginmanager.has_plugin("django") and _touches_database(request.node):
        request.getfixturevalue("redis_client").flushall()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Says that PostgreSQL stands: TEST_POSTGRES_URL's, or one started here."""
    if "TEST_POSTGRES_URL" in os.environ:
        yield os.environ["TEST_POSTGRES_URL"]
        return
    server = Postgres(TEST_DIR / "postgres")
    server.start()
    yield server.url("portal")
    server.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """pytest-django asks for this before it makes the test database."""
    if ON_POSTGRES:
        request.getfixturevalue("postgres_server")


@pytest.fixture(scope="session", autouse=True)
def _flush_lifts_audit_triggers() -> Iterator[None]:
    """Transactional tests end with a flush, which the audit refuses; post_migrate restores its triggers."""
    from django.core.management.commands.flush import Command

    flush = Command.handle

    def lift_and_flush(self: Command, **options):
        from audit import triggers

        triggers.uninstall()
        return flush(self, **options)

    Command.handle = lift_and_flush
    yield
    Command.handle = flush


# The local AWS


@pytest.fixture
def world_size() -> int:
    """How many accounts the local AWS has; modules that need more put their own in its place."""
    return 30


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, world_size: int) -> Iterator[Sandbox]:
    """A local AWS; boto3 in this process talks to it."""
    from portal import aws

    with Sandbox(accounts=world_size) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        aws.forget_clients()
        yield server
    aws.forget_clients()


# Real processes


@pytest.fixture
def database_url(transactional_db: None) -> str:
    """The address of this run's test database, for other processes; the test itself sees the same rows."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory whose path is short enough for a unix socket in it."""
    path = Path(tempfile.mkdtemp(prefix="portal-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def valkey(short_directory: Path) -> Iterator[Valkey]:
    """A Redis-protocol server of this test alone, which may be killed."""
    server = Valkey(short_directory)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def static_root() -> Path:
    """The static files as production serves them: named by content and compressed."""
    from django.core.management import call_command
    from django.test import override_settings

    storage = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    with override_settings(STATIC_ROOT=TEST_DIR / "static", STORAGES={"staticfiles": storage}):
        call_command("collectstatic", interactive=False, verbosity=0)
    return TEST_DIR / "static"


@pytest.fixture
def live_portal(
    database_url: str, valkey: Valkey, sandbox: Sandbox, static_root: Path, short_directory: Path
) -> Iterator[Callable[..., LivePortal]]:
    """Makes portals of real processes on this run's database: live_portal(DELIVERY_LEASE=2).start()."""
    portals = []

    def make(**settings: Any) -> LivePortal:
        directory = short_directory / f"portal-{len(portals)}"
        directory.mkdir()
        portals.append(
            LivePortal(
                database_url, valkey.url, sandbox, directory=directory, STATIC_ROOT=static_root, **settings
            )
        )
        return portals[-1]

    yield make
    for portal in portals:
        portal.stop()


# The company's sign-in


@pytest.fixture(scope="session")
def provider_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An OpenID Connect provider of its own process; portals at any port of localhost may use it."""
    from tests.identity_provider.running import RunningProvider

    server = RunningProvider(tmp_path_factory.mktemp("provider"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def provider(provider_process: Any, settings: Any) -> Any:
    """The provider, known to the portal of this process; nobody has changed a claim yet."""
    provider_process.begin_anew()
    settings.IDENTITY_PROVIDER = provider_process.configured()
    settings.SOCIALACCOUNT_PROVIDERS = settings.IDENTITY_PROVIDER.library_settings
    return provider_process


# The browser


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """pytest-playwright starts the Chromium of this machine, which asks nobody outside for anything."""
    quiet = ["background-networking", "component-update", "sync"]
    return {
        **browser_type_launch_args,
        "executable_path": chromium.find(),
        "args": [*(f"--disable-{name}" for name in quiet), "--no-first-run"],
    }


# What there is


def queries_of(call: Callable[[], object]) -> int:
    """How many queries a call takes, the first of its kind in this process aside."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    call()
    with CaptureQueriesContext(connection) as queries:
        call()
    return len(queries)


@pytest.fixture
def scene(db):
    """A small organization in the database alone."""
    from tests.contacts.scene import Scene

    return Scene()


# The cast


def person(name: str):
    """One of the cast, made on first call; the password is PASSWORD."""
    from django.contrib.auth import get_user_model

    from orgs.models import AccessGrant

    user, created = get_user_model().objects.get_or_create(
        username=name, defaults={"first_name": name.title()}
    )
    if created:
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
        if CAST[name]:
            AccessGrant.objects.create(person=user, role=CAST[name])
    return user


@pytest.fixture
def alice(db):
    """Editor."""
    return person("alice")


@pytest.fixture
def bob(db):
    """Viewer."""
    return person("bob")


@pytest.fixture
def carol(db):
    """Has no role."""
    return person("carol")


@pytest.fixture
def dana(db):
    """Auditor."""
    return person("dana")


@pytest.fixture
def erin(db):
    """Administrator."""
    return person("erin")


@pytest.fixture
def frank(db):
    """Approver."""
    return person("frank")


@pytest.fixture
def hank(db):
    """Helpdesk."""
    return person("hank")


@pytest.fixture
def cast(db) -> dict:
    """Everybody, by name."""
    return {name: person(name) for name in CAST}
