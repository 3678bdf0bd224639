"""Pages of accounts: the list, one account, its live cards, and Check now."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from audit.context import page_context
from contacts.account_rows import reached_by, row_of, scope_words, state_of, with_contacts
from contacts.cards import cards_of, seconds_until_next_look, why_fixed
from contacts.checking import request_check
from contacts.filters import AccountFilter
from contacts.finding import contacts_visible_to, get_account_for
from contacts.models import ContactType
from contacts.timeline import timeline_of
from contacts.units import unit_names, unit_tree
from contacts.views.lists import FilteredList, order_of
from contacts.views.scope import selecting_in
from orgs.access import Right, can, scope_of, sees_whole, visible_to
from orgs.models import Account
from portal.aws import Unavailable


class AccountList(FilteredList):
    """Every account with its three contacts."""

    template_name = "contacts/account_list.html"
    filterset_class = AccountFilter
    chosen = ("type", "contact")
    kept = ("organization", "unit", "id")
    counted = None  # “all that match” can be selected, and that is an exact number

    def all_rows(self) -> QuerySet[Account]:
        user = self.request.user
        return with_contacts(visible_to(user), contacts_visible_to(user))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        query, seen = self.request.GET, scope_of(self.request.user, Right.VIEW)
        return context | {
            "rows": [row_of(account, seen) for account in context["object_list"]],
            "tree": unit_tree(self.request.user, query),
            "scope": scope_words(context["form"]),
            "contact_types": [ContactType(name) for name in seen.types],
            "order": order_of(query, "name", default="name"),
            "selecting": selecting_in(self.request, context["form"]),
        }


@require_safe
def account_detail(request: HttpRequest, account_id: str) -> HttpResponse:
    """One account: its contacts, what happened to it, and what it is."""
    account = get_account_for(request.user, account_id)
    return render(request, "contacts/account_detail.html", _account_context(request, account))


@require_safe
def account_cards(request: HttpRequest, account_id: str) -> HttpResponse:
    """The part of the account page that lives; it stops asking when nothing is going on."""
    account = get_account_for(request.user, account_id)
    context = _account_context(request, account) | {"is_answer": True}
    return render(request, "contacts/_account_live.html", context)


@require_POST
def account_check(request: HttpRequest, account_id: str) -> HttpResponse:
    """Have AWS read now."""
    account = get_account_for(request.user, account_id)
    try:
        request_check(account, context=page_context(request))
    except Unavailable as error:
        messages.error(request, f"{error.cause.label} {error.cause.remedy}")
    return redirect("contacts:account_detail", account.aws_id)


def _account_context(request: HttpRequest, account: Account) -> dict[str, Any]:
    user = request.user
    cards = cards_of(account, user)
    return {
        "account": account,
        "has_unit_in_list": scope_of(user, Right.VIEW).covers_unit_of(account),
        "may_check": can(user, Right.CHECK, account),
        "may_audit": bool(scope_of(user, Right.AUDIT).covers(account)),
        "way": unit_names(account),
        "state": state_of(account) or "active",
        "fixed": why_fixed(account),
        "reached_by": reached_by(account, is_whole=sees_whole(user, account.organization_id)),
        "cards": cards,
        "deletable": [card for card in cards if card.may_delete],
        "editable_types": [card.contact.get_contact_type_display() for card in cards if card.may_edit],
        "next_look": seconds_until_next_look(cards),
        "entries": timeline_of(account, user),
    }
