"""What templates of every room share: icons, states, account ids, times, bars and page numbers."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.core.paginator import Page
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.templatetags.looks import CONTACT_TYPE_ICONS, Look, look_of, look_of_event

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400
BAR_GAP = 0.35  # percent of a coverage bar between two parts, so that parts differ without colour


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """{% icon "copy" %}: an icon from the sprite. It is never alone: words stand beside it."""
    return format_html(
        '<svg class="i{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        f" {extra}" if extra else "",
        static("vendor/icons.svg"),
        name,
    )


@register.inclusion_tag("_account_id.html")
def account_id(value: str, show: bool = False) -> dict[str, Any]:
    """{% account_id account.aws_id %}: twelve digits in groups of four that copy on a click."""
    return {"account_id": value, "show": show}


@register.filter
def state_look(state: object) -> Look:
    """The look of a state: {{ contact.status|state_look }} has family, icon and words."""
    return look_of(state)


@register.filter
def event_look(action: object) -> Look:
    """The look of an audit event, by its action."""
    return look_of_event(action)


@register.filter
def type_icon(contact_type: str) -> str:
    """The icon's name for a contact type."""
    return CONTACT_TYPE_ICONS[contact_type]


@register.filter
def initials(label: str) -> str:
    """The one or two letters in the round mark of a person."""
    words = label.split() or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.simple_tag
def when(moment: datetime | None, never: str = "never") -> SafeString | str:
    """{% when change.requested_at %}: relative words; the exact UTC time is in the title."""
    if moment is None:
        return never
    return _time(moment, relative_words(moment, timezone.now()))


@register.simple_tag
def at(moment: datetime | None, never: str = "never") -> SafeString | str:
    """{% at event.at %}: date and time to the second in the reader's zone; exact UTC in the title."""
    if moment is None:
        return never
    return _time(moment, date_format(timezone.localtime(moment), "j M Y, H:i:s"))


@register.simple_tag
def day(moment: datetime | None, never: str = "never") -> SafeString | str:
    """{% day grant.ends_at "no end" %}: the last whole day where it ends with one; exact UTC in the title."""
    if moment is None:
        return never
    return _time(moment, date_format(timezone.localtime(moment) - timedelta(seconds=1), "j M Y"))


def _time(moment: datetime, words: str) -> SafeString:
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.strftime("%Y-%m-%dT%H:%M:%SZ"),
        exact.strftime("%Y-%m-%d %H:%M:%S UTC"),
        words,
    )


def relative_words(moment: datetime, now: datetime) -> str:
    """“now”, “20 s ago”, “4 min ago”, “3 h ago”, “5 days ago”, then the date in the reader's zone.

    What is to come is told in hours for three days: “in 2 days” for 71 hours would take a day away.
    """
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return f"in {_span(-seconds, hours_until=3 * DAY)}" if seconds < -5 else "now"
    if seconds < 5:
        return "now"
    if seconds < 7 * DAY:
        return f"{_span(seconds)} ago"
    local = timezone.localtime(moment)
    return date_format(local, "j M" if local.year == timezone.localtime(now).year else "j M Y")


def _span(seconds: float, hours_until: float = DAY) -> str:
    if seconds < MINUTE:
        return f"{int(seconds)} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    if seconds < hours_until:
        return f"{int(seconds // HOUR)} h"
    days = int(seconds // DAY)
    return f"{days} day{'' if days == 1 else 's'}"


@register.inclusion_tag("_covbar.html")
def covbar(label: str, extra: str = "", **counts: int) -> dict[str, Any]:
    """{% covbar "12 set, 3 not set" set=12 absent=3 unknown=0 %}: a bar; the label says it in words."""
    return {"label": label, "extra": extra, "parts": list(_bar_parts(counts))}


def _bar_parts(counts: dict[str, int]) -> Iterable[dict[str, str]]:
    whole = sum(counts.values())
    start = 0.0
    for family, count in counts.items():
        if not count:
            continue
        width = 100 * count / whole
        yield {"family": family, "x": f"{start:.2f}%", "width": f"{max(width - BAR_GAP, BAR_GAP):.2f}%"}
        start += width


@register.simple_tag
def page_numbers(page: Page) -> list[int | str]:
    """{% page_numbers page_obj as numbers %}: the first, the last and those around; gaps are “…”."""
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))
