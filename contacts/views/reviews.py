"""Pages of the review: what is new, saying that it is in order, and questions until they are settled."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import push_url

from audit.context import page_context
from audit.models import Action, AuditEvent, Review
from audit.queries import AuditEventQuerySet
from audit.reviews import UNSETTLED, about, settled_by, to_review
from contacts import reviewing
from contacts.filter_bar import filter_bar, query_with, tidy
from contacts.forms_review import QUESTION, AnswerForm, MarkForm, SettleForm
from contacts.models import ChangeSet
from contacts.review_filters import SHOW, ReviewFilterForm, last_review_of
from contacts.review_groups import COUNTED, groups_of
from contacts.review_rows import may_select, rows_of
from contacts.timeline import entries_of
from contacts.views.lists import page_size_of
from contacts.views.paging import pk_in
from orgs.access import Right, require

UNPROCESSABLE = 422
QUESTIONS_A_PAGE = 25
CHOSEN = ("kind", "look", "person", "type")


@require_safe
def review_list(request: HttpRequest) -> HttpResponse:
    """What is to be reviewed, filtered by the URL, with the groups that it holds."""
    require(request.user, Right.REVIEW)
    address = tidy(request)
    form = ReviewFilterForm(request.GET, user=request.user)
    events = form.events() if form.is_valid() else to_review().none()
    context = {
        **_bar(request, form),
        **_page(request, events),
        "groups": groups_of(events, request.GET),
        "last_review_at": last_review_of(request.user),
        "back": address,
    }
    return push_url(render(request, "contacts/review_list.html", context), address)


@require_POST
def review_mark(request: HttpRequest) -> HttpResponse:
    """Say of what is selected that it is in order, or ask."""
    require(request.user, Right.REVIEW)
    form, keys = MarkForm(request.POST), request.POST.getlist("subject")
    if form.is_valid():
        is_question = form.cleaned_data["verdict"] == QUESTION
        say = reviewing.ask if is_question else reviewing.mark_reviewed
        try:
            said = say(keys, note=form.cleaned_data["note"], context=page_context(request))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.info(request, _said_words(said, is_question))
            return redirect(_way_back(request))
    context = {
        "form": form,
        "keys": keys,
        "rows": _rows_named(keys, request.user),
        "back": _way_back(request),
    }
    return render(request, "contacts/review_mark.html", context, status=UNPROCESSABLE)


@require_safe
def review_question_list(request: HttpRequest) -> HttpResponse:
    """Questions: reviewers see all, others those that they were asked; open ones first."""
    require(request.user, Right.VIEW)
    found = reviewing.questions_visible_to(request.user)
    shows_all = request.GET.get("show") == "all"
    if not shows_all:
        found = found.filter(state__in=UNSETTLED)
    page = Paginator(found, QUESTIONS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "questions": [(question, about(question)) for question in page],
        "shows_all": shows_all,
    }
    return render(request, "contacts/review_question_list.html", context)


@require_safe
def review_question_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One question: what it is about, the answer, and what this person may do."""
    return _question_page(request, reviewing.get_question_for(request.user, pk))


@require_POST
def review_question_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer it."""
    question, form = reviewing.get_question_for(request.user, pk), AnswerForm(request.POST)
    reviewing.require_asked(request.user, question)
    if form.is_valid():
        try:
            reviewing.answer(question, form.cleaned_data["answer"], context=page_context(request))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.info(request, f"Answered. {question.by.label} is told.")
            return redirect("contacts:review_question_detail", question.pk)
    return _question_page(request, question, answer_form=form, status=UNPROCESSABLE)


@require_POST
def review_question_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the answer."""
    question, form = reviewing.get_question_for(request.user, pk), SettleForm(request.POST)
    require(request.user, Right.REVIEW)
    if form.is_valid():
        try:
            reviewing.settle(question, form.cleaned_data["note"], context=page_context(request))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.info(request, "Settled.")
            return redirect("contacts:review_question_detail", question.pk)
    return _question_page(request, question, settle_form=form, status=UNPROCESSABLE)


def _question_page(
    request: HttpRequest,
    question: Review,
    answer_form: AnswerForm | None = None,
    settle_form: SettleForm | None = None,
    status: int = 200,
) -> HttpResponse:
    may_answer = reviewing.may_answer(request.user, question)
    may_settle = reviewing.may_settle(request.user, question)
    context = {
        "question": question,
        "about": about(question),
        "entry": entries_of([question.event], request.user)[0] if question.event else None,
        "change_set": ChangeSet.objects.filter(pk=question.change_set_id or 0).first(),
        "settled_by": settled_by(question) if question.settled_at else "",
        "answer_form": answer_form or (AnswerForm() if may_answer else None),
        "settle_form": settle_form or (SettleForm() if may_settle else None),
    }
    return render(request, "contacts/review_question_detail.html", context, status=status)


def _bar(request: HttpRequest, form: ReviewFilterForm) -> dict[str, Any]:
    """The bar of filters; what is shown at all stands above it as tabs."""
    bar = filter_bar(form, request.GET, chosen=CHOSEN, kept=("show", "pair"))
    show = request.GET.get("show", "")
    return bar | {
        "tabs": [(name, words, query_with(request.GET, {"show": name or None})) for name, words in SHOW],
        "show": show,
        "active_filters": [active for active in bar["active_filters"] if active.label != "Show"],
        "is_filtered": any(request.GET.get(name) for name in form.fields if name != "show"),
    }


def _page(request: HttpRequest, events: AuditEventQuerySet) -> dict[str, Any]:
    """One page of rows, found by id; counted exactly up to a limit."""
    page = events.page(
        newer_than=pk_in(request, "newer"), older_than=pk_in(request, "older"), size=page_size_of(request)
    )
    rows = rows_of(page.events, request.user)
    count = events.order_by()[: COUNTED + 1].count()
    words = f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"
    return {
        "rows": rows,
        "may_select": may_select(rows, request.user),
        "count_words": words,
        "page_words": f"{len(rows)} of {words}",
        "newer": query_with(request.GET, {"newer": str(page.newer_than)}) if page.newer_than else "",
        "older": query_with(request.GET, {"older": str(page.older_than)}) if page.older_than else "",
    }


def _rows_named(keys: list[str], user: Any) -> list[Any]:
    """The rows behind these keys, to be shown again."""
    if not keys or len(keys) > reviewing.MOST_AT_ONCE:
        return []
    subjects = reviewing.subjects_of(keys)
    set_pks = [subject.change_set_id for subject in subjects if subject.event is None]
    events = [subject.event for subject in subjects if subject.event]
    submitted = AuditEvent.objects.filter(action=Action.SET_SUBMITTED, change_set_id__in=set_pks)
    return rows_of([*events, *submitted], user)


def _said_words(said: list[Review], is_question: bool) -> str:
    number = len(said)
    if is_question:
        return f"{number} question{pluralize(number)} asked. Whoever is behind it is told and answers here."
    return f"{number} marked as reviewed." if number else "You had marked this as reviewed already."


def _way_back(request: HttpRequest) -> str:
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if is_ours and back.startswith("/") else reverse("contacts:review_list")
