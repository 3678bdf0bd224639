"""What may be meant by what somebody types, while they type it."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orgs.access import Right, require
from orgs.find_field import found_context
from orgs.finding import AccountFinder, Finder, HolderFinder, PersonFinder, PlaceFinder

# Whoever manages people may look for all of these; accounts, everybody among those they see.
FINDERS: dict[str, Callable[[Any], Finder]] = {
    "account": AccountFinder,
    "place": lambda user: PlaceFinder(),
    "person": lambda user: PersonFinder(),
    "holder": lambda user: HolderFinder(),
}


@require_safe
def find(request: HttpRequest, kind: str) -> HttpResponse:
    """The part of a page that stands below the box; the box sends its text under the name of the kind."""
    if kind not in FINDERS:
        raise Http404
    if kind != "account":
        require(request.user, Right.PEOPLE)
    finder = FINDERS[kind](request.user)
    text = request.GET.get(kind, "").strip()[:200]
    return render(request, "orgs/_found.html", found_context(finder, text, kind))
