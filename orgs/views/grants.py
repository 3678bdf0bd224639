"""Pages that give a person a role, and take it back."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from audit.context import page_context
from orgs.access import Right, require
from orgs.forms_grants import GrantForm
from orgs.grants import end_grant, give_grant
from orgs.models import AccessGrant, Role
from orgs.views.people import role_words
from portal.models import User


@require_http_methods(["GET", "POST"])
def grant_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a person a role somewhere."""
    require(request.user, Right.PEOPLE)
    person = get_object_or_404(User, pk=pk)
    form = GrantForm(request.POST or None, initial={"place": request.GET.get("place", "")})
    if form.is_valid():
        try:
            _give(form, person, request)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{person.label} has the access now.")
            return redirect("orgs:person_detail", pk)
    context = {"form": form, "person": person, "role_rights": role_words()}
    return render(request, "orgs/grant_create.html", context, status=422 if form.errors else 200)


@require_POST
def grant_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a grant back now."""
    require(request.user, Right.PEOPLE)
    grant = get_object_or_404(AccessGrant, pk=pk)
    try:
        end_grant(grant, context=page_context(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"The access “{grant}” has ended.")
    return redirect("orgs:person_detail", grant.person_id)


def _give(form: GrantForm, person: User, request: HttpRequest) -> None:
    wanted = form.cleaned_data
    give_grant(
        person,
        Role(wanted["role"]),
        place=wanted["place"],
        contact_types=wanted["contact_types"],
        ends_at=form.ends_at,
        context=page_context(request),
    )
