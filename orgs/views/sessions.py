"""Pages of sessions: one's own, and ending all of somebody else's."""

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from audit.context import page_context
from orgs.access import Right, require
from orgs.sessions import end_all_sessions, end_other_sessions, end_session, sessions_of
from portal.confirming import confirmed
from portal.models import User


@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    sessions = sessions_of(cast(User, request.user), request.session.session_key)
    return render(request, "orgs/session_list.html", {"sessions": sessions})


@require_POST
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own."""
    if not end_session(cast(User, request.user), pk, context=page_context(request)):
        raise Http404
    messages.success(request, "The session is ended.")
    return redirect("orgs:session_list")


@require_POST
def session_end_others(request: HttpRequest) -> HttpResponse:
    """End all of one's own but this one."""
    this_key = request.session.session_key or ""
    ended = end_other_sessions(cast(User, request.user), this_key, context=page_context(request))
    messages.success(request, _ended_words(ended))
    return redirect("orgs:session_list")


@require_POST
@confirmed
def person_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign somebody out everywhere."""
    require(request.user, Right.PEOPLE)
    person = get_object_or_404(User, pk=pk)
    ended = end_all_sessions(person, context=page_context(request))
    messages.success(request, f"{person.label}: {_ended_words(ended)}")
    return redirect("orgs:person_detail", pk)


def _ended_words(ended: int) -> str:
    if not ended:
        return "There was no other session."
    return "One session is ended." if ended == 1 else f"{ended} sessions are ended."
