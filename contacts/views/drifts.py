"""Pages of changes from outside: the list, one told as a story, and the three ways to decide on it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from audit.context import page_context
from contacts import drifts
from contacts.approval import Weight, why_needed
from contacts.cards import why_fixed, wish_of
from contacts.change_sets import why_errors
from contacts.changes import Seen, Stale, open_change_of, seen_of
from contacts.details import details_in
from contacts.drift_filters import DriftFilter
from contacts.drift_story import ShownDrift
from contacts.finding import drifts_visible_to, get_drift_for
from contacts.forms import WhyForm, initial_of
from contacts.models import UNDECIDED, ChangeStatus, Drift, DriftState
from contacts.units import unit_names
from contacts.views.lists import PAGE_SIZES, FilteredList, order_of
from contacts.views.paging import pk_of
from orgs.access import Right, can, can_edit, has_right, require, require_can_edit
from portal.confirming import breaks_glass, confirmed_where

UNPROCESSABLE, MOVED = 422, 409
OTHERS_SHOWN = 5


class DriftList(FilteredList):
    """Every change that somebody made in AWS directly; what nobody has decided comes first."""

    template_name = "contacts/drift_list.html"
    filterset_class = DriftFilter
    chosen = ("state", "type", "person")

    def all_rows(self) -> QuerySet[Drift]:
        return drifts_visible_to(self.request.user)

    def parts_of(self, rows: QuerySet) -> Sequence[QuerySet]:
        is_by_urgency = self.request.GET.get("sort", "open") == "open"
        return [rows.filter(UNDECIDED), rows.exclude(UNDECIDED)] if is_by_urgency else [rows]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        found, user = list(context["object_list"]), self.request.user
        seen = drifts.seen_of_each(found)
        shown = [ShownDrift(drift, _tick(user, drift, seen[drift.pk])) for drift in found]
        return context | {
            "shown": shown,
            "may_select": any(item.tick for item in shown),
            "back": self.request.get_full_path(),
            "order": order_of(self.request.GET, "found", default="open"),
        }


def _tick(user: Any, drift: Drift, seen: Seen) -> str:
    may_decide = can_edit(user, drift.contact.account, drift.contact.contact_type)
    return f"{drift.pk}@{seen.token}" if may_decide and drift.is_undecided else ""


@require_POST
def drift_decide(request: HttpRequest) -> HttpResponse:
    """Adopt or ignore what was ticked on the list, each as it was shown there."""
    require(request.user, Right.EDIT)
    ways = {"adopt": DriftState.ADOPTED, "ignore": DriftState.IGNORED}
    state, reason = ways.get(request.POST.get("way", "")), request.POST.get("reason", "").strip()
    context = page_context(request, reason=reason)
    if state is None or why_errors(context):
        messages.error(request, "Nothing was decided. Say why: the audit keeps the reason.")
        return redirect(_way_back(request))
    seen = dict(_ticked(request.POST.getlist("drift")))
    found = drifts_visible_to(request.user).filter(pk__in=seen)
    told = drifts.let_all_stand(found, state, seen=seen, context=context)
    words = f"{told.count(True):,} {state.label.lower()}. The values stand as they are; nothing was sent."
    if moved := told.count(False):
        words += f" {moved:,} moved meanwhile or were decided: look at them again."
    messages.info(request, words)
    return redirect(_way_back(request))


def _ticked(values: list[str]) -> Iterator[tuple[int, Seen]]:
    """The drifts that were ticked, with what the list had shown of each; what makes no sense is left out."""
    for value in values[: max(PAGE_SIZES)]:
        text, _, token = value.partition("@")
        with suppress(ValueError):
            if (pk := pk_of(text)) is not None:
                yield pk, Seen.parse(token)


def _way_back(request: HttpRequest) -> str:
    """The list as it was, if that is a page of ours."""
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    return back if is_ours else reverse("contacts:drift_list")


@require_safe
def drift_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One change from outside: what it was, what it is, and the ways on."""
    return _page(request, get_drift_for(request.user, pk))


@require_POST
def drift_adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """The new value is right."""

    def adopt(drift: Drift, form: WhyForm) -> str:
        drifts.adopt(drift, seen=form.cleaned_data["seen"], context=_context(request, form))
        return "Adopted. The value stands as it is; nothing was sent."

    return _decided(request, pk, adopt)


@require_POST
def drift_ignore(request: HttpRequest, pk: int) -> HttpResponse:
    """The new value may stand, right or not."""

    def ignore(drift: Drift, form: WhyForm) -> str:
        drifts.ignore(drift, seen=form.cleaned_data["seen"], context=_context(request, form))
        return "Ignored. The value stands as it is; nothing was sent."

    return _decided(request, pk, ignore)


@require_POST
@confirmed_where(breaks_glass)
def drift_revert(request: HttpRequest, pk: int) -> HttpResponse:
    """The old value shall stand again."""

    def revert(drift: Drift, form: WhyForm) -> str:
        change = drifts.revert(
            drift,
            seen=form.cleaned_data["seen"],
            context=_context(request, form),
            break_glass=form.cleaned_data.get("break_glass", False),
        )
        if change.status == ChangeStatus.WAITING:
            return "The old value is asked for. It waits for approval, and nothing is sent before."
        return "The old value is asked for. It counts as reverted when AWS has confirmed it."

    return _decided(request, pk, revert)


def _decided(request: HttpRequest, pk: int, decide: Callable[[Drift, WhyForm], str]) -> HttpResponse:
    """Decide; what stands in the way is shown on the same page, with the typing kept."""
    drift = get_drift_for(request.user, pk)
    require_can_edit(request.user, drift.contact.account, drift.contact.contact_type)
    form = _form(request, drift)
    if not form.is_valid():
        return _page(request, drift, form, status=UNPROCESSABLE)
    try:
        messages.info(request, decide(drift, form))
    except ValidationError as error:
        form.add_error(None, _said(error))
        return _page(request, get_drift_for(request.user, pk), form, status=UNPROCESSABLE)
    except Stale as stale:
        form.show_anew(stale.seen)
        return _page(request, get_drift_for(request.user, pk), form, status=MOVED)
    return redirect("contacts:drift_detail", drift.pk)


def _context(request: HttpRequest, form: WhyForm) -> Any:
    return page_context(request, reason=form.cleaned_data["reason"], ticket=form.cleaned_data["ticket"])


def _said(error: ValidationError) -> list[str]:
    """The messages alone: an old value that AWS takes no more has no field on this page."""
    return list(error.messages)


def _form(request: HttpRequest, drift: Drift) -> WhyForm:
    """Reason and ticket, and the way round an approval only where the revert needs one."""
    is_held = bool(_reasons(request, drift))
    may_break_glass = is_held and has_right(request.user, Right.BREAK_GLASS)
    initial = initial_of(None, seen_of(drift.contact))
    return WhyForm(request.POST or None, initial=initial, may_break_glass=may_break_glass)


def _reasons(request: HttpRequest, drift: Drift) -> list[str]:
    """Why the revert will need an approval; empty when it will not."""
    deletes = details_in(drift.before) is None
    return why_needed(request.user, Weight.of_one(drift.contact, deletes=deletes))


def _page(
    request: HttpRequest, drift: Drift, form: WhyForm | None = None, *, status: int = 200
) -> HttpResponse:
    contact, account = drift.contact, drift.contact.account
    may_decide = drift.is_undecided and can_edit(request.user, account, contact.contact_type)
    others = contact.drifts.exclude(pk=drift.pk).select_related("change", "decided_by")[:OTHERS_SHOWN]
    waiting = open_change_of(contact)
    context = {
        "drift": drift,
        "shown": ShownDrift(drift),
        "contact": contact,
        "account": account,
        "way": unit_names(account),
        "form": form or (_form(request, drift) if may_decide else None),
        "may_decide": may_decide,
        "reasons": _reasons(request, drift) if may_decide else [],
        "deletes": details_in(drift.before) is None,
        "fixed": why_fixed(account),
        "wish": wish_of(waiting, may_edit=True) if waiting else None,
        "stale": status == MOVED,
        "others": [ShownDrift(other) for other in others],
        "may_audit": can(request.user, Right.AUDIT, account, contact.contact_type),
    }
    return render(request, "contacts/drift_detail.html", context, status=status)
