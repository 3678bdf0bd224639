"""Anchors: the head of the chain leaves the database, and comes back as evidence."""

import json
import logging
import re
import threading
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.checks import run_checks

from audit.anchors import Anchor, NotAnchors, anchor_head, read_anchors
from audit.seals import get_head, seal_pending
from audit.tasks import write_anchor
from portal.celery import app
from portal.logs import LineFormatter
from tests.audit.writing import write

pytestmark = pytest.mark.django_db

told: list[Anchor] = []


def keep_elsewhere(anchor: Anchor) -> None:
    """A hook."""
    told.append(anchor)


def fail(anchor: Anchor) -> None:
    """A hook whose place is not there."""
    raise ConnectionError("no such place")


@pytest.fixture
def file(settings, tmp_path: Path) -> Path:
    """Where the portal of this test keeps its anchors, in a directory that is still to be made."""
    told.clear()
    settings.AUDIT_ANCHOR_FILE = str(tmp_path / "var" / "anchors.jsonl")
    settings.AUDIT_ANCHOR_HOOKS = [f"{__name__}.fail", f"{__name__}.keep_elsewhere"]
    return Path(settings.AUDIT_ANCHOR_FILE)


@pytest.fixture
def sealed(db: None) -> None:
    write(3)
    seal_pending()


def test_the_head_goes_to_every_place(sealed, file, caplog):
    with caplog.at_level(logging.INFO, "audit.anchor"):
        anchor = anchor_head()
    head = get_head()
    assert (anchor.seq, anchor.hash) == (head.seq, head.hash) == (3, head.hash)
    assert json.loads(file.read_text()) == {
        "at": re.sub(r"\.\d+\+00:00", "Z", anchor.at.isoformat()),
        "seq": 3,
        "hash": head.hash,
    }
    assert file.stat().st_mode & 0o777 == 0o600
    assert told == [anchor]
    assert f"The anchor of seal 3 could not be written to {__name__}.fail".lower() in caplog.text.lower()
    # A line of the log is an anchor as well.
    record = next(record for record in caplog.records if record.levelno == logging.INFO)
    record.request = " [abc]"
    file.write_text(LineFormatter().format(record) + "\n")
    assert [anchor.seq for anchor in read_anchors(file)] == [3]


def test_a_head_that_stands_still_is_anchored_once_and_again_when_redis_forgot(sealed, file):
    assert anchor_head()
    assert anchor_head() is None
    cache.clear()
    assert anchor_head()
    write()
    seal_pending()
    write_anchor()
    assert [anchor.seq for anchor in read_anchors(file)] == [3, 3, 4]


def test_an_empty_chain_has_no_anchor(file):
    assert anchor_head() is None
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_tried_again(sealed, file, caplog):
    file.mkdir(parents=True)
    assert anchor_head()
    assert "could not be written" in caplog.text
    assert told  # the others have it all the same
    file.rmdir()
    assert anchor_head()
    assert [anchor.seq for anchor in read_anchors(file)] == [3]


def test_no_file_and_no_hook_leave_the_log(sealed, settings):
    settings.AUDIT_ANCHOR_FILE, settings.AUDIT_ANCHOR_HOOKS = "", []
    assert anchor_head()
    assert anchor_head() is None


def test_a_hook_that_hangs_holds_up_no_other_anchor(sealed, file, settings, caplog, monkeypatch):
    busy = threading.Lock()
    busy.acquire()
    monkeypatch.setattr("audit.anchors._telling", busy)
    assert anchor_head()
    assert "still busy" in caplog.text
    assert (told, len(list(read_anchors(file)))) == ([], 1)


def test_beat_leaves_time_for_one_that_is_lost():
    entry = app.conf.beat_schedule["anchor-audit-head"]
    assert (entry["task"], entry["schedule"] <= 30) == (write_anchor.name, True)


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "{}",
        '{"at": "noon", "seq": 1, "hash": "f"}',
        '{"at": "2026-11-24T03:15:00Z", "seq": 1}',
        "[",
    ],
)
def test_what_is_no_anchor_is_named_by_its_line(tmp_path, line):
    good = '{"at": "2026-11-24T03:15:00Z", "seq": 1, "hash": "f"}'
    (tmp_path / "anchors").write_text(f"{good}\n\n{line}\n")
    anchors = read_anchors(tmp_path / "anchors")
    assert next(anchors).seq == 1
    with pytest.raises(NotAnchors, match="Line 3 of"):
        next(anchors)


@pytest.mark.parametrize("hook", ["nowhere.at_all", f"{__name__}.told", "fail"])
def test_a_hook_that_is_none_is_refused_at_start(settings, hook):
    settings.AUDIT_ANCHOR_HOOKS = [hook, f"{__name__}.fail"]
    assert [message.id for message in run_checks()] == ["audit.E001"]
