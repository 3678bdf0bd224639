"""Pages of approvals: what waits for a decision, the decision, and the rules."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.context import page_context
from contacts.approval import get_rules, save_rules
from contacts.approving import (
    approvers,
    decided_words,
    decision_form,
    inbox_of,
    own_requests,
    panel_for,
    rules_in_words,
    waiting_sets,
)
from contacts.change_sets import decide
from contacts.finding import get_change_set_for
from contacts.forms_approval import DecisionForm, RulesForm
from contacts.models import ChangeSet, Decision
from contacts.within import require_right_to
from orgs.access import Right, require
from portal.confirming import confirmed

PAGE_SIZE = 25
UNPROCESSABLE = 422


@require_safe
def approval_list(request: HttpRequest) -> HttpResponse:
    """What waits for this approver, and what they asked for themselves."""
    require(request.user, Right.APPROVE)
    page = Paginator(inbox_of(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "waiting": waiting_sets(list(page), request.user),
        "own": waiting_sets(list(own_requests(request.user)), request.user),
        "rules": rules_in_words(get_rules()),
    }
    return render(request, "contacts/approval_list.html", context)


@require_POST
@confirmed
def change_set_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or refuse the very plan that was shown."""
    change_set = get_change_set_for(request.user, pk)
    require_right_to(request.user, Right.APPROVE, change_set)
    form = decision_form(change_set, request.POST)
    if not form.is_valid():
        return _undecided(request, change_set, form)
    try:
        change_set = decide(
            change_set,
            Decision(form.cleaned_data["decision"]),
            note=form.cleaned_data["note"],
            plan_hash=form.cleaned_data["plan_hash"],
            context=page_context(request),
        )
    except ValidationError as error:
        form.refuse(error)
        return _undecided(request, change_set, form)
    messages.info(request, decided_words(change_set))
    if "inbox" in request.POST:
        return redirect("contacts:approval_list")
    return redirect("contacts:change_set_detail", change_set.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
def approval_rules(request: HttpRequest) -> HttpResponse:
    """The rules in force; administrators put others in force."""
    require(request.user, Right.RULES if request.method == "POST" else Right.APPROVE)
    form = RulesForm.of(get_rules(), request.POST if request.method == "POST" else None)
    if form.is_valid():
        save_rules(form.rules, context=page_context(request))
        messages.info(request, "The rules are saved. Requests that wait keep the rules they came under.")
        return redirect("contacts:approval_rules")
    context = {"form": form, "rules": rules_in_words(get_rules()), "approvers": approvers()}
    return render(request, "contacts/approval_rules.html", context, status=_code_of(form))


def _undecided(request: HttpRequest, change_set: ChangeSet, form: DecisionForm) -> HttpResponse:
    """Why it was not decided, with the note kept; a plan that moved has to be looked at first."""
    change_set.refresh_from_db()
    [waiting] = waiting_sets([change_set], request.user)
    was_shown = form["plan_hash"].value() == change_set.plan_hash
    context = {
        "change_set": change_set,
        "waiting": waiting,
        "form": form,
        "panel": panel_for(request.user, change_set, form) if was_shown else None,
    }
    return render(request, "contacts/approval_decide.html", context, status=UNPROCESSABLE)


def _code_of(form: RulesForm) -> int:
    return UNPROCESSABLE if form.errors else 200
