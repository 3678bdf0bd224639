"""The page that says why somebody can, or cannot, do something."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from contacts.forms_why import WhyForm
from contacts.why import answer
from orgs.access import Right, has_right


@require_safe
def access_why(request: HttpRequest) -> HttpResponse:
    """Ask, and read the answer. Everybody may ask about themselves, of the accounts that they see."""
    is_asked = "right" in request.GET
    form = WhyForm(request.GET if is_asked else None, user=request.user, initial=request.GET.dict())
    context = {
        "form": form,
        "answer": answer(form.question) if form.is_valid() else None,
        "is_manager": has_right(request.user, Right.PEOPLE),
        "here": "why",
    }
    return render(request, "contacts/access_why.html", context, status=422 if form.errors else 200)
