"""Pages of the audit: the list, one event with its seal, and the export."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from audit.context import page_context
from audit.export import export_events
from audit.models import AuditEvent, AuditSeal
from audit.queries import AuditEventQuerySet, count_words
from audit.verification import verify_event
from audit.words import differences
from contacts.event_filters import EventFilterForm, events_of, query_of_person
from contacts.filter_bar import filter_bar, tidy
from contacts.finding import (
    change_set_seen_by,
    drifts_visible_to,
    events_visible_to,
    get_event_for,
    sees_all_events,
)
from contacts.integrity import get_integrity
from contacts.reviewing import key_of_step, panel_for
from contacts.timeline import entries_of
from contacts.views.lists import page_size_of
from contacts.views.paging import beside, pk_in
from orgs.access import Right, can, require, visible_to

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}


@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Every event, newest first, filtered by the URL."""
    require(request.user, Right.AUDIT)
    address = tidy(request)
    form = EventFilterForm(request.GET, user=request.user)
    seen = events_visible_to(request.user)
    events = seen.matching(form.filters()) if form.is_valid() else seen.none()
    bar = filter_bar(form, request.GET, chosen=("group", "type", "source"))
    context = bar | _page(request, events)
    context |= {"is_whole": sees_all_events(request.user), "integrity": get_integrity()}
    response = render(request, "contacts/audit_list.html", context)
    return push_url(response, address)


@require_safe
def audit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One event: all that was written down, and whether its seal holds."""
    require(request.user, Right.AUDIT)
    event = get_event_for(request.user, pk)
    entry = entries_of([event], request.user)[0]
    context = {
        "event": event,
        "entry": entry,
        "details": [(row.label, row.new) for row in differences(None, event.detail)],
        "by_query": query_of_person(event),
        **_at_hand(request.user, event),
        "fault": verify_event(event.pk),
        "chain": _chain_around(event),
        "related": entries_of(_related(event, request.user), request.user),
        "review": panel_for(request.user, key_of_step(event)),
    }
    return render(request, "contacts/audit_detail.html", context)


@require_safe
def audit_export(request: HttpRequest) -> StreamingHttpResponse:
    """The filtered events as CSV, or as JSON Lines with what was sealed; the export is an event itself."""
    require(request.user, Right.EXPORT_AUDIT)
    filters = request.GET.dict()
    file_format = filters.pop("format", "csv")
    if file_format not in CONTENT_TYPES:
        raise BadRequest("The format is csv or jsonl.")
    lines = export_events(
        events_of(request, Right.EXPORT_AUDIT),
        filters=filters,
        context=page_context(request),
        file_format=file_format,
    )
    headers = {"Content-Disposition": f'attachment; filename="audit.{file_format}"'}
    return StreamingHttpResponse(lines, content_type=CONTENT_TYPES[file_format], headers=headers)


def _page(request: HttpRequest, events: AuditEventQuerySet) -> dict[str, Any]:
    """One page of events, found by id; counted exactly up to a limit, so that a long history stays cheap."""
    size = page_size_of(request)
    page = events.page(newer_than=pk_in(request, "newer"), older_than=pk_in(request, "older"), size=size)
    count = events.count_up_to()
    words = count_words(count)
    return {
        "entries": entries_of(page.events, request.user),
        "count": count,
        "count_words": words,
        "page_words": f"{len(page.events)} of {words}",
        "newer": beside(request.GET, "newer", page.newer_than),
        "older": beside(request.GET, "older", page.older_than),
    }


def _chain_around(event: AuditEvent) -> list[dict[str, Any]]:
    """The event's seal between its neighbours; empty while it waits for one."""
    seal = getattr(event, "seal", None)
    if seal is None:
        return []
    links = AuditSeal.objects.filter(seq__range=(seal.seq - 1, seal.seq + 1)).order_by("seq")
    return [
        {
            "seq": link.seq,
            "event_id": link.event_id,
            "is_this": link.seq == seal.seq,
            "short": f"{link.hash[:4]} {link.hash[4:8]} … {link.hash[-4:]}",
        }
        for link in links
    ]


def _at_hand(user: Any, event: AuditEvent) -> dict[str, Any]:
    """What of the event has a page that this person may open."""
    account = visible_to(user).select_related("unit").filter(aws_id=event.account_id).first()
    is_contact = bool(account and event.contact_type and can(user, Right.VIEW, account, event.contact_type))
    drifts = drifts_visible_to(user).filter(event_id=event.detail.get("drift_event") or event.pk)
    return {
        "is_at_hand": account is not None,
        "has_contact": is_contact,
        "has_change": is_contact,
        "has_change_set": change_set_seen_by(user, event.change_set_id) is not None,
        "drift": drifts.first(),
    }


def _related(event: AuditEvent, user: Any) -> AuditEventQuerySet:
    """What else the same change or the same click led to."""
    seen = events_visible_to(user)
    if event.change_id:
        same = seen.filter(change_id=event.change_id)
    elif event.change_set_id:
        same = seen.filter(change_set_id=event.change_set_id, change_id=None)
    elif event.request_id:
        same = seen.filter(request_id=event.request_id)
    else:
        same = seen.none()
    return same.exclude(pk=event.pk).order_by("-pk")[:20]
