"""Anchors: the head of the chain, kept where the owner of the database cannot reach it.

Seals alone cannot tell when somebody cuts off the end of the chain or computes all of it anew; a later chain
that no longer holds an anchor can.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.cache import cache
from django.utils import timezone
from django.utils.module_loading import import_string

from audit.seals import get_head

logger = logging.getLogger("audit.anchor")

LAST = "audit:last-anchor"  # the hash that was anchored last; who loses it only writes one anchor twice
_telling = threading.Lock()


class NotAnchors(ValueError):
    """A file holds a line that is no anchor; the text says which."""


@dataclass(frozen=True)
class Anchor:
    """The head of the chain at one moment."""

    at: datetime
    seq: int
    hash: str

    @property
    def line(self) -> str:
        """The anchor as one line of JSON."""
        return json.dumps({"at": _iso(self.at), "seq": self.seq, "hash": self.hash})

    @property
    def words(self) -> str:
        """The anchor as a sentence names it."""
        return f"the anchor of {_iso(self.at)} (seal {self.seq})"


def anchor_head() -> Anchor | None:
    """Write the head to all places outside the database; None when it stands where it stood.

    Called twice as often as an anchor has to be written. A place that fails is logged and keeps no other from
    its anchor; what was written before a crash is written again.
    """
    head = get_head()
    if not head.seq or cache.get(LAST) == head.hash:
        return None
    anchor = Anchor(timezone.now(), head.seq, head.hash)
    logger.info("anchor %s", anchor.line)
    if _try(_append, anchor):
        cache.set(LAST, head.hash, timeout=None)
    _tell_hooks(anchor)
    return anchor


def read_anchors(path: Path | str) -> Iterator[Anchor]:
    """The anchors of a file, one after another; lines of the log may stand there as they are.

    Raises NotAnchors at a line that is none, and OSError when the file cannot be read.
    """
    with Path(path).open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _parse(line, f"Line {number} of {path}")


def kept_anchors() -> Iterator[Anchor] | None:
    """The anchors of this installation's own file; None where it keeps none."""
    path = settings.AUDIT_ANCHOR_FILE
    return read_anchors(path) if path and Path(path).exists() else None


def check_hooks(**_: Any) -> list[checks.CheckMessage]:
    """System check: every hook of the settings is there and can be called."""
    return [
        checks.Error(
            f"AUDIT_ANCHOR_HOOKS names “{path}”, which is no function that can be imported.",
            hint="Write module.function, with commas between several.",
            id="audit.E001",
        )
        for path in settings.AUDIT_ANCHOR_HOOKS
        if not _is_hook(path)
    ]


def _is_hook(path: str) -> bool:
    try:
        return callable(import_string(path))
    except ImportError:
        return False


def _append(anchor: Anchor) -> None:
    """One write at the end of the file, whoever else writes there, and down to the disk."""
    if not settings.AUDIT_ANCHOR_FILE:
        return
    Path(settings.AUDIT_ANCHOR_FILE).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    file = os.open(settings.AUDIT_ANCHOR_FILE, flags, mode=0o600)
    try:
        os.write(file, f"{anchor.line}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)


def _tell_hooks(anchor: Anchor) -> None:
    """Hooks that hang hold one thread of a worker, and not one more with every anchor."""
    hooks: Sequence[str] = settings.AUDIT_ANCHOR_HOOKS
    if not hooks:
        return
    if not _telling.acquire(blocking=False):
        logger.error("the hooks are still busy with an earlier anchor and are not told of %s", anchor.seq)
        return
    try:
        for path in hooks:
            _try(_call, anchor, path)
    finally:
        _telling.release()


def _call(anchor: Anchor, path: str) -> None:
    import_string(path)(anchor)


def _try(place: Callable[..., None], anchor: Anchor, *names: str) -> bool:
    """Whether it worked. A hook is foreign code, and a disk may be full: the other places are still told."""
    try:
        place(anchor, *names)
    except Exception:
        where = names[0] if names else settings.AUDIT_ANCHOR_FILE
        logger.exception("the anchor of seal %s could not be written to %s", anchor.seq, where)
        return False
    return True


def _parse(line: str, place: str) -> Anchor:
    try:
        facts, _ = json.JSONDecoder().raw_decode(line, line.index("{"))
        return Anchor(datetime.fromisoformat(facts["at"]), int(facts["seq"]), str(facts["hash"]))
    except (ValueError, KeyError, TypeError) as error:
        raise NotAnchors(
            f"{place} is no anchor. Write one a line, as in the portal’s own file of anchors."
        ) from error


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
