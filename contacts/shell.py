"""What every page's frame shows beside its content."""

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict:
    """Context processor: the frame's counts and freshness."""
    return {}
