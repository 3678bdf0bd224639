"""What every command shares: exit codes, --as, --json, and a progress bar on a terminal."""

import json
import os
import sys
import time
from argparse import ArgumentParser
from contextlib import nullcontext
from typing import Any, TextIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import OperationalError, ProgrammingError

from portal.aws import AwsError
from portal.embedded import database_at_hand, redis_at_hand
from portal.models import User
from portal.services import ServiceMissing

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def failed(text: str) -> CommandError:
    """The error of a command that could not do all it was asked to: exit code 1."""
    return CommandError(text, returncode=FAILED)


def wrong_usage(text: str) -> CommandError:
    """The error of a command that was asked something impossible: exit code 2."""
    return CommandError(text, returncode=WRONG_USAGE)


class PortalCommand(BaseCommand):
    """A command whose work() raises what the rooms raise; exit 0 done, 1 failed, 2 wrong usage."""

    uses_redis = True  # for the quota of AWS

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            database_at_hand()
            with redis_at_hand() if self.uses_redis else nullcontext():
                self.work(options)
        except (ServiceMissing, OperationalError, ProgrammingError) as error:
            problem = str(error).strip().splitlines()[0]
            raise failed(
                f"{problem}. Is the database migrated (manage.py migrate), and Redis there?"
            ) from error
        except ValidationError as error:
            raise wrong_usage(sentences(error)) from error
        except PermissionDenied as error:
            raise failed(str(error) or "This is not allowed.") from error
        except AwsError as error:
            raise failed(f"{error} {error.cause.remedy}") from error
        except BrokenPipeError:  # whoever read along has seen enough; there is nothing left to flush into
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from error

    def work(self, options: dict[str, Any]) -> None:
        """What the command does."""
        raise NotImplementedError

    def answer(self, options: dict[str, Any], facts: Any, text: str) -> None:
        """Print facts as JSON where --json was given, else the text."""
        self.stdout.write(json.dumps(facts, indent=2, default=str) if options["json"] else text)

    def progress(self, what: str, total: int | None = None) -> "Progress":
        """A bar on stderr; silent where stderr is no terminal."""
        return Progress(self.stderr, what, total)


def add_json(parser: ArgumentParser) -> None:
    """--json: the answer as JSON on stdout."""
    parser.add_argument("--json", action="store_true", help="Print the answer as JSON.")


def add_person(parser: ArgumentParser, *, required: bool = True) -> None:
    """--as USER: the command obeys this person's rights and is written to their name in the audit."""
    parser.add_argument(
        "--as",
        dest="as_user",
        metavar="USER",
        required=required,
        help="User name of the person who does this; their rights apply.",
    )


def person_of(options: dict[str, Any]) -> User | None:
    """The active person that --as names, or None without --as; anybody else is wrong usage."""
    name = options.get("as_user")
    return person_named(name) if name else None


def person_named(name: str) -> User:
    """The active person of this user name; anybody else is wrong usage."""
    user = User.objects.filter(username=name).first()
    if user is None:
        raise wrong_usage(f"There is no user “{name}”. Give the user name of a person who signs in here.")
    if not user.is_active:
        raise wrong_usage(f"The user “{name}” is deactivated. Give the name of an active one.")
    return user


def sentences(error: ValidationError) -> str:
    """All messages of a ValidationError in one line, each with its field."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        f"{field}: {message}" if field != "__all__" else message
        for field, messages in error.message_dict.items()
        for message in messages
    )


class Progress:
    """A bar with count, rate and time left; a plain counter where the total is not known."""

    WIDTH = 30

    def __init__(self, stream: OutputWrapper | TextIO, what: str, total: int | None = None) -> None:
        self.stream, self.what, self.total = stream, what, total
        self.done = 0
        self.started = self.drawn = time.monotonic()
        self.is_visible = stream.isatty()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.is_visible:
            self._draw()
            self._write("\n")

    def step(self, count: int = 1) -> None:
        """Count some more as done; drawn ten times a second at most."""
        self.done += count
        if self.is_visible and time.monotonic() - self.drawn >= 0.1:
            self._draw()

    def _draw(self) -> None:
        self.drawn = time.monotonic()
        rate = self.done / max(self.drawn - self.started, 0.001)
        if self.total is None:
            self._write(f"\r{self.what} {self.done:,} ({rate:.1f}/s)\x1b[K")
            return
        filled = self.WIDTH * self.done // max(self.total, 1)
        left = (self.total - self.done) / rate if rate else 0
        bar = "█" * filled + "·" * (self.WIDTH - filled)
        self._write(
            f"\r{self.what} {bar} {self.done:,}/{self.total:,} ({rate:.1f}/s, {left:.0f} s left)\x1b[K"
        )

    def _write(self, text: str) -> None:
        if isinstance(self.stream, OutputWrapper):
            self.stream.write(text, str, ending="")  # str: no red, although this is stderr
        else:
            self.stream.write(text)
        self.stream.flush()
