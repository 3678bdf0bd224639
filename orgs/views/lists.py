"""What the lists of people, groups and grants share: filters from the URL, pages, “x of y”."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic import ListView

from orgs.access import Right, require
from orgs.forms import FilterForm


class FilteredList(ListView):
    """A list that is filtered by the URL; chosen names the filters that stand in the bar as selects."""

    paginate_by = 50
    filter_class: type[FilterForm]
    chosen: tuple[str, ...] = ()
    form: FilterForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.require_may(request.user)
        self.form = self.filter_class(request.GET)
        return super().dispatch(request, *args, **kwargs)

    def require_may(self, user: Any) -> None:
        """Raise PermissionDenied unless the user may see the list."""
        require(user, Right.PEOPLE)

    def paginate_queryset(self, queryset: Any, page_size: int) -> tuple[Paginator, Page, Any, bool]:
        """A page beyond the end is the last one. Any: as the generic view has it."""
        page = self.get_paginator(queryset, page_size).get_page(self.request.GET.get("page"))
        return page.paginator, page, page.object_list, page.has_other_pages()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "form": self.form,
            "chosen_fields": [self.form[name] for name in self.chosen],
            "is_filtered": bool(self.form.wanted()),
        }
