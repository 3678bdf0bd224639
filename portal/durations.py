"""Spans of time in words."""

import math

MINUTE, HOUR = 60, 3600


def about(seconds: float) -> str:
    """Such as "about 35 seconds" or "about 2 hours 10 minutes": rounded up, never sharper than it is."""
    if seconds <= 0:
        return "no time"
    if seconds <= 10:
        return f"about {many(math.ceil(seconds), 'second')}"
    if seconds <= 90:
        return f"about {many(_up(seconds, 5), 'second')}"
    if seconds < HOUR:
        return f"about {many(_up(seconds, MINUTE) // MINUTE, 'minute')}"
    hours, rest = divmod(_up(seconds, 10 * MINUTE), HOUR)
    minutes = f" {rest // MINUTE} minutes" if rest else ""
    return f"about {many(hours, 'hour')}{minutes}"


def _up(seconds: float, step: int) -> int:
    return math.ceil(seconds / step) * step


def many(number: int, unit: str) -> str:
    """Such as "1 minute" or "1,200 deletions"."""
    return f"{number} {unit}" if number == 1 else f"{number:,} {unit}s"
