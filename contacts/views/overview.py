"""The first page: how many contacts are there, and what needs somebody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from contacts.attention import needs_attention
from contacts.coverage import coverage_of
from contacts.finding import change_sets_visible_to, changes_visible_to
from contacts.models import OPEN, SetKind
from orgs.access import Right, require, sees_whole
from orgs.quota_use import quota_use

RECENT, RUNS = 6, 3


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Coverage by type and unit, what needs attention, and what was changed lately."""
    require(request.user, Right.VIEW)
    coverage = coverage_of(request.user)
    changes = changes_visible_to(request.user)
    wholes = [owner for owner in coverage.organizations if sees_whole(request.user, owner.pk)]
    context = {
        "coverage": coverage,
        "matters": needs_attention(request.user, wholes),
        "quota": quota_use(wholes) if wholes else None,
        "open_changes": changes.filter(status__in=OPEN).count(),
        "runs": change_sets_visible_to(request.user)
        .exclude(submitted_at=None)
        .exclude(kind=SetKind.SINGLE)
        .order_by("-pk")[:RUNS],
        "recent": changes.order_by("-pk")[:RECENT],
    }
    return render(request, "contacts/overview.html", context)
