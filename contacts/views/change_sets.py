"""Pages of change sets: the list, and one set from its plan to its report."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from contacts.approving import panel_for
from contacts.bulk import rows, steps
from contacts.bulk.outlook import outlook_of
from contacts.bulk.progress import Progress, progress_of
from contacts.change_set_filters import ChangeSetFilter
from contacts.filter_bar import query_with
from contacts.finding import change_set_seen_by, change_sets_visible_to, get_change_set_for
from contacts.forms_change_set import SubmitForm
from contacts.models import ChangeSet, SetStatus
from contacts.reviewing import panel_for as review_panel_for
from contacts.views.lists import PAGE_SIZES, FilteredList, order_of, page_size_of

_FINAL = (SetStatus.FINISHED, SetStatus.DISCARDED, SetStatus.REFUSED, SetStatus.EXPIRED)
NEEDING_SHOWN = 10
LIVE_EVERY = {steps.PLAN: 3, steps.APPROVE: 15, steps.RUN: 3}  # seconds between two looks of an open page


class ChangeSetList(FilteredList):
    """Every change set that was submitted, and the person's own plans, newest first."""

    template_name = "contacts/change_set_list.html"
    filterset_class = ChangeSetFilter
    chosen = ("status", "kind", "person")

    def all_rows(self) -> QuerySet[ChangeSet]:
        return change_sets_visible_to(self.request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"order": order_of(self.request.GET, "asked", default="-asked")}


@require_safe
def change_set_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One change set in whatever state it is: plan, approval, run or report."""
    return set_page(request, get_change_set_for(request.user, pk))


@require_safe
def change_set_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that lives. A set that came to another step gets its whole page anew."""
    change_set = get_change_set_for(request.user, pk)
    step = steps.step_of(change_set)
    if request.GET.get("seen") != step or not _moves_by_itself(change_set):
        return HttpResponseClientRefresh()
    if step != steps.RUN:
        return HttpResponse(status=204)
    context = _run_context(request, change_set, progress_of(change_set)) | {"is_answer": True}
    return render(request, "contacts/_change_set_live.html", context)


def set_page(
    request: HttpRequest, change_set: ChangeSet, form: SubmitForm | None = None, status: int = 200
) -> HttpResponse:
    """The whole page; form is one that was refused."""
    step, reasons = steps.step_of(change_set), steps.reasons_of(change_set)
    context = {
        "change_set": change_set,
        "step": step,
        "steps": steps.steps_of(change_set, reasons),
        "reasons": reasons,
        "outlook": outlook_of(change_set),
        "origin": change_set_seen_by(request.user, change_set.origin_id),
        "panel": panel_for(request.user, change_set),
        "followers": change_sets_visible_to(request.user).filter(origin=change_set),
        "next_look": LIVE_EVERY[step] if _moves_by_itself(change_set) else 0,
        "review": review_panel_for(request.user, f"set:{change_set.pk}"),
    }
    if step in (steps.RUN, steps.REPORT):
        context |= _sent_context(request, change_set, step)
    else:
        context |= _planned_context(request, change_set, form)
    return render(request, "contacts/change_set_detail.html", context, status=status)


def _planned_context(request: HttpRequest, change_set: ChangeSet, form: SubmitForm | None) -> dict[str, Any]:
    """What was not sent to AWS: the plan, and the form that sends it on its way."""
    can = steps.can(request.user, change_set, {})
    tabs = rows.plan_tabs(change_set, _show(request))
    return {
        "can": can,
        "form": form or (SubmitForm(change_set=change_set) if can.submit else None),
        "approvers": steps.asked(change_set),
        "has_outcomes": False,
        **_rows_context(request, tabs, rows.plan_rows(change_set, _show(request))),
    }


def _sent_context(request: HttpRequest, change_set: ChangeSet, step: str) -> dict[str, Any]:
    """A run or its report. While it runs, its lines are shown only when asked for."""
    progress = progress_of(change_set)
    context = _run_context(request, change_set, progress) if step == steps.RUN else {"progress": progress}
    context |= {"can": steps.can(request.user, change_set, progress.outcomes), "has_outcomes": True}
    if step == steps.RUN and not _show(request):
        return context
    tabs = rows.report_tabs(change_set, progress.outcomes, _show(request))
    return context | _rows_context(request, tabs, rows.report_rows(change_set, _show(request)))


def _rows_context(request: HttpRequest, tabs: list[rows.Tab], found: rows.InTurn) -> dict[str, Any]:
    """The tabs and one page of rows."""
    page = Paginator(found, page_size_of(request)).get_page(request.GET.get("page"))
    return {
        "tabs": [(tab, query_with(request.GET, {"show": tab.name or None})) for tab in tabs],
        "page_obj": page,
        "rows": [rows.ShownRow(row) for row in page.object_list],
        "page_sizes": PAGE_SIZES,
        "page_size": page_size_of(request),
        "show": _show(request),
    }


def _run_context(request: HttpRequest, change_set: ChangeSet, progress: Progress) -> dict[str, Any]:
    """What lives on the page of a run."""
    needing = rows.needing(change_set)[:NEEDING_SHOWN] if progress.needing else []  # else it reads all rows
    return {
        "change_set": change_set,
        "progress": progress,
        "can": steps.can(request.user, change_set, progress.outcomes),
        "needing": [rows.ShownRow(row) for row in needing],
        "latest": rows.latest(change_set, progress.latest),
        "next_look": LIVE_EVERY[steps.RUN],
    }


def _show(request: HttpRequest) -> str:
    return request.GET.get("show", "")


def _moves_by_itself(change_set: ChangeSet) -> bool:
    """Whether waiting a while may show something else."""
    return change_set.status not in (SetStatus.PLANNED, *_FINAL)
