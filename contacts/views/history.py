"""The page of one contact's life: a timeline across years, and what it said on a day."""

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.queries import count_words
from contacts.filter_bar import tidy
from contacts.finding import get_contact_for
from contacts.forms_history import DayForm
from contacts.history import Chapter, chapters_of, left_before, life_of, said_between
from contacts.models import AlternateContact
from contacts.views.lists import page_size_of
from contacts.views.paging import beside, pk_in
from orgs.access import Right, scope_of
from orgs.scope import Scope


@require_safe
def contact_history(request: HttpRequest, account_id: str, contact_type: str) -> HttpResponse:
    """All that happened to one contact, newest first, and an answer for the day in the URL."""
    contact = get_contact_for(request.user, account_id, contact_type)
    tidy(request)
    form = DayForm(request.GET if "on" in request.GET else None)
    audit = scope_of(request.user, Right.AUDIT)
    context = {
        "contact": contact,
        "account": contact.account,
        "form": form,
        "may_audit": audit.covers(contact.account, contact.contact_type),
    }
    context |= _answer(contact, form, audit) | _page(request, contact)
    return render(request, "contacts/contact_history.html", context)


def _answer(contact: AlternateContact, form: DayForm, audit: Scope) -> dict[str, Any]:
    if not form.is_valid():
        return {"day": None}
    start, end = form.limits()
    stretches = said_between(contact, start, end)
    return {
        "day": form.cleaned_data["on"],
        # What began before the day, or goes on after it, needs no hour.
        "answers": [
            {
                "stretch": stretch,
                "to_audit": bool(
                    stretch.event and audit.covers_event(contact.account, stretch.event.contact_type)
                ),
                "begins_at": stretch.since if stretch.since and stretch.since > start else None,
                "ends_at": stretch.until if stretch.until and stretch.until < end else None,
            }
            for stretch in stretches
        ],
        "left_at": left_before(contact, end),
    }


def _page(request: HttpRequest, contact: AlternateContact) -> dict[str, Any]:
    events = life_of(contact)
    page = events.page(
        newer_than=pk_in(request, "newer"), older_than=pk_in(request, "older"), size=page_size_of(request)
    )
    chapters = chapters_of(page.events, contact, scope_of(request.user, Right.AUDIT))
    return {
        "years": [(year, list(of_year)) for year, of_year in groupby(chapters, _year)],
        "page_words": f"{len(chapters)} of {count_words(events.count_up_to())}",
        "newer": beside(request.GET, "newer", page.newer_than),
        "older": beside(request.GET, "older", page.older_than),
    }


def _year(chapter: Chapter) -> int:
    return timezone.localtime(chapter.at).year
