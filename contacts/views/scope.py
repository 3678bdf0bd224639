"""The accounts that a bulk change is about, as the URL names them: those ticked, or all that match."""

from dataclasses import dataclass

from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from contacts.filter_bar import ActiveFilter, active_filters
from contacts.filters import LEFT, AccountFilter
from contacts.finding import contacts_visible_to
from contacts.models import AlternateContact, ContactStatus, ContactType
from contacts.views.lists import NO_FILTERS, filterset_of
from orgs.access import Right, has_right, visible_to
from orgs.models import Account

TICKED, ALL = "ticked", "all"  # values of "select": the rows that are ticked, or all that match

Fields = list[tuple[str, str]]


class NothingTicked(Exception):
    """Rows were to be ticked, and none was. All accounts are never meant by that."""


@dataclass(frozen=True)
class Selecting:
    """How the account list lets its rows be ticked."""

    is_all: bool
    fields: Fields  # what its form carries: the filters where all that match are meant


@dataclass(frozen=True)
class Scope:
    """The accounts, and how the address names them."""

    accounts: QuerySet[Account]
    contacts: QuerySet[AlternateContact]  # all that the person may see, of these accounts and of others
    count: int
    filters: list[ActiveFilter]
    contact_type: str
    fields: Fields

    @property
    def query(self) -> str:
        """The query string of any address that is about the same accounts, the list's among them."""
        return urlencode(self.fields)

    @property
    def back(self) -> str:
        """The list of these accounts."""
        return f"{reverse('contacts:account_list')}?{self.query}".rstrip("?")


@dataclass(frozen=True)
class Standing:
    """How many contacts of one type are set in the scope, not set, and unknown."""

    label: str
    set: int
    absent: int
    unknown: int


def selecting_in(request: HttpRequest, form: forms.BaseForm) -> Selecting | None:
    """How rows are ticked; None where that leads nowhere: for readers, and for accounts that left."""
    wanted = getattr(form, "cleaned_data", {})
    if not has_right(request.user, Right.EDIT) or wanted.get("state") == LEFT:
        return None
    is_all = request.GET.get("select") == ALL
    return Selecting(is_all, _filter_fields(request.GET) if is_all else [])


def scope_in(request: HttpRequest) -> Scope:
    """What the URL is about. Raises BadRequest, and NothingTicked."""
    query = request.GET
    if query.get("select") == TICKED and not any(query.getlist("id")):
        raise NothingTicked
    filterset = filterset_of(AccountFilter, request, visible_to(request.user))
    fields = [(name, value) for name, value in _filter_fields(query) if name in filterset.form.fields]
    return Scope(
        accounts=filterset.qs,
        contacts=contacts_visible_to(request.user),
        count=filterset.qs.count(),
        filters=active_filters(filterset.form, query, without={"sort"}),
        contact_type=query.get("type", ""),
        fields=fields,
    )


def standings_in(scope: Scope) -> list[Standing]:
    """What stands there now, by type."""
    contacts = scope.contacts.filter(account__in=scope.accounts.order_by().values("pk")).order_by()
    counts = {
        (kind, status): count
        for kind, status, count in contacts.values_list("contact_type", "status").annotate(Count("pk"))
    }
    return [
        Standing(kind.label, *(counts.get((kind, status), 0) for status in ContactStatus))
        for kind in ContactType
        if any(counted == kind for counted, _ in counts)
    ]


def _filter_fields(query: QueryDict) -> Fields:
    return [
        (name, value) for name, values in query.lists() if name not in NO_FILTERS for value in values if value
    ]
