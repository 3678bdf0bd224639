"""Settings: what makes no sense is refused at start in one line, and .env.example names them all."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import ROOT

KEY = "k" * 50
# Set by `manage.py up` for its parts, by the tests, and by Django's own convention: not for people.
NOT_FOR_PEOPLE = {"EMBEDDED", "PORTAL_ENV_FILE", "DJANGO_SETTINGS_MODULE"}


def show(expression: str, directory: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """What a process with just these settings takes them for."""
    program = f"from django.conf import settings; print({expression})"
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_ENV_FILE": os.devnull,
        "PORTAL_VAR": str(directory),
        "SECRET_KEY": KEY,
    }
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env=environment | settings, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"SECRET_KEY": "", "DATABASE_URL": "postgres://h/d"},
            "SECRET_KEY is missing or shorter than 32 characters.",
        ),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is missing or shorter than 32 characters."),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE cannot be read"),
        ({"DEBUG": "maybe"}, "DEBUG is “maybe”. Use true or false."),
        ({"HTTPS": "2"}, "HTTPS is “2”. Use true or false."),
        ({"AWS_QUOTA_SHARE": "1.5"}, "AWS_QUOTA_SHARE is “1.5”. Use a number from 0.01 to 1."),
        ({"AWS_QUOTA_SHARE": "all"}, "AWS_QUOTA_SHARE is “all”."),
        ({"AWS_QUOTA_SHARE": "nan"}, "AWS_QUOTA_SHARE is “nan”."),
        ({"CONTACT_FRESHNESS": "-1"}, "CONTACT_FRESHNESS is “-1”."),
        ({"TRUSTED_PROXY_COUNT": "11"}, "TRUSTED_PROXY_COUNT is “11”."),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is “LOUD”. Use one of DEBUG, ERROR, INFO, WARNING."),
        ({"DATABASE_URL": "mysql://u:secret@h/d"}, "DATABASE_URL is no address of a database."),
        ({"DATABASE_URL": "portal.sqlite3"}, "DATABASE_URL is no address of a database."),
        ({"DATABASE_URL": "postgres://u:se:cret@h:port/d"}, "DATABASE_URL cannot be read."),
        ({"EMAIL_URL": "smtps://u:secret@h"}, "EMAIL_URL is no address of a mail server."),
        ({"EMAIL_URL": "smtp+tls://u:se:cret@h:port"}, "EMAIL_URL cannot be read."),
        ({"EMAIL_URL": "smtp://:25"}, "EMAIL_URL names no host."),
        ({"MAIL_FROM": "Contacts"}, "MAIL_FROM is “Contacts”. Use an address"),
        ({"DELIVERY_LEASE": "30"}, "DELIVERY_LEASE is “30”. Use a number from 40 to 3600."),
        (
            {"REDIS_URL": "valkey://h"},
            "REDIS_URL is no address of Redis. Use redis://, rediss:// or unix://.",
        ),
        (
            {"WORKING_HOURS": "Mon-Fri 07:00-19:00 Europe"},
            "WORKING_HOURS is “Mon-Fri 07:00-19:00 Europe”. Use: Mon-Fri 07:00-19:00 Europe/London.",
        ),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, settings: dict, words: str):
    answer = show("settings.DEBUG", tmp_path, **settings)
    assert answer.returncode != 0
    last_line = answer.stderr.strip().splitlines()[-1]
    assert words in last_line
    assert "secret" not in last_line
    assert "se:cret" not in last_line


@pytest.mark.parametrize(
    ("expression", "settings", "value"),
    [
        ("settings.DEBUG", {}, "False"),
        ("settings.HTTPS, settings.SESSION_COOKIE_SECURE", {}, "True True"),
        ("settings.ALLOWED_HOSTS", {"ALLOWED_HOSTS": " a.example, b.example,"}, "['a.example', 'b.example']"),
        ("settings.SECRET_KEY", {"SECRET_KEY": "$" + KEY}, "$" + KEY),
        ("settings.AWS_SANDBOX, settings.EMBEDDED", {}, "False False"),
        ("settings.DELIVERY_LEASE", {"AWS_READ_TIMEOUT": "25"}, "90.0"),
        ("settings.CELERY_BROKER_URL", {"REDIS_URL": "unix:///run/r.sock"}, "redis+socket:///run/r.sock"),
        (
            "settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS, settings.EMAIL_HOST_PASSWORD",
            {"EMAIL_URL": "smtp+tls://u@mail.example", "EMAIL_PASSWORD": "p@ss"},
            "mail.example 587 True p@ss",
        ),
        (
            "settings.DEFAULT_FROM_EMAIL, settings.PORTAL_URL",
            {"ALLOWED_HOSTS": "contacts.example.com"},
            "portal@contacts.example.com https://contacts.example.com",
        ),
        (
            "sorted(settings.WORKING_HOURS.days), settings.WORKING_HOURS.zone.key",
            {"WORKING_HOURS": "Sun,Tue-Thu 08:00-16:30 Asia/Dubai"},
            "[2, 3, 4, 7] Asia/Dubai",
        ),
        ("settings.COMPANY_EMAIL_DOMAINS", {"COMPANY_EMAIL_DOMAINS": "Example.COM"}, "['example.com']"),
        (
            "settings.DATABASES['default']['PASSWORD']",
            {"DATABASE_URL": "postgres://portal@db/portal", "DATABASE_PASSWORD": "p@ss/word%"},
            "p@ss/word%",
        ),
    ],
)
def test_sense_is_taken(tmp_path: Path, expression: str, settings: dict, value: str):
    answer = show(f"*({expression},)", tmp_path, **settings)
    assert answer.stdout.strip() in {value, value.replace(" ", ", ")}, answer.stderr


def test_secrets_may_lie_in_files_that_end_with_a_newline(tmp_path: Path):
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "url").write_text("postgres://portal:p@db:5433/portal\n")
    files = {"SECRET_KEY_FILE": str(tmp_path / "key"), "DATABASE_URL_FILE": str(tmp_path / "url")}
    answer = show(
        "settings.SECRET_KEY, settings.DATABASES['default']['NAME']", tmp_path, SECRET_KEY="", **files
    )
    assert answer.stdout.split() == [KEY, "portal"]


def test_one_machine_keeps_a_key_of_its_own(tmp_path: Path):
    first, second = (show("settings.SECRET_KEY", tmp_path, SECRET_KEY="").stdout for _ in range(2))
    assert first == second == (tmp_path / "secret_key").read_text() + "\n"
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_the_environment_wins_over_dotenv(tmp_path: Path):
    (tmp_path / "dotenv").write_text("COMPANY_NAME=From the file\nLOG_LEVEL=ERROR\n")
    own = {"PORTAL_ENV_FILE": str(tmp_path / "dotenv"), "LOG_LEVEL": "WARNING"}
    answer = show("settings.COMPANY_NAME, settings.LOG_LEVEL", tmp_path, **own)
    assert answer.stdout.strip() == "From the file WARNING"


def test_a_long_directory_does_not_make_the_socket_too_long(tmp_path: Path):
    deep = tmp_path / ("d" * 120)
    answer = show("settings.REDIS_URL", deep)
    assert len(answer.stdout.strip().removeprefix("unix://")) < 100


def test_dotenv_example_names_every_setting():
    named = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = set()
    for path in (ROOT / "portal").rglob("*.py"):
        text = path.read_text()
        read |= set(
            re.findall(
                r'\b(?:text|flag|number|words|choice|redis_address|mail_address|working_hours)\(\s*"([A-Z_]+)"',
                text,
            )
        )
        read |= set(re.findall(r'os\.environ(?:\.get\(|\.setdefault\(|\[)"([A-Z_]+)"', text))
        read |= {"DATABASE_URL"} if 'text("DATABASE_URL")' in text else set()
    assert named == read - NOT_FOR_PEOPLE


def test_ready_for_production(tmp_path: Path):
    answer = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PORTAL_ENV_FILE": os.devnull,
            "PORTAL_VAR": str(tmp_path),
            "SECRET_KEY": "".join(chr(33 + number) for number in range(60)),
            "ALLOWED_HOSTS": "portal.example",
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
