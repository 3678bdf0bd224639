"""Pages of groups: the list, a new one, one with its members and its access, and its end."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.context import page_context
from orgs.access import Right, require
from orgs.finding import people_named
from orgs.forms_grants import GroupFilter, GroupForm, MemberForm
from orgs.grants import add_member, create_group, delete_group, remove_member
from orgs.models import AccessGrant, ProviderMembership
from orgs.role_words import role_words
from orgs.views.lists import FilteredList
from portal.confirming import confirmed
from portal.models import User

UNPROCESSABLE = 422
MEMBERS_A_PAGE = 25
HISTORY = 20


class GroupList(FilteredList):
    """Every group, with how many members and grants it has."""

    template_name = "orgs/group_list.html"
    filter_class = GroupFilter

    def get_queryset(self) -> QuerySet[Group]:
        grants = AccessGrant.objects.in_force().filter(group=OuterRef("pk")).order_by()
        held = Subquery(grants.values("group").annotate(n=Count("pk")).values("n"))
        groups = Group.objects.annotate(members=Count("user"), held=Coalesce(held, 0)).order_by("name")
        for word in self.form.wanted().get("q", "").split():
            groups = groups.filter(name__icontains=word)
        return groups

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"here": "groups"}


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
def group_create(request: HttpRequest) -> HttpResponse:
    """A new group."""
    require(request.user, Right.PEOPLE)
    form = GroupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            group = create_group(form.cleaned_data["name"], context=page_context(request))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The group {group} is made. Add its members, and give it access.")
            return redirect("orgs:group_detail", group.pk)
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "orgs/group_create.html", {"form": form}, status=status)


@require_safe
def group_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One group: its members, its access, and what it had."""
    require(request.user, Right.PEOPLE)
    return _page(request, get_object_or_404(Group, pk=pk), MemberForm())


@require_POST
@confirmed
def group_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one person more be in the group."""
    require(request.user, Right.PEOPLE)
    group = get_object_or_404(Group, pk=pk)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _page(request, group, form, status=UNPROCESSABLE)
    person = form.cleaned_data["person"]
    add_member(group, person, context=page_context(request))
    messages.success(request, f"{person.label} is in the group {group}.")
    return redirect("orgs:group_detail", pk)


@require_POST
@confirmed
def group_remove(request: HttpRequest, pk: int, person_pk: int) -> HttpResponse:
    """Let a person be in the group no longer."""
    require(request.user, Right.PEOPLE)
    group = get_object_or_404(Group, pk=pk)
    person = get_object_or_404(User, pk=person_pk)
    try:
        remove_member(group, person, context=page_context(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{person.label} is no longer in the group {group}.")
    return redirect("orgs:group_detail", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
def group_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """What is lost with a group, and its end."""
    require(request.user, Right.PEOPLE)
    group = get_object_or_404(Group, pk=pk)
    problems: list[str] = []
    if request.method == "POST":
        try:
            delete_group(group, context=page_context(request))
        except ValidationError as error:
            problems = error.messages
        else:
            messages.success(request, f"The group {group.name} is deleted.")
            return redirect("orgs:group_list")
    context = {
        "group": group,
        "members": group.user_set.count(),
        "grants": list(group.grants.in_force().with_places()),
        "ended": group.grants.ended().count(),
        "problems": problems,
    }
    return render(request, "orgs/group_delete.html", context, status=UNPROCESSABLE if problems else 200)


def _page(request: HttpRequest, group: Group, form: MemberForm, status: int = 200) -> HttpResponse:
    text = request.GET.get("q", "").replace("\0", "")
    lent = ProviderMembership.objects.filter(group=group)
    people = people_named(group.user_set.order_by("username"), text)
    people = people.annotate(is_lent=Exists(lent.filter(user=OuterRef("pk"))))
    context = {
        "group": group,
        "form": form,
        "q": text,
        "page_obj": Paginator(people, MEMBERS_A_PAGE).get_page(request.GET.get("page")),
        "members": group.user_set.count(),
        "lent": lent.count(),
        "grants": list(group.grants.in_force().with_places()),
        "ended": list(group.grants.ended().with_places().order_by("-ends_at")[:HISTORY]),
        "role_rights": role_words(),
    }
    return render(request, "orgs/group_detail.html", context, status=status)
