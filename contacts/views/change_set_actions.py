"""What people do with a change set: submit, discard, pause, resume, cancel the rest."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from audit.context import page_context
from contacts import change_sets, steering
from contacts.bulk import steps
from contacts.bulk.plan import choose, optional_rows
from contacts.bulk.progress import progress_of
from contacts.bulk.undo import plan_retry, plan_roll_back, plan_roll_back_of
from contacts.finding import get_change_for, get_change_set_for
from contacts.forms_change_set import SubmitForm
from contacts.models import ChangeSet, ContactChange, SetStatus
from contacts.views.change_sets import set_page
from contacts.views.paging import pk_of
from portal.confirming import breaks_glass, confirmed_where

Move = Callable[..., ChangeSet]


@require_POST
@confirmed_where(breaks_glass)
def change_set_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the plan on its way; what stands in its way is shown on the same page, with the typing kept."""
    change_set = get_change_set_for(request.user, pk)
    steps.require_author(request.user, change_set)
    form = SubmitForm(request.POST, change_set=change_set)
    if not form.is_valid():
        return set_page(request, change_set, form, status=422)
    why = {"reason": form.cleaned_data["reason"], "ticket": form.cleaned_data["ticket"]}
    try:
        change_set = change_sets.submit(
            change_set,
            context=page_context(request, **why),
            plan_hash=form.cleaned_data["plan_hash"],
            without_refused=form.cleaned_data.get("without_refused", False),
            break_glass="break_glass" in request.POST,
        )
    except ValidationError as error:
        return _not_submitted(request, get_change_set_for(request.user, pk), form, error)
    messages.info(request, _submitted_words(change_set))
    return redirect("contacts:change_set_detail", pk)


@require_POST
def change_set_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a plan back that was never sent."""
    return _move(request, pk, change_sets.withdraw, "Discarded. Nothing was sent.")


@require_POST
def change_set_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Send nothing more for now."""
    return _move(request, pk, steering.pause, "Paused. What is on its way to AWS comes to its end.")


@require_POST
def change_set_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on where it was paused."""
    return _move(request, pk, steering.resume, "Resumed.")


@require_http_methods(["GET", "HEAD", "POST"])
def change_set_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what would be cancelled; then take back what was not sent yet."""
    if request.method == "POST":
        return _move(request, pk, steering.cancel_rest, "What was not sent yet is being cancelled.")
    change_set = get_change_set_for(request.user, pk)
    if not steps.has_a_say(request.user, change_set):
        raise PermissionDenied("Only its author, or somebody who may approve, may cancel the rest.")
    context = {"change_set": change_set, "progress": progress_of(change_set)}
    return render(request, "contacts/change_set_cancel.html", context)


@require_POST
def change_set_choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Have lines that the plan left out be sent after all. Those of other pages stay as they are."""
    change_set = get_change_set_for(request.user, pk)
    try:
        choose(change_set, _chosen(request, change_set), context=page_context(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.info(request, "The plan is another one now. Look at it, then send it.")
    return redirect(f"{reverse('contacts:change_set_detail', args=[pk])}?show=left_out")


@require_POST
def change_set_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a plan of what failed, met another value, or was skipped."""
    change_set = get_change_set_for(request.user, pk)
    return _plan_anew(request, partial(plan_retry, change_set), change_set)


@require_POST
def change_set_roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a plan that restores what was there before."""
    change_set = get_change_set_for(request.user, pk)
    return _plan_anew(request, partial(plan_roll_back, change_set), change_set)


@require_POST
def change_roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for one change."""
    change = get_change_for(request.user, pk)
    return _plan_anew(request, partial(plan_roll_back_of, change), change)


def _plan_anew(
    request: HttpRequest, plan: Callable[..., ChangeSet], source: ChangeSet | ContactChange
) -> HttpResponse:
    """On to the new plan; or back, with why there is none."""
    try:
        change_set = plan(context=page_context(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        name = "change_detail" if isinstance(source, ContactChange) else "change_set_detail"
        return redirect(f"contacts:{name}", source.pk)
    messages.info(request, "This is a new plan. Nothing is sent before you submit it.")
    return redirect("contacts:change_set_detail", change_set.pk)


def _chosen(request: HttpRequest, change_set: ChangeSet) -> set[int]:
    """All that shall be sent: as ticked on this page, as before elsewhere; or every one, or none."""
    optional = optional_rows(change_set)
    if "every" in request.POST:
        return set(optional.values_list("pk", flat=True))
    before = set(optional.filter(is_left_out=False).values_list("pk", flat=True))
    return (before - _pks(request, "shown")) | _pks(request, "chosen")


def _pks(request: HttpRequest, name: str) -> set[int]:
    return {pk for text in request.POST.getlist(name) if (pk := pk_of(text)) is not None}


def _move(request: HttpRequest, pk: int, move: Move, words: str) -> HttpResponse:
    change_set = get_change_set_for(request.user, pk)
    try:
        move(change_set, context=page_context(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.info(request, words)
    return redirect("contacts:change_set_detail", pk)


def _not_submitted(
    request: HttpRequest, change_set: ChangeSet, form: SubmitForm, error: ValidationError
) -> HttpResponse:
    """What stands in the way, beside what was typed; or only in words, when the form is gone."""
    if change_set.status != SetStatus.PLANNED:
        messages.error(request, " ".join(error.messages))
        return redirect("contacts:change_set_detail", change_set.pk)
    form.show_anew(change_set)
    form.add_error(None, error)
    return set_page(request, change_set, form, status=422)


def _submitted_words(change_set: ChangeSet) -> str:
    if change_set.status == SetStatus.WAITING:
        return "Sent to the approvers. Nothing goes to AWS before one of them agrees."
    return "On its way. Each change counts as applied when AWS has confirmed it."
