"""Reads the environment strictly: .env beside manage.py, *_FILE secrets, and clear words about nonsense."""

import contextlib
import os
import secrets
from email.utils import parseaddr
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from portal.hours import WorkingHours
from portal.installation import enter_sandbox, running_sandbox

env = environ.FileAwareEnv()
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465, "consolemail": 25}  # +tls is STARTTLS


def read_dotenv(base: Path) -> None:
    """Fill gaps of the environment from .env."""
    env.read_env(os.environ.get("PORTAL_ENV_FILE", str(base / ".env")))


def join_running(var: Path) -> None:
    """Beside a running `manage.py up`, belong to it: keep its key, and take its sandbox for AWS."""
    sandbox = running_sandbox(var)
    if sandbox is None:
        return
    os.environ.setdefault("EMBEDDED", "true")
    if sandbox and flag("AWS_SANDBOX", True):
        enter_sandbox(sandbox)


def text(name: str, default: str = "") -> str:
    """A setting, or the content of the file that NAME_FILE names.

    Not env.str(): that takes a value which begins with $ for the name of another variable.
    """
    try:
        return str(env.ENVIRON.get(name, default)).strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from error


def flag(name: str, default: bool) -> bool:
    """A yes-or-no setting; anything but true or false is refused."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"true", "1", "yes", "on"}:
        return True
    if value in {"false", "0", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is “{value}”. Use true or false.")


def number(name: str, default: float, *, low: float, high: float) -> float:
    """A number within bounds; anything else is refused."""
    value = text(name) or str(default)
    with contextlib.suppress(ValueError):
        result = float(value)
        if low <= result <= high:
            return result
    raise ImproperlyConfigured(f"{name} is “{value}”. Use a number from {low:g} to {high:g}.")


def words(name: str, default: str = "") -> list[str]:
    """A list with commas between its members."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, allowed: set[str]) -> str:
    """One of a few words, in capitals; anything else is refused."""
    value = (text(name) or default).upper()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is “{value}”. Use one of {', '.join(sorted(allowed))}.")
    return value


def working_hours(name: str, default: str) -> WorkingHours:
    """Days, times and zone; anything else is refused."""
    value = text(name) or default
    try:
        return WorkingHours.parse(value)
    except (ValueError, KeyError, OSError) as error:  # the last two: there is no such zone
        raise ImproperlyConfigured(f"{name} is “{value}”. Use: Mon-Fri 07:00-19:00 Europe/London.") from error


def database(default: str) -> dict:
    """DATABASE_URL in Django's form; SQLite and PostgreSQL are what the portal is tested on.

    DATABASE_PASSWORD may stand apart, because a password in a file is seldom percent-encoded.
    """
    address = text("DATABASE_URL") or default
    if address.partition("://")[0] not in {"sqlite", "postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL is no address of a database. Use postgres:// or sqlite:///.")
    try:
        config = environ.Env.db_url_config(address)
    except ValueError as error:  # the address may hold a password, so it is not repeated
        raise ImproperlyConfigured("DATABASE_URL cannot be read. Percent-encode its password.") from error
    if password := text("DATABASE_PASSWORD"):
        config["PASSWORD"] = password
    return config


def mail_server(default: str) -> dict:
    """EMAIL_URL in Django's form: an SMTP server, or the console. EMAIL_PASSWORD may stand apart.

    smtps:// is refused: half of the world takes it for STARTTLS, the other half for TLS from the first byte.
    """
    address = text("EMAIL_URL") or default
    scheme = address.partition("://")[0]
    if scheme not in MAIL_PORTS:
        allowed = ", ".join(f"{name}://" for name in MAIL_PORTS)
        raise ImproperlyConfigured(f"EMAIL_URL is no address of a mail server. Use one of {allowed}.")
    try:
        config = environ.Env.email_url_config(address)
    except ValueError as error:  # the address may hold a password, so it is not repeated
        raise ImproperlyConfigured("EMAIL_URL cannot be read. Percent-encode its password.") from error
    if not config["EMAIL_HOST"] and scheme != "consolemail":
        raise ImproperlyConfigured("EMAIL_URL names no host. Use smtp+tls://user:password@host:587.")
    return config | {
        "EMAIL_PORT": config["EMAIL_PORT"] or MAIL_PORTS[scheme],
        "EMAIL_HOST_PASSWORD": text("EMAIL_PASSWORD") or config["EMAIL_HOST_PASSWORD"] or "",
        "EMAIL_USE_TLS": scheme == "smtp+tls",
        "EMAIL_USE_SSL": scheme == "smtp+ssl",
    }


def mail_address(name: str, default: str) -> str:
    """An address, or a name and an address, that a mail can come from; anything else is refused."""
    value = text(name) or default
    address = parseaddr(value)[1]
    if not address.partition("@")[2] or any(ord(letter) < 32 for letter in value):
        raise ImproperlyConfigured(f"{name} is “{value}”. Use an address: Contacts <contacts@example.com>.")
    return value


def redis_address(name: str, default: str) -> str:
    """The address of a Redis-protocol server; anything else is refused."""
    address = text(name) or default
    if address.partition("://")[0] not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(f"{name} is no address of Redis. Use redis://, rediss:// or unix://.")
    return address


def secret_key(kept_in: Path | None) -> str:
    """SECRET_KEY, SECRET_KEY_FILE, or the key kept in a file of ours; a short or missing one is refused."""
    key = text("SECRET_KEY")
    if not key and kept_in:
        key = _kept_key(kept_in)
    if len(key) < 32:
        raise ImproperlyConfigured(
            "SECRET_KEY is missing or shorter than 32 characters. Set SECRET_KEY or SECRET_KEY_FILE."
        )
    return key


def _kept_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()
