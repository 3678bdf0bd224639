"""Pages of changes: the list, one change with its states, its live part, and cancel."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from audit.context import page_context
from contacts.cards import pace, why_fixed, wish_of
from contacts.changes import cancel_change
from contacts.filter_bar import query_with
from contacts.filters import CHANGE_GROUPS, ChangeFilter, by_urgency
from contacts.finding import (
    change_set_seen_by,
    change_sets_visible_to,
    changes_visible_to,
    drifts_visible_to,
    get_change_for,
)
from contacts.models import UNDECIDED, ChangeStatus, ContactChange, Drift
from contacts.timeline import story_of
from contacts.units import unit_names
from contacts.views.lists import FilteredList, order_of
from orgs.access import Right, can_edit, scope_of

CAN_BE_ASKED_AGAIN = (ChangeStatus.FAILED, ChangeStatus.CONFLICT, ChangeStatus.CANCELLED)


class ChangeList(FilteredList):
    """Every change people asked for, newest first."""

    template_name = "contacts/change_list.html"
    filterset_class = ChangeFilter
    chosen = ("type", "person")
    kept = ("show",)

    def all_rows(self) -> QuerySet[ContactChange]:
        return changes_visible_to(self.request.user)

    def parts_of(self, rows: QuerySet) -> Sequence[QuerySet]:
        return by_urgency(rows) if self.request.GET.get("sort") == "problems" else [rows]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        query = self.request.GET
        return context | {
            "wishes": [wish_of(change, may_edit=False) for change in context["object_list"]],
            "groups": [_group(query, name, label) for name, label in [("", "All"), *CHANGE_GROUPS]],
            "order": order_of(query, "asked", default="-asked"),
        }


def _group(query: QueryDict, name: str, label: str) -> dict[str, Any]:
    is_current = query.get("show", "") == name
    return {"label": label, "href": query_with(query, {"show": name or None}), "is_current": is_current}


@require_safe
def change_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One change: what was wanted, what became of it, and what can be done now."""
    return render(request, "contacts/change_detail.html", _change_context(request, pk))


@require_safe
def change_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the change's page that lives; it stops asking when the change has ended."""
    context = _change_context(request, pk) | {"is_answer": True}
    return render(request, "contacts/_change_live.html", context)


@require_POST
def change_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a change that was not sent yet."""
    change = get_change_for(request.user, pk)
    try:
        cancel_change(change, context=page_context(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.info(request, "The change was cancelled. Nothing was sent.")
    return redirect(_next(request) or reverse("contacts:change_detail", args=[change.pk]))


def _next(request: HttpRequest) -> str:
    """Where the person came from, if that is a page of ours."""
    address = request.POST.get("next", "")
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""


def _change_context(request: HttpRequest, pk: int) -> dict[str, Any]:
    change = get_change_for(request.user, pk)
    account = change.contact.account
    may_edit = can_edit(request.user, account, change.contact.contact_type)
    is_moving = change.is_open and change.status != ChangeStatus.WAITING
    user = request.user
    return {
        "change": change,
        "change_set": change_set_seen_by(user, change.change_set_id),
        "may_audit": scope_of(user, Right.AUDIT).covers(account, change.contact.contact_type),
        "contact": change.contact,
        "account": account,
        "wish": wish_of(change, may_edit=may_edit),
        "entries": story_of(change),
        "way": unit_names(account),
        "followers": change_sets_visible_to(request.user).filter(rows__undoes=change).order_by("pk"),
        "may_roll_back": may_edit and change.status == ChangeStatus.APPLIED and not why_fixed(account),
        "may_ask_again": may_edit and change.status in CAN_BE_ASKED_AGAIN and not why_fixed(account),
        "rival": _rival_of(change, user) if may_edit and change.status == ChangeStatus.CONFLICT else None,
        "next_look": pace(change.requested_at) if is_moving else 0,
    }


def _rival_of(change: ContactChange, user: Any) -> Drift | None:
    """The change from outside that it met, while nobody has decided on that."""
    undecided = drifts_visible_to(user).filter(UNDECIDED, contact=change.contact)
    return undecided.order_by("-pk").first()
