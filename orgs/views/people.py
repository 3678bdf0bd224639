"""Pages of people: the list, one person, a new one, and one's own profile."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.context import page_context
from orgs import people
from orgs.access import Right, people_with_role, require, role_names_of
from orgs.finding import people_named
from orgs.forms import (
    DetailsForm,
    PasswordForm,
    PersonFilter,
    PersonForm,
    PlainForm,
    ProfileForm,
)
from orgs.leaving import hide_name, name_of_former
from orgs.models import AccessGrant, Role
from orgs.role_words import role_words
from orgs.views.lists import FilteredList
from portal.confirming import confirmed
from portal.models import User

HISTORY = 20  # grants that ended
FORMS: dict[str, type[PlainForm]] = {"details": DetailsForm, "password": PasswordForm}


class PersonList(FilteredList):
    """Everybody who may sign in, or once might."""

    template_name = "orgs/person_list.html"
    filter_class = PersonFilter
    chosen = ("role", "state")

    def get_queryset(self) -> QuerySet[User]:
        users: QuerySet[User] = User.objects.all()
        for field, value in self.form.wanted().items():
            users = _FILTERS[field](users, value)
        return users.order_by("-is_active", "username")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        roles = role_names_of(context["object_list"])
        for person in context["object_list"]:
            person.roles = roles[person.pk]
        return context | {"here": "people"}


_FILTERS: dict[str, Callable[[QuerySet[User], str], QuerySet[User]]] = {
    "q": people_named,
    "role": lambda users, value: users.filter(pk__in=people_with_role(Role(value)).values("pk")),
    "state": lambda users, value: users.filter(is_active=value == "active"),
}


@require_safe
def person_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: names, access, whether they may sign in."""
    require(request.user, Right.PEOPLE)
    return _person_page(request, get_object_or_404(User, pk=pk))


@require_POST
@confirmed
def person_details(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the names and the e-mail address of a person."""
    return _change(request, pk, "details", people.change_details, "The details are saved.")


@require_POST
@confirmed
def person_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a person a new password."""
    return _change(
        request, pk, "password", people.set_password, "The password is changed; their sessions ended."
    )


@require_POST
@confirmed
def person_active(request: HttpRequest, pk: int) -> HttpResponse:
    """Deactivate a person, or let them sign in again."""
    require(request.user, Right.PEOPLE)
    person = get_object_or_404(User, pk=pk)
    is_active = request.POST.get("active") == "yes"
    try:
        people.set_active(person, is_active, context=page_context(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        did = "may sign in again." if is_active else "is deactivated; their sessions ended."
        messages.success(request, f"{person.label} {did}")
    return redirect("orgs:person_detail", pk)


@require_POST
@confirmed
def person_former(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a person who left under another name, for good."""
    require(request.user, Right.PEOPLE)
    person = get_object_or_404(User, pk=pk)
    if request.POST.get("sure") != "yes":
        messages.error(request, "Nothing was changed. Tick that you know that this cannot be undone.")
        return redirect("orgs:person_detail", pk)
    try:
        hide_name(person, context=page_context(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"This person is shown as {name_of_former(person)} from now on.")
    return redirect("orgs:person_detail", pk)


@require_http_methods(["GET", "POST"])
@confirmed
def person_create(request: HttpRequest) -> HttpResponse:
    """A new person."""
    require(request.user, Right.PEOPLE)
    form = PersonForm(request.POST or None)
    if form.is_valid():
        try:
            person = people.create_user(**form.cleaned_data, context=page_context(request))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _welcome(person))
            return redirect("orgs:person_detail", person.pk)
    return render(request, "orgs/person_create.html", {"form": form, "role_rights": role_words()})


def _welcome(person: User) -> str:
    if settings.PASSWORD_SIGN_IN:
        return f"{person.label} may sign in now as {person.username}."
    return (
        f"{person.label} is here, and has no password. The operator of the portal links {person.username} "
        "to the identity provider: manage.py link_person."
    )


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """One's own profile: looks, time zone, and the way to sign-in security."""
    user = cast(User, request.user)  # nobody gets here without signing in
    form = ProfileForm(request.POST or None, initial=_values(user, people.PROFILE))
    if form.is_valid():
        people.change_profile(user, **form.cleaned_data, context=page_context(request))
        messages.success(request, "Your profile is saved.")
        return redirect("orgs:profile")
    return render(request, "orgs/profile.html", {"form": form})


def _change(
    request: HttpRequest, pk: int, part: str, function: Callable[..., None], done: str
) -> HttpResponse:
    """Save one part of a person's page by its function; on a mistake the page keeps the typing."""
    require(request.user, Right.PEOPLE)
    person = get_object_or_404(User, pk=pk)
    form = FORMS[part](request.POST)
    if form.is_valid():
        try:
            function(person, **form.cleaned_data, context=page_context(request))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, done)
            return redirect("orgs:person_detail", pk)
    return _person_page(request, get_object_or_404(User, pk=pk), status=422, **{part: form})


def _person_page(
    request: HttpRequest, person: User, *, status: int = 200, **bound: PlainForm
) -> HttpResponse:
    forms: dict[str, PlainForm] = {"details": DetailsForm(initial=_values(person, people.DETAILS))}
    if settings.PASSWORD_SIGN_IN:
        forms["password"] = PasswordForm()
    context = {"person": person, "forms": forms | bound, "role_rights": role_words()}
    grants = AccessGrant.objects.of(person).with_places()
    context["grants"] = list(grants.in_force())
    context["ended"] = list(grants.ended().order_by("-ends_at")[:HISTORY])
    context["groups"] = list(person.groups.order_by("name"))
    context |= {"is_oneself": person == request.user, "former_name": name_of_former(person)}
    return render(request, "orgs/person_detail.html", context, status=status)


def _values(user: User, fields: tuple[str, ...]) -> dict[str, str]:
    return {name: getattr(user, name) for name in fields}
