"""Pages where a bulk change begins: rows that come in, and forms about the accounts in the URL."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import chain
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.context import page_context
from contacts.bulk.files import pasted_lines, read_lines
from contacts.bulk.forms import CopyForm, DeleteForm, FindForm, PlanForm, ReplaceForm, ScopeForm, SetForm
from contacts.bulk.forms_file import FileForm
from contacts.bulk.line import Line
from contacts.bulk.plan import make_plan
from contacts.exporting import export_template
from contacts.models import ContactStatus, ContactType, SetKind
from contacts.views.lists import filters_in
from contacts.views.scope import NothingTicked, Scope, scope_in, standings_in
from orgs.access import Right, require, scope_of, visible_to
from portal.spreadsheets import csv_lines, xlsx_file
from portal.tables import NotATable

NOTHING_FOUND = "Nothing to plan: no contact of these accounts matches."
TEMPLATE_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# What the page says of a file's columns: name, whether it must be there, meaning.
COLUMNS = (
    ("AccountId", True, "Twelve digits. Format the column as text, or leading zeros get lost."),
    ("AlternateContactType", True, "BILLING, OPERATIONS or SECURITY."),
    ("Action", False, "Empty or “set” sets, “delete” deletes."),
    ("Name", False, "An empty cell keeps what stands there, here and below."),
    ("Title", False, "What the person or team does."),
    ("EmailAddress", False, "A mailbox that a team reads."),
    ("PhoneNumber", False, "With country code. Format the column as text."),
)

ScopeView = Callable[[HttpRequest, Scope], HttpResponse]


def with_scope(view: ScopeView) -> Callable[[HttpRequest], HttpResponse]:
    """Give the view the accounts that the URL names; people who ticked none are sent back to the list."""

    @wraps(view)
    def with_accounts(request: HttpRequest) -> HttpResponse:
        require(request.user, Right.EDIT)
        try:
            return view(request, scope_in(request))
        except NothingTicked:
            return _back_to_list(request)

    return with_accounts


@require_safe
def bulk_start(request: HttpRequest) -> HttpResponse:
    """The ways to change many contacts at once."""
    require(request.user, Right.EDIT)
    return _start_page(request, FileForm())


@require_POST
def bulk_file(request: HttpRequest) -> HttpResponse:
    """Make a plan of an uploaded file, or of pasted rows."""
    require(request.user, Right.EDIT)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _start_page(request, form)
    try:
        lines = _lines_in(form)
    except NotATable as error:
        form.add_error(form.source, str(error))
        return _start_page(request, form)
    return _plan(request, form, lines, form.kind, file_name=form.file_name)


@require_http_methods(["GET", "HEAD", "POST"])
@with_scope
def bulk_set(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Plan the same values for many contacts."""
    is_gap = request.GET.get("contact") == ContactStatus.ABSENT
    initial = {"types": [scope.contact_type or ContactType.SECURITY], "only_missing": is_gap}
    return _answer(request, scope, SetForm(_posted(request), initial=initial), "contacts/bulk_set.html")


@require_http_methods(["GET", "HEAD", "POST"])
@with_scope
def bulk_replace(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Find everywhere that a person or address stands, then plan to put another in its place."""
    asked = "find_email" in request.GET or "find_phone" in request.GET
    find = FindForm(request.GET if asked else None)
    if not find.is_valid():
        return _scope_page(request, scope, find, "contacts/bulk_replace.html", find=find, found=None)
    form = ReplaceForm(_posted(request), find=find.wanted)
    counts = Counter(line.contact_type for line in form.found(scope.accounts, scope.contacts))
    found = [(kind.label, counts[kind]) for kind in ContactType if counts[kind]]
    context = {"find": find, "found": found, "total": counts.total()}
    return _answer(request, scope, form, "contacts/bulk_replace.html", **context)


@require_http_methods(["GET", "HEAD", "POST"])
@with_scope
def bulk_copy(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Plan to copy one type of each account to its others."""
    initial = {"targets": [scope.contact_type or ContactType.SECURITY]}
    return _answer(request, scope, CopyForm(_posted(request), initial=initial), "contacts/bulk_copy.html")


@require_http_methods(["GET", "HEAD", "POST"])
@with_scope
def bulk_delete(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Plan to delete contacts."""
    initial = {"types": [scope.contact_type]}
    return _answer(request, scope, DeleteForm(_posted(request), initial=initial), "contacts/bulk_delete.html")


@require_safe
def bulk_template(request: HttpRequest) -> HttpResponseBase:
    """A file to fill in: the contacts of the accounts that the URL names, as an import takes them."""
    file_format = request.GET.get("format", "xlsx")
    if file_format not in TEMPLATE_TYPES:
        raise BadRequest("The format is csv or xlsx.")
    try:
        scope = scope_in(request)
    except NothingTicked:
        return _back_to_list(request)
    filters, context = filters_in(request.GET), page_context(request)
    rows = export_template(scope.accounts, file_format=file_format, filters=filters, context=context)
    name, content_type = f"contacts-template.{file_format}", TEMPLATE_TYPES[file_format]
    if file_format == "xlsx":
        return FileResponse(xlsx_file(rows), as_attachment=True, filename=name, content_type=content_type)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(csv_lines(rows), content_type=content_type, headers=headers)


def _back_to_list(request: HttpRequest) -> HttpResponse:
    messages.warning(request, "Tick an account first, or select all that match.")
    return redirect("contacts:account_list")


def _answer(
    request: HttpRequest, scope: Scope, form: ScopeForm, template: str, **context: Any
) -> HttpResponse:
    """Make the plan that was asked for, or show the form."""
    form.offer(scope_of(request.user, Right.EDIT).types)
    if request.method == "POST" and form.is_valid():
        lines = form.lines(scope.accounts, scope.contacts)
        first = next(lines, None)
        if first is not None:
            return _plan(request, form, chain([first], lines), form.kind)
        form.add_error(None, NOTHING_FOUND)
    return _scope_page(request, scope, form, template, **context)


def _plan(
    request: HttpRequest, form: PlanForm, lines: Iterable[Line], kind: SetKind, *, file_name: str = ""
) -> HttpResponse:
    """Make the plan and go there; nothing is sent by that."""
    context = page_context(request)
    change_set = make_plan(lines, kind=kind, title=form.plan_title, context=context, file_name=file_name)
    return redirect("contacts:change_set_detail", change_set.pk)


def _scope_page(
    request: HttpRequest, scope: Scope, form: forms.BaseForm, template: str, **context: Any
) -> HttpResponse:
    context |= {"form": form, "scope": scope, "standings": standings_in(scope)}
    template = template if scope.count else "contacts/bulk_none.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _start_page(request: HttpRequest, form: FileForm) -> HttpResponse:
    context = {
        "form": form,
        "columns": COLUMNS,
        "accounts": visible_to(request.user).filter(left_at=None).count(),
    }
    return render(request, "contacts/bulk_start.html", context, status=422 if form.errors else 200)


def _lines_in(form: FileForm) -> Iterator[Line]:
    """The lines of what was uploaded or pasted. Raises NotATable."""
    file = form.cleaned_data["file"]
    return read_lines(file, form.file_name) if file else pasted_lines(form.cleaned_data["rows"])


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was posted; None on a page that was only opened."""
    return request.POST if request.method == "POST" else None
