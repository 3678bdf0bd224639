"""Times on pages: relative words, the exact UTC in the title, and the reader's zone for dates."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)


def shown(tag: str, moment: datetime | None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return Template("{% load portal_tags %}{% " + tag + " moment %}").render(Context({"moment": moment}))


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-2), "now"),
        (timedelta(seconds=-90), "in 1 min"),
        (timedelta(hours=-71, minutes=-59), "in 71 h"),
        (timedelta(days=-3), "in 3 days"),
        (timedelta(seconds=4), "now"),
        (timedelta(seconds=20), "20 s ago"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=7), "16 Nov"),
        (timedelta(days=365), "23 Nov 2025"),
    ],
)
def test_how_long_ago(ago, words, monkeypatch):
    assert f">{words}</time>" in shown("when", NOW - ago, monkeypatch)


def test_never_is_a_word(monkeypatch):
    assert shown("when", None, monkeypatch) == "never"


@pytest.mark.parametrize("tag", ["when", "at"])
def test_the_exact_time_is_utc_whatever_the_zone(tag, monkeypatch):
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        text = shown(tag, NOW, monkeypatch)
    assert 'datetime="2026-11-23T23:30:00Z" title="2026-11-23 23:30:00 UTC"' in text


def test_a_date_is_the_readers(monkeypatch):
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert ">24 Nov 2026, 08:30:00</time>" in shown("at", NOW, monkeypatch)
