"""Pages of weeks and months: the list, the report of one, its sign-off, and its file."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from audit.context import page_context
from audit.log import record
from audit.models import Action, PeriodKind, ReviewPeriod
from audit.period_report import figures_of, review_of, rows_of
from audit.periods import Period, parse_period, period_at, signed_off
from audit.reviews import UNSETTLED, questions_between
from contacts.finding import NOT_FOUND
from contacts.forms_review import SignOffForm
from contacts.period_review import first_period, obstacles_of, reviewers_of, sign_off
from orgs.access import Right, require
from portal.spreadsheets import csv_lines

UNPROCESSABLE = 422
SHOWN = 6


@require_safe
def review_period_list(request: HttpRequest) -> HttpResponse:
    """The months, or the weeks, newest first: what is left to do, or who signed it off."""
    require(request.user, Right.REVIEW)
    kind = PeriodKind.WEEK if request.GET.get("kind") == PeriodKind.WEEK else PeriodKind.MONTH
    newest = period_at(kind, timezone.now())
    start = _start(request, kind, newest)
    shown = _back_from(start, first_period(kind))
    older, newer = shown[-1].previous, _ahead_of(start, newest)
    context = {
        "kind": kind,
        "rows": [_row(period) for period in shown],
        "older": older if older.first_day >= first_period(kind).first_day else None,
        "newer": newer,
    }
    return render(request, "contacts/review_period_list.html", context)


@require_safe
def review_period_detail(request: HttpRequest, kind: str, first_day: str) -> HttpResponse:
    """The report: as it was signed off, or as it stands now."""
    require(request.user, Right.REVIEW)
    return _report_page(request, _period(kind, first_day))


@require_POST
def review_period_sign_off(request: HttpRequest, kind: str, first_day: str) -> HttpResponse:
    """Keep the report as it is now."""
    require(request.user, Right.REVIEW)
    period, form = _period(kind, first_day), SignOffForm(request.POST)
    if form.is_valid():
        try:
            sign_off(period, note=form.cleaned_data["note"], context=page_context(request))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.info(request, f"{period.title} is signed off.")
            return redirect(_address(period))
    return _report_page(request, period, form=form, status=UNPROCESSABLE)


@require_safe
def review_period_export(request: HttpRequest, kind: str, first_day: str) -> StreamingHttpResponse:
    """The report as CSV; the export is an event itself."""
    require(request.user, Right.REVIEW)
    period = _period(kind, first_day)
    signed = signed_off(period)
    facts = signed.facts if signed else figures_of(period)
    record(Action.AUDIT_EXPORTED, page_context(request), detail={"report": period.title})
    name = f"review-{period.kind}-{period.first_day.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    lines = csv_lines(rows_of(period.title, facts))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _report_page(
    request: HttpRequest, period: Period, form: SignOffForm | None = None, status: int = 200
) -> HttpResponse:
    signed = signed_off(period)
    context: dict[str, Any] = {
        "period": period,
        "signed": signed,
        "facts": signed.facts if signed else figures_of(period),
        "now": timezone.now(),
    }
    if signed is None:
        context |= {
            "form": form or SignOffForm(),
            "obstacles": obstacles_of(request.user, period),
            "reviewers": reviewers_of(period),
            "way": _list_of(period),
        }
    return render(request, "contacts/review_period_detail.html", context, status=status)


def _row(period: Period) -> dict[str, Any]:
    """One line of the list. A report that was signed off is not counted again."""
    signed: ReviewPeriod | None = signed_off(period)
    if signed:
        return {"period": period, "url": _address(period), "signed": signed, "review": signed.facts["review"]}
    questions = questions_between(period.begin, period.end).filter(state__in=UNSETTLED).count()
    review = review_of(period)
    return {"period": period, "url": _address(period), "review": review, "questions": questions}


def _address(period: Period) -> str:
    return reverse("contacts:review_period_detail", args=[period.kind, period.first_day.isoformat()])


def _list_of(period: Period) -> str:
    """The list of what is not reviewed of it."""
    return f"{reverse('contacts:review_list')}?since={period.first_day}&until={period.last_day}"


def _period(kind: str, first_day: str) -> Period:
    try:
        return parse_period(kind, first_day)
    except ValueError as error:
        raise Http404(NOT_FOUND) from error


def _start(request: HttpRequest, kind: PeriodKind, newest: Period) -> Period:
    try:
        start = parse_period(kind, request.GET.get("from", ""))
    except ValueError:
        return newest
    return min(start, newest, key=lambda period: period.first_day)


def _back_from(start: Period, oldest: Period) -> list[Period]:
    """This period and those before it, until the first event."""
    shown = [start]
    while len(shown) < SHOWN and shown[-1].first_day > oldest.first_day:
        shown.append(shown[-1].previous)
    return shown


def _ahead_of(start: Period, newest: Period) -> Period | None:
    """Where the page of newer ones starts; None on the first page."""
    if start.first_day >= newest.first_day:
        return None
    ahead = start
    for _ in range(SHOWN):
        ahead = ahead.next
    return min(ahead, newest, key=lambda period: period.first_day)
