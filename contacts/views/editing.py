"""Pages that change a contact: edit, preview while typing, copy from elsewhere, delete."""

from dataclasses import astuple
from typing import Any, TypeVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.context import page_context
from contacts.approval import Weight, why_needed
from contacts.cards import why_fixed, wish_of
from contacts.changes import Stale, open_change_of, request_change, seen_of
from contacts.finding import NOT_FOUND, get_contact_for
from contacts.forms import ContactForm, WhyForm, initial_of
from contacts.models import AlternateContact, ChangeStatus, ContactChange
from contacts.preview import preview_of
from contacts.sources import copies_for, same_elsewhere, source_of
from contacts.units import unit_names
from orgs.access import Right, has_right, require_can_edit
from portal.aws import ContactDetails
from portal.confirming import breaks_glass, confirmed_where

AnyForm = TypeVar("AnyForm", bound=WhyForm)
LOSSES = {
    "BILLING": "Mail about invoices and payment then goes to the account's own address alone.",
    "OPERATIONS": "Mail about outages and maintenance then goes to the account's own address alone.",
    "SECURITY": "Mail about abuse and vulnerabilities then goes to the account's own address alone.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_where(breaks_glass)
def contact_edit(request: HttpRequest, account_id: str, contact_type: str) -> HttpResponse:
    """Ask for other values of a contact, or for its first ones."""
    contact = _editable(request, account_id, contact_type)
    form = _form(ContactForm, request, contact, initial=_initial(request, contact))
    if request.method == "POST" and form.is_valid():
        return _ask(request, contact, form, "contacts/contact_edit.html", wanted=form.details)
    return _page(request, contact, form, "contacts/contact_edit.html")


@require_POST
def contact_preview(request: HttpRequest, account_id: str, contact_type: str) -> HttpResponse:
    """What the typed values would change. Posted, so that no log of addresses holds them."""
    contact = _editable(request, account_id, contact_type)
    form = ContactForm(request.POST)
    return render(
        request, "contacts/_preview.html", {"preview": preview_of(contact, form, request.user), "swaps": True}
    )


@require_safe
def contact_copy(request: HttpRequest, account_id: str, contact_type: str) -> HttpResponse:
    """Choose a contact to start from: another type of this account, or one of another account."""
    contact = _editable(request, account_id, contact_type)
    text = request.GET.get("q", "").strip()
    context = {"contact": contact, "account": contact.account, "way": unit_names(contact.account), "q": text}
    return render(request, "contacts/contact_copy.html", context | copies_for(request.user, contact, text))


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_where(breaks_glass)
def contact_delete(request: HttpRequest, account_id: str, contact_type: str) -> HttpResponse:
    """Ask for a contact to be deleted, having seen what is lost."""
    contact = _editable(request, account_id, contact_type)
    form = _form(WhyForm, request, contact, initial=initial_of(None, seen_of(contact)))
    if request.method == "POST" and form.is_valid():
        return _ask(request, contact, form, "contacts/contact_delete.html", wanted=None)
    return _page(request, contact, form, "contacts/contact_delete.html")


def _editable(request: HttpRequest, account_id: str, contact_type: str) -> AlternateContact:
    contact = get_contact_for(request.user, account_id, contact_type)
    require_can_edit(request.user, contact.account, contact_type)
    return contact


def _form(
    form_class: type[AnyForm], request: HttpRequest, contact: AlternateContact, initial: dict[str, Any]
) -> AnyForm:
    """The form as this person gets it: the way round an approval only where one is needed."""
    is_held = bool(_reasons(request, contact, deletes=form_class is WhyForm))
    may_break_glass = is_held and has_right(request.user, Right.BREAK_GLASS)
    return form_class(request.POST or None, initial=initial, may_break_glass=may_break_glass)


def _reasons(request: HttpRequest, contact: AlternateContact, *, deletes: bool) -> list[str]:
    """Why asking for this will need an approval; empty when it will not."""
    return why_needed(request.user, Weight.of_one(contact, deletes=deletes))


def _initial(request: HttpRequest, contact: AlternateContact) -> dict[str, Any]:
    """What the form opens with: a wish to ask for again, a copy, the open wish, or what AWS has."""
    seen = seen_of(contact)
    if "from_change" in request.GET:
        return initial_of(_change_of(contact, request.GET["from_change"]).wanted_details, seen)
    if "copy_from" in request.GET:
        return initial_of(source_of(request.user, request.GET["copy_from"]).details, seen)
    waiting = open_change_of(contact)
    return initial_of((waiting and waiting.wanted_details) or contact.details, seen)


def _change_of(contact: AlternateContact, pk: str) -> ContactChange:
    change = contact.changes.filter(pk=pk).first() if pk.isdecimal() else None
    if change is None:
        raise Http404(NOT_FOUND)
    return change


def _ask(
    request: HttpRequest,
    contact: AlternateContact,
    form: WhyForm,
    template: str,
    *,
    wanted: ContactDetails | None,
) -> HttpResponse:
    """Ask for the change; what stands in its way is shown on the same page, with the typing kept."""
    why = {"reason": form.cleaned_data["reason"], "ticket": form.cleaned_data["ticket"]}
    try:
        change = request_change(
            contact.account,
            contact.contact_type,
            wanted,
            context=page_context(request, **why),
            seen=form.cleaned_data["seen"],
            break_glass=form.cleaned_data.get("break_glass", False),
        )
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, contact, form, template)
    except Stale as stale:
        form.show_anew(stale.seen)
        return _page(request, stale.contact, form, template, stale=stale)
    _say_what_was_done(request, change, form)
    return redirect("contacts:account_detail", contact.account.aws_id)


def _say_what_was_done(request: HttpRequest, change: ContactChange, form: WhyForm) -> None:
    """One message: what was asked for, what was trimmed, and what a colleague would remark."""
    words = [f"{change.contact.get_contact_type_display()}: {_asked_words(change)}"]
    remarks: list[str] = []
    if isinstance(form, ContactForm):
        if form.trimmed:
            words.append(f"Spaces around these values were removed: {', '.join(form.trimmed)}.")
        remarks = list(preview_of(change.contact, form, request.user).advice.values())
    level = messages.WARNING if remarks else messages.INFO
    # What is said of a change under way goes when it has ended; see static/js/app.js.
    passing = "under-way" if change.status != ChangeStatus.WAITING else ""
    messages.add_message(request, level, " ".join(words + remarks), extra_tags=passing)


def _asked_words(change: ContactChange) -> str:
    """What happens next."""
    if change.status == ChangeStatus.WAITING:
        return "asked for. It waits for approval, and nothing is sent before."
    words = "asked for. It counts as applied when AWS has confirmed it."
    if change.change_set and change.change_set.broke_glass:
        return f"{words} Nobody has approved it yet: the approvers are told."
    return words


def _page(
    request: HttpRequest,
    contact: AlternateContact,
    form: WhyForm,
    template: str,
    *,
    stale: Stale | None = None,
) -> HttpResponse:
    waiting = stale.open_change if stale else open_change_of(contact)
    context = {
        "contact": contact,
        "account": contact.account,
        "form": form,
        "wish": wish_of(waiting, may_edit=True) if waiting else None,
        "stale": stale is not None,
        "mine": "Delete it",
        "way": unit_names(contact.account),
        "fixed": why_fixed(contact.account),
        "loss": LOSSES[contact.contact_type],
        "elsewhere": same_elsewhere(request.user, contact),
        "reasons": _reasons(request, contact, deletes=not isinstance(form, ContactForm)),
    }
    if isinstance(form, ContactForm):
        context |= {
            "preview": preview_of(contact, form, request.user),
            "mine": ", ".join(astuple(form.typed)),
        }
    return render(request, template, context, status=409 if stale else 200)
