"""The filters of the list of changes from outside, as they stand in the URL."""

import django_filters
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from contacts.finding import drifts_visible_to
from contacts.models import UNDECIDED, ContactType, Drift, DriftState
from orgs.account_ids import plain_id


def _who_decided(request: HttpRequest) -> QuerySet:
    """The people who decided on what the reader may see."""
    decided = drifts_visible_to(request.user).filter(decided_by=OuterRef("pk"))
    return get_user_model().objects.filter(Exists(decided)).order_by("username")


class DriftOrdering(django_filters.OrderingFilter):
    """Adds an order by urgency, which the list makes of the newest first: what nobody has decided."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        return super().filter(queryset, ["-found"] if value == ["open"] else value)


class DriftFilter(django_filters.FilterSet):
    """The list of changes from outside."""

    q = django_filters.CharFilter(method="search", label="Account, name or e-mail")
    state = django_filters.ChoiceFilter(
        label="State", choices=DriftState.choices, method="in_state", empty_label="Any"
    )
    type = django_filters.ChoiceFilter(
        label="Contact type",
        field_name="contact__contact_type",
        choices=ContactType.choices,
        empty_label="Any",
    )
    person = django_filters.ModelChoiceFilter(
        label="Decided by",
        field_name="decided_by",
        queryset=_who_decided,
        to_field_name="username",
        empty_label="Anybody",
    )
    account = django_filters.CharFilter(label="Account id", field_name="contact__account__aws_id")
    since = django_filters.DateFilter(label="Found from", field_name="found_at", lookup_expr="date__gte")
    until = django_filters.DateFilter(label="Found to", field_name="found_at", lookup_expr="date__lte")
    sort = DriftOrdering(
        label="Sort by",
        fields={"pk": "found"},
        choices=[("open", "Not decided first"), ("-found", "Newest first"), ("found", "Oldest first")],
        empty_label=None,
    )

    class Meta:
        model = Drift
        fields: list[str] = []

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """By account name or id, or by what the contact said before or after."""
        account = Q(contact__account__name__icontains=value) | Q(
            contact__account__aws_id__contains=plain_id(value)
        )
        lookups = [
            f"{side}__{field}__icontains" for side in ("before", "after") for field in ("name", "email")
        ]
        said = Q(*((lookup, value) for lookup in lookups), _connector=Q.OR)
        return queryset.filter(account | said)

    def in_state(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Open means that somebody has to decide, again after a revert that came to nothing."""
        if value == DriftState.OPEN:
            return queryset.filter(UNDECIDED)
        return queryset.filter(state=value).exclude(UNDECIDED)

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """All filters; the newest first among equals."""
        queryset = super().filter_queryset(queryset)
        return queryset.order_by(*queryset.query.order_by, "-pk")
