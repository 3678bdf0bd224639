"""A field in which somebody types an id or a name, and chooses from what was found; works without scripts."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse_lazy
from django.utils.safestring import SafeString, mark_safe

from orgs.finding import SHOWN, Finder, Found

PICK = "_pick"


class FindWidget(forms.TextInput):
    """A text box, and below it what may be meant: one hit, or some to choose from."""

    def __init__(self, finder: Finder, attrs: dict[str, Any] | None = None) -> None:
        url = reverse_lazy("orgs:find", args=[finder.kind])
        target = f"#found-{finder.kind}"
        live = {
            "hx-get": url,
            "hx-trigger": "input changed delay:250ms",
            "hx-target": target,
            "hx-sync": "this:replace",
        }
        super().__init__({"autocomplete": "off", "spellcheck": "false", **live, **(attrs or {})})
        self.finder = finder

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """What was chosen below the box counts more than what was typed to find it."""
        return data.get(f"{name}{PICK}") or data.get(name)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        box = super().render(name, value, attrs, renderer)
        text = str(value or "").replace("\0", "").strip()  # which PostgreSQL cannot look for
        below = render_to_string("orgs/_found.html", found_context(self.finder, text, name))
        return mark_safe(f'{box}<div id="found-{self.finder.kind}">{below}</div>')  # noqa: S308 - both are templates'


class FindField(forms.CharField):
    """Cleans to the thing that is meant, or None where nothing was typed."""

    def __init__(self, finder: Finder, **options: Any) -> None:
        super().__init__(widget=FindWidget(finder), max_length=200, **options)
        self.finder = finder

    def clean(self, value: Any) -> Any:
        text = (super().clean(value) or "").strip()
        return self.finder.meant(text) if text else None


def found_context(finder: Finder, text: str, name: str) -> dict[str, Any]:
    """What stands below the box while this text is in it."""
    thing = finder.get(text) if text else None
    hit = finder.found_of(thing) if thing is not None else None
    found: list[Found] = list(finder.all_found(text)) if text and hit is None else []
    return {
        "text": text,
        "hit": hit,
        "found": found,
        "name": f"{name}{PICK}",
        "shown": SHOWN,
    }
