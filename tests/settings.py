"""Settings for tests: nothing of this machine's .env or AWS profile, and all files in a temporary place."""

import os

from tests.directory import TEST_DIR

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "PORTAL_ENV_FILE": os.devnull,
    "PORTAL_VAR": str(TEST_DIR),
    "SECRET_KEY": "only-for-tests-" + "x" * 40,
    "DEBUG": "false",
    "AUDIT_ANCHOR_FILE": "",  # one file for all tests would speak of chains that are gone
    "HTTPS": "false",
    # Tests of these two rules put them in force; clients of all others sign in by no page.
    "CONFIRM_MINUTES": "0",
    "SECOND_FACTOR_ROLES": "",
    "REDIS_URL": f"unix://{TEST_DIR}/redis.sock",
    # No test can reach the real AWS by mistake: these point nowhere until the sandbox fixture sets them.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "SANDBOX111111111111",
    "AWS_SECRET_ACCESS_KEY": "sandbox",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # Playwright's own loop runs in the thread of the test.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
if os.environ.get("TEST_DATABASE", "sqlite") == "postgres":
    os.environ["DATABASE_URL"] = os.environ.get(
        "TEST_POSTGRES_URL", f"postgres://postgres@/{TEST_DIR}/postgres/socket/portal"
    )
else:
    os.environ["DATABASE_URL"] = f"sqlite:///{TEST_DIR}/portal.sqlite3"

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATABASES, STORAGES  # noqa: E402

if os.environ.get("TEST_DATABASE", "sqlite") != "postgres":
    # A file, not memory: threads and processes of a test share it as they do in production.
    DATABASES["default"]["TEST"] = {"NAME": str(TEST_DIR / "test.sqlite3")}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["tests.hashers.QuickArgon2"]
