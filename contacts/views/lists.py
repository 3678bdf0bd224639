"""What the lists share: a right, filters from the URL, page size, “x of y”."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import django_filters
from django.core.exceptions import BadRequest
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.views.generic import ListView
from django_htmx.http import push_url

from contacts.filter_bar import filter_bar, query_with, tidy
from contacts.units import FIND
from contacts.views.numbered import COUNTED, KeyPaginator
from orgs.access import Right, require

PAGE_SIZES = (25, 50, 100)
NO_FILTERS = {"format", "page", "size", "select", FIND}


@dataclass(frozen=True)
class Order:
    """The head of a column that can be sorted by: how it is sorted now, and the way to the other order."""

    aria: str
    icon: str
    href: str


def order_of(query: QueryDict, name: str, *, default: str) -> Order:
    """How the list is sorted by this column."""
    sort = query.get("sort") or default
    if sort == name:
        return Order("ascending", "arrow-up", query_with(query, {"sort": f"-{name}"}))
    is_descending = sort == f"-{name}"
    href = query_with(query, {"sort": name})
    return Order("descending", "arrow-down", href) if is_descending else Order("none", "", href)


def page_size_of(request: HttpRequest) -> int:
    """The page size in the URL; one that is not offered is the smallest."""
    size = request.GET.get("size", "")
    return int(size) if size in map(str, PAGE_SIZES) else PAGE_SIZES[0]


class FilteredList(ListView):
    """A list of what the person may see, filtered by the URL."""

    right = Right.VIEW
    chosen: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    filterset_class: type[django_filters.FilterSet]
    counted: int | None = COUNTED

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        require(request.user, self.right)
        address = tidy(request)
        return push_url(super().dispatch(request, *args, **kwargs), address)

    def all_rows(self) -> QuerySet:
        """Everything the person may see."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet:
        self.filterset = self.filterset_class(self.request.GET, self.all_rows(), request=self.request)
        return self.filterset.qs if self.filterset.is_valid() else self.all_rows().none()

    def parts_of(self, rows: QuerySet) -> Sequence[QuerySet]:
        """The same rows as sets that follow each other, where their order is none that an index has."""
        return [rows]

    def get_paginate_by(self, queryset: QuerySet) -> int:
        return page_size_of(self.request)

    def paginate_queryset(self, queryset: Any, page_size: int) -> tuple[Paginator, Page, Any, bool]:
        """A page beyond the end is the last one: rows may vanish while somebody turns pages.

        Any: the generic view pages through lists as well.
        """
        parts = self.parts_of(queryset)
        paginator = KeyPaginator(parts, page_size, rows=self.all_rows(), limit=self.counted)
        number = self.request.GET.get("page")
        if self.counted is None and self.request.GET.get("q"):
            paginator.find_at_once(number)
        page = paginator.get_page(number)
        return paginator, page, page.object_list, page.has_other_pages()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form, query = self.filterset.form, self.request.GET
        bar = filter_bar(form, query, chosen=self.chosen, kept=self.kept)
        return (
            super().get_context_data(**kwargs)
            | bar
            | {
                "page_sizes": PAGE_SIZES,
                "page_size": page_size_of(self.request),
            }
        )


def filtered(
    filterset_class: type[django_filters.FilterSet], request: HttpRequest, rows: QuerySet
) -> QuerySet:
    """The rows that the list with this URL shows; a filter that makes no sense is a bad request."""
    return filterset_of(filterset_class, request, rows).qs


def filterset_of(
    filterset_class: type[django_filters.FilterSet], request: HttpRequest, rows: QuerySet
) -> django_filters.FilterSet:
    """The filters of this URL, which make sense."""
    filterset = filterset_class(request.GET, rows, request=request)
    if not filterset.is_valid():
        raise BadRequest(f"These filters make no sense: {', '.join(filterset.errors)}.")
    return filterset


def filters_in(query: QueryDict) -> dict[str, Any]:
    """The filters of a URL as the audit keeps them; a parameter that is repeated is a list."""
    wanted = {name: values for name, values in query.lists() if name not in NO_FILTERS}
    return {name: values[0] if len(values) == 1 else values for name, values in wanted.items()}
