"""Rules that every template keeps: its context is named, nothing is inline, and its icons exist."""

import re
from pathlib import Path

import pytest

from portal.templatetags.looks import CONTACT_TYPE_ICONS, EVENT_LOOKS, LOOKS, PLAIN_EVENT

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SPRITE = (ROOT / "static/vendor/icons.svg").read_text()
ICONS = set(re.findall(r'<symbol id="([a-z0-9-]+)"', SPRITE))
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\ssrc=)(?![^>]*application/json)", re.I)
ICON_NAMES = re.compile(r"""(?:\{% icon |\bicon=)["']([a-z0-9-]+)["']""")


def named(path: Path) -> str:
    return path.relative_to(ROOT / "templates").as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_a_template_names_its_context_first(path: Path):
    assert path.read_text().startswith("{# context: ")


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_nothing_is_inline(path: Path):
    assert not INLINE.search(path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_form_that_posts_has_a_token(path: Path):
    for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.S):
        assert "{% csrf_token %}" in form or "{% crispy" in form


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_what_posts_is_not_included_without_its_token(path: Path):
    """With "only" a template knows nothing of the page around it, and its token would be empty."""
    for name in re.findall(r'\{% include "([^"]+)"[^%]* only %\}', path.read_text()):
        assert "{% csrf_token %}" not in (ROOT / "templates" / name).read_text(), name


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_icon_is_in_the_sprite(path: Path):
    assert set(ICON_NAMES.findall(path.read_text())) <= ICONS


def test_every_icon_of_a_look_is_in_the_sprite():
    looks = [*LOOKS.values(), *EVENT_LOOKS.values(), PLAIN_EVENT]
    assert {look.icon for look in looks} | set(CONTACT_TYPE_ICONS.values()) <= ICONS


def test_the_sprite_holds_nothing_that_is_used_nowhere():
    sources = [path.read_text() for path in TEMPLATES]
    rooms = ("portal", "orgs", "contacts")
    sources += [path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py")]
    unused = {icon for icon in ICONS if not any(f'"{icon}"' in text for text in sources)}
    assert not unused


@pytest.mark.parametrize("path", sorted((ROOT / "static").rglob("*.*")), ids=lambda path: path.name)
def test_static_files_refer_to_no_file_that_is_missing(path: Path):
    if path.suffix in {".css", ".js"}:
        assert "sourceMappingURL" not in path.read_text()
