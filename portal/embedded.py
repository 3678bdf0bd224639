"""The parts of an installation on one machine, and what they need before they start."""

import contextlib
import hashlib
import io
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from portal.celery import app as celery
from portal.environment import text
from portal.installation import hold, make_private
from portal.services import ServiceMissing, redis_command, redis_problem, wait_for_redis
from portal.supervisor import Part, Supervisor

HOST = "127.0.0.1"
BEHIND = ["nice", "-n", "10"]  # on one machine, pages and people's edits go before all else


def redis_part() -> Part:
    """The Redis-protocol server on settings.REDIS_URL, with its data in var/redis."""
    listens = Path(settings.REDIS_URL.removeprefix("unix://"))
    make_private(listens.parent)
    data = settings.VAR_DIR / "redis"
    data.mkdir(exist_ok=True)
    # Its advice on overcommit is for servers with gigabytes to fork.
    return Part("redis", redis_command(listens, data), hidden="overcommit")


@contextlib.contextmanager
def redis_at_hand() -> Iterator[None]:
    """Redis for a command typed where no `up` runs and REDIS_URL is not set; it ends with the command."""
    if text("REDIS_URL") or not redis_problem(settings.REDIS_URL):
        yield
        return
    supervisor = Supervisor(io.StringIO())  # what it says matters only to those who keep it running
    try:
        with hold(settings.VAR_DIR):
            part = supervisor.start(redis_part())
            wait_for_redis(settings.REDIS_URL, lambda: part.is_running)
            yield
    finally:
        supervisor.stop()


def database_at_hand() -> None:
    """Make the database in var/ for a command typed before all else; an older one is left to `migrate`."""
    if not text("DATABASE_URL") and not Path(settings.DATABASES["default"]["NAME"]).exists():
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        migrate()


def sandbox_part(port: int) -> Part:
    """The local AWS, with its data in var/sandbox."""
    state = settings.VAR_DIR / "sandbox"
    state.mkdir(exist_ok=True)
    return Part("sandbox", [*_python("sandbox"), "--port", str(port), "--state", str(state / "world.json")])


def portal_parts(port: int, var: Path) -> Iterator[Part]:
    """Web, workers and beat."""
    web = ["portal.wsgi", "--bind", f"{HOST}:{port}", "--worker-class", "gthread", "--threads", "8"]
    yield Part("web", [*_python("gunicorn"), *web, "--no-control-socket", "--log-level", "warning"])
    celery = [*_python("celery"), "--quiet", "--app", "portal"]
    worker = [*celery, "worker", "--concurrency", "8", "--without-mingle", "--without-gossip"]
    yield Part("people", [*worker, "--queues", "people", "--hostname", "people@%h"])
    yield Part("bulk", [*BEHIND, *worker, "--queues", "bulk,reading,upkeep", "--hostname", "bulk@%h"])
    yield Part("beat", [*BEHIND, *celery, "beat", "--schedule", str(var / "beat-schedule")])


def sandbox_port() -> int:
    """The port of the last time while it is free, so that what was noted about the sandbox stays true."""
    note = settings.VAR_DIR / "sandbox.port"
    kept = int(note.read_text()) if note.exists() else 0
    port = kept if kept and is_free(kept) else free_port()
    note.write_text(str(port))
    return port


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def wait_for_port(port: int, part: Part, seconds: float = 20) -> None:
    """Return when the part listens; raise ServiceMissing when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while is_free(port):
        if not part.is_running or time.monotonic() > deadline:
            raise ServiceMissing("\n".join([f"{part.name} did not start:", *part.last_lines]))
        time.sleep(0.05)


def wait_for_health(url: str, seconds: float = 120) -> bool:
    """Return whether the portal answered in time that all is well."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return True
        except OSError:
            time.sleep(0.1)
    return False


def migrate() -> None:
    """Bring the database up to date; what was done is told only when something was."""
    call_command("migrate", interactive=False, verbosity=0)


def collect_static_files() -> None:
    """Copy, name and compress the static files, unless that was done for the very same ones."""
    note = settings.VAR_DIR / "static-files.state"
    state = _static_files_state()
    if note.exists() and note.read_text() == state and settings.STATIC_ROOT.exists():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    note.write_text(state)


def look_at_once() -> None:
    """Do the first round of the schedule now; beat would begin after one interval."""
    for entry in celery.conf.beat_schedule.values():
        celery.send_task(entry["task"], **entry["options"])


def _static_files_state() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def free_port() -> int:
    """A port of the loopback address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]
