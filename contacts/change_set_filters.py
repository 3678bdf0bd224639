"""The filters of the list of change sets, as they stand in the URL."""

import django_filters
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from contacts.finding import change_sets_visible_to
from contacts.models import ChangeSet, SetKind, SetStatus


def _who_planned(request: HttpRequest) -> QuerySet:
    """The people whose change sets the reader may see."""
    planned = change_sets_visible_to(request.user).filter(requested_by=OuterRef("pk"))
    return get_user_model().objects.filter(Exists(planned)).order_by("username")


class ChangeSetFilter(django_filters.FilterSet):
    """The list of change sets; plans that were discarded unsent show only when asked for."""

    q = django_filters.CharFilter(method="search", label="Title, file, reason or ticket")
    status = django_filters.ChoiceFilter(label="State", choices=SetStatus.choices, empty_label="Any")
    kind = django_filters.ChoiceFilter(label="Kind", choices=SetKind.choices, empty_label="Any")
    person = django_filters.ModelChoiceFilter(
        label="Asked for by",
        field_name="requested_by",
        queryset=_who_planned,
        to_field_name="username",
        empty_label="Anybody",
    )
    sort = django_filters.OrderingFilter(
        label="Sort by",
        fields={"pk": "asked"},
        choices=[("-asked", "Newest first"), ("asked", "Oldest first")],
        empty_label=None,
    )

    class Meta:
        model = ChangeSet
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """All filters; the newest first among equals."""
        queryset = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("status") != SetStatus.DISCARDED:
            queryset = queryset.exclude(status=SetStatus.DISCARDED, submitted_at=None)
        return queryset.order_by(*queryset.query.order_by, "-pk")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """By title, file name, reason or ticket."""
        words = Q(title__icontains=value) | Q(file_name__icontains=value) | Q(reason__icontains=value)
        return queryset.filter(words | Q(ticket__iexact=value))
