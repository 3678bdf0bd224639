"""Pages of access: who has which, as a list and as a file; giving a role somewhere, and ending it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from audit.context import page_context
from orgs.access import Right, require
from orgs.finding import ways_of
from orgs.forms_grants import GrantFilter, GrantForm, ReasonForm
from orgs.grant_list import export_grants, grants_listed, require_may_review_grants
from orgs.grant_words import until, what_it_gives, what_it_leaves_out
from orgs.grants import end_grant, give_grant
from orgs.models import AccessGrant
from orgs.role_words import role_words
from orgs.views.lists import FilteredList
from portal.confirming import confirmed
from portal.models import User
from portal.spreadsheets import csv_lines

UNPROCESSABLE = 422
_FORM_NAMES = {"person": "holder", "place": "place"}  # of the list's filters in the form


class GrantList(FilteredList):
    """Who may do what, where, for which contacts and until when."""

    template_name = "orgs/grant_list.html"
    filter_class = GrantFilter
    chosen = ("role", "type", "where", "state")
    form: GrantFilter

    def require_may(self, user: Any) -> None:
        """Reviewers look at it too."""
        require_may_review_grants(user)

    def get_queryset(self) -> QuerySet[AccessGrant]:
        return grants_listed(self.form.wanted())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        grants = list(context["object_list"])
        ways = ways_of(grant.unit for grant in grants if grant.unit)
        for grant in grants:
            grant.way = ways[grant.unit.pk] if grant.unit else ""
        kept = self.form.kept
        given_to = {_FORM_NAMES[name]: value for name, value in kept.items()}
        facts = {"object_list": grants, "kept": kept.items(), "given_to": urlencode(given_to)}
        return context | facts | {"here": "access"}


@require_safe
def grant_export(request: HttpRequest) -> StreamingHttpResponse:
    """The list with this URL as a CSV file, one row for each person and grant."""
    wanted = GrantFilter(request.GET).wanted()
    rows = export_grants(wanted, context=page_context(request))
    headers = {"Content-Disposition": 'attachment; filename="access.csv"'}
    return StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
def grant_create(request: HttpRequest) -> HttpResponse:
    """Give somebody a role somewhere: fill in, read what it means, give."""
    require(request.user, Right.PEOPLE)
    if request.method != "POST":
        asked = {name: request.GET.get(name, "") for name in ("holder", "place", "role")}
        return _form(request, GrantForm(initial=asked))
    form = GrantForm(request.POST)
    draft = form.draft()
    if draft is None or request.POST.get("step") == "edit":
        return _form(request, form, status=UNPROCESSABLE if form.errors else 200)
    if request.POST.get("step") != "give":
        return _before_giving(request, form, draft)
    return _give(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
def grant_end(request: HttpRequest, pk: int) -> HttpResponse:
    """What is lost with a grant, and taking it back now."""
    require(request.user, Right.PEOPLE)
    grant = get_object_or_404(AccessGrant.objects.with_places(), pk=pk)
    if not grant.is_in_force:
        messages.info(request, f"The access “{grant}” has ended already.")
        return redirect(address_of(grant))
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            end_grant(grant, context=page_context(request, reason=form.cleaned_data["reason"]))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{_sentence_start(grant)} no longer has the access “{grant}”.")
            return redirect(address_of(grant))
    context = _words(grant) | {"form": form, "stays": _others(grant), "back": address_of(grant)}
    return render(request, "orgs/grant_end.html", context, status=UNPROCESSABLE if form.errors else 200)


def address_of(grant: AccessGrant) -> str:
    """The page of whoever has the grant."""
    if grant.group_id:
        return reverse("orgs:group_detail", args=[grant.group_id])
    return reverse("orgs:person_detail", args=[grant.person_id])


def _form(request: HttpRequest, form: GrantForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "role_rights": role_words(), "back": _back(request)}
    return render(request, "orgs/grant_create.html", context, status=status)


def _before_giving(request: HttpRequest, form: GrantForm, grant: AccessGrant) -> HttpResponse:
    context = _words(grant) | {"form": form, "has": _others(grant), "leaves_out": what_it_leaves_out(grant)}
    return render(request, "orgs/grant_confirm.html", context)


def _give(request: HttpRequest, form: GrantForm) -> HttpResponse:
    try:
        grant = give_grant(**form.wanted, context=page_context(request, reason=form.cleaned_data["reason"]))
    except ValidationError as error:
        form.refuse(error)
        return _form(request, form, status=UNPROCESSABLE)
    messages.success(request, f"{_sentence_start(grant)} has the access “{grant}” now.")
    return redirect(address_of(grant))


def _words(grant: AccessGrant) -> dict[str, Any]:
    members: QuerySet[User] = (
        grant.group.user_set.order_by("username") if grant.group else User.objects.none()
    )
    return {
        "grant": grant,
        "who": _sentence_start(grant),
        "name": grant.person.label if grant.person else str(grant.group),
        "gives": what_it_gives(grant),
        "until": until(grant),
        "members": members.count(),
        "some_members": [person.label for person in members[:5]],
        "is_group": grant.group is not None,
    }


def _others(grant: AccessGrant) -> list[AccessGrant]:
    """What whoever has it holds beside it; for a person, by groups too."""
    grants = AccessGrant.objects.in_force().exclude(pk=grant.pk).with_places()
    return list(grants.of(grant.person) if grant.person else grants.filter(group=grant.group))


def _sentence_start(grant: AccessGrant) -> str:
    return grant.person.label if grant.person else f"The group {grant.group}"


def _back(request: HttpRequest) -> str:
    """The page that the form was opened from, as far as its address says."""
    holder = request.GET.get("holder", "")
    if person := User.objects.filter(username=holder).first():
        return reverse("orgs:person_detail", args=[person.pk])
    group = Group.objects.filter(name=holder.removeprefix("group:")).first() if holder else None
    return reverse("orgs:group_detail", args=[group.pk]) if group else reverse("orgs:grant_list")
