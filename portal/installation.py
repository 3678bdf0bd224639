"""The installation in var/ that `manage.py up` runs: one at a time, and found by commands typed beside it."""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import IO

# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_LIMIT = 100
DEMO_SIGN_INS = "demo_sign_ins.txt"
# The settings of ours that begin like boto3's.
OWN_AWS_SETTINGS = {
    "AWS_SANDBOX",
    "AWS_QUOTA_SHARE",
    "AWS_CONNECT_TIMEOUT",
    "AWS_READ_TIMEOUT",
    "AWS_READ_LAG",
}


class AlreadyUp(Exception):
    """Another `up` runs on the same directory."""


def hold(var: Path) -> IO[str]:
    """Take the directory for this process; the file that is returned keeps it until it is closed."""
    var.mkdir(parents=True, exist_ok=True)
    var.chmod(0o700)  # contacts, keys and sign-ins lie in it
    file = (var / "up.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise AlreadyUp(f"The portal in {var} is already up. Stop it first, or set PORTAL_VAR.") from error
    return file


def announce_sandbox(file: IO[str], url: str) -> None:
    """Leave the sandbox's address ("": none) where running_sandbox() finds it."""
    file.truncate(0)
    file.write(url)
    file.flush()


def running_sandbox(var: Path) -> str | None:
    """The sandbox's address of the `up` that runs here; "" when it uses the real AWS, None without one."""
    try:
        with (var / "up.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (var / "up.lock").read_text()
    except OSError:
        pass
    return None


def enter_sandbox(url: str) -> None:
    """Point boto3 at the sandbox and be its company; credentials of the real AWS stay outside."""
    for name in [name for name in os.environ if name.startswith("AWS_") and name not in OWN_AWS_SETTINGS]:
        del os.environ[name]
    os.environ |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "SANDBOX111111111111",
        "AWS_SECRET_ACCESS_KEY": "any-secret-will-do",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    os.environ.setdefault("COMPANY_NAME", "Northwind Bank")
    os.environ.setdefault("COMPANY_EMAIL_DOMAINS", "northwind.example")


def socket_path(var: Path) -> Path:
    """Where Redis listens: in var/, or in a short directory where that path is too long for a socket."""
    path = var / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    return Path("/tmp") / f"portal-{os.getuid()}-{name}" / "redis.sock"  # noqa: S108 - made private below


def make_private(directory: Path) -> None:
    """Make a directory that only we can enter; refuse one that somebody else has put there."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    facts = directory.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise PermissionError(
            f"{directory} must belong to you alone (chmod 700), because Redis listens in it."
        )
