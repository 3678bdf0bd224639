"""The filters of the lists, as they stand in the URL."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower, Trim
from django.http import HttpRequest
from django.utils import timezone

from audit.models import Action, AuditEvent
from audit.searching import is_searchable
from contacts.attention import unsettled
from contacts.details import PLACEHOLDER_WORDS, is_dummy_phone
from contacts.finding import changes_visible_to, contacts_visible_to
from contacts.models import OPEN, AlternateContact, ChangeStatus, ContactChange, ContactStatus, ContactType
from orgs.access import Right, organizations_visible_to, scope_of, units_visible_to
from orgs.account_ids import plain_id
from orgs.models import Account, AccountState, OrganizationalUnit
from portal.causes import Cause

LEFT = "LEFT"
STANDALONE = "standalone"
DRIFT_SHOWN_FOR = timedelta(days=7)
MISSING = "missing"
ACCOUNT_ID = re.compile(r"[0-9]{12}")


class AccountFilterForm(forms.Form):
    """The fields that speak of one contact of the account; they hold for the same contact together."""

    type = forms.ChoiceField(
        label="Contact type", required=False, choices=[("", "Any type"), *ContactType.choices]
    )
    contact = forms.ChoiceField(
        label="Contact is",
        required=False,
        choices=[("", "Anything"), *ContactStatus.choices, (MISSING, "Not set or unknown")],
    )
    problem = forms.ChoiceField(
        label="Unknown because", required=False, choices=[("", "Any cause"), *Cause.choices]
    )
    email = forms.CharField(label="Contact e-mail", required=False, max_length=254)
    domain = forms.CharField(label="E-mail domain", required=False, max_length=253)
    placeholder = forms.BooleanField(label="Placeholder values", required=False)


class AccountIdsField(forms.Field):
    """Account ids, each in a parameter of its own: the accounts that somebody ticked."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Sequence[str] | None) -> list[str]:
        ids = [text for text in dict.fromkeys(value or []) if text]
        if not all(ACCOUNT_ID.fullmatch(text) for text in ids):
            raise ValidationError("An account id has twelve digits.")
        return ids

    def words_of(self, values: Sequence[str]) -> str:
        """How the list says this filter, also one that makes no sense: not by a hundred numbers."""
        count = len(set(filter(None, values)))
        return "one account" if count == 1 else f"{count} accounts"


class AccountIdsFilter(django_filters.Filter):
    """Those accounts alone."""

    field_class = AccountIdsField


class AccountFilter(django_filters.FilterSet):
    """The account list: where the account is, what state it is in, and what one of its contacts holds."""

    id = AccountIdsFilter(label="Selected", field_name="aws_id", lookup_expr="in")
    q = django_filters.CharFilter(method="search", label="Name, id or e-mail")
    organization = django_filters.ModelChoiceFilter(
        label="Organization",
        queryset=lambda request: organizations_visible_to(request.user),
        to_field_name="aws_id",
        null_label="Standalone",
        null_value=STANDALONE,
    )
    unit = django_filters.ModelChoiceFilter(
        label="Unit",
        queryset=lambda request: units_visible_to(request.user),
        to_field_name="aws_id",
        method="in_unit",
    )
    state = django_filters.ChoiceFilter(
        label="State",
        choices=[*AccountState.choices, (LEFT, "Left")],
        method="in_state",
        empty_label="Any but left",
    )
    drift = django_filters.BooleanFilter(
        label="Changed outside the portal in 7 days", method="with_drift", widget=forms.CheckboxInput
    )
    sort = django_filters.OrderingFilter(
        label="Sort by",
        fields={"name": "name", "aws_id": "id", "state": "state", "contacts_read_at": "read"},
        choices=[
            ("name", "Name"),
            ("-name", "Name, last first"),
            ("id", "Account id"),
            ("state", "State"),
            ("read", "Read from AWS, oldest first"),
        ],
        empty_label=None,
    )

    class Meta:
        model = Account
        fields: list[str] = []
        form = AccountFilterForm

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """All filters; without one of their own, accounts that left stay hidden."""
        wanted = self.form.cleaned_data
        for name, one in self.filters.items():
            queryset = one.filter(queryset, wanted[name])
        if wanted.get("state") != LEFT:
            queryset = queryset.filter(left_at=None)
        contacts = _contacts_like(wanted, contacts_visible_to(self.request.user))
        if contacts is not None:
            queryset = queryset.filter(pk__in=contacts.values("account_id"))
        return queryset.order_by(*(queryset.query.order_by or ["name"]), "aws_id")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """By account name, account id (spaces and hyphens allowed), or e-mail of the account or a contact."""
        own = accounts_named(value) | Q(email__icontains=value)
        contacts = contacts_visible_to(self.request.user)
        contacts = contacts.filter(Q(email__icontains=value) | Q(name__icontains=value))
        holders = contacts.order_by().values("account_id")
        if not is_searchable(value):  # nearly every row has it, and no index could help
            return queryset.filter(own | Q(pk__in=holders))
        # A union, because OR over two tables would use the index of neither.
        return queryset.filter(pk__in=Account.objects.filter(own).order_by().values("pk").union(holders))

    def in_unit(self, queryset: QuerySet, name: str, unit: OrganizationalUnit) -> QuerySet:
        """The unit and everything below it."""
        return queryset.filter(unit__organization=unit.organization_id, unit__path__startswith=unit.path)

    def in_state(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """By AWS's state, or those that left."""
        return queryset.exclude(left_at=None) if value == LEFT else queryset.filter(state=value)

    def with_drift(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """Those whose contacts were changed behind our back lately."""
        if not value:
            return queryset
        since = timezone.now() - DRIFT_SHOWN_FOR
        seen = scope_of(self.request.user, Right.VIEW).events()
        drifted = AuditEvent.objects.filter(seen, action=Action.CONTACT_DRIFT, at__gte=since)
        return queryset.filter(aws_id__in=drifted.order_by().values("account_id"))


def accounts_named(text: str) -> Q:
    """Accounts with this in their name or, where it is a number, in their id; see plain_id()."""
    digits = plain_id(text)
    named = Q(name__icontains=text)
    return named | Q(aws_id__contains=digits) if digits.isdecimal() else named


def _contacts_like(
    wanted: dict[str, Any], contacts: QuerySet[AlternateContact]
) -> QuerySet[AlternateContact] | None:
    """Those of the contacts that the filter form describes; None when it says nothing about them."""
    conditions = []
    if wanted.get("contact") == MISSING:
        conditions.append(~Q(status=ContactStatus.SET))
    elif wanted.get("contact"):
        conditions.append(Q(status=wanted["contact"]))
    if wanted.get("problem"):
        conditions.append(Q(status=ContactStatus.UNKNOWN, problem=wanted["problem"]))
    if wanted.get("email"):
        conditions.append(Q(email__iexact=wanted["email"].strip()))
    if wanted.get("domain"):
        conditions.append(Q(email__iendswith="@" + wanted["domain"].strip().lstrip("@")))
    contacts = contacts.order_by()
    if wanted.get("placeholder"):
        contacts, condition = _placeholders(contacts)
        conditions.append(condition)
    if not conditions:
        return None
    if wanted.get("type"):
        contacts = contacts.filter(contact_type=wanted["type"])
    return contacts.filter(*conditions)


def _placeholders(contacts: QuerySet[AlternateContact]) -> tuple[QuerySet[AlternateContact], Q]:
    """The rule of details.is_placeholder() for the database."""
    words = [*PLACEHOLDER_WORDS, ""]
    phones = contacts.filter(status=ContactStatus.SET).values_list("phone", flat=True).distinct()
    dummies = [phone for phone in phones if is_dummy_phone(phone)]
    contacts = contacts.annotate(name_word=Lower(Trim("name")), title_word=Lower(Trim("title")))
    is_placeholder = Q(name_word__in=words) | Q(title_word__in=words) | Q(phone__in=dummies)
    return contacts, Q(status=ContactStatus.SET) & is_placeholder


CHANGE_GROUPS = [("open", "Open"), ("attention", "Needs attention"), ("done", "Applied")]
_GROUP_STATES = {
    "open": OPEN,
    "done": (ChangeStatus.APPLIED, ChangeStatus.UNCHANGED),
}


def _who_asked(request: HttpRequest) -> QuerySet:
    """The people who asked for a change that the reader may see."""
    asked = changes_visible_to(request.user).filter(requested_by=OuterRef("pk"))
    return get_user_model().objects.filter(Exists(asked)).order_by("username")


class ChangeOrdering(django_filters.OrderingFilter):
    """Adds an order by urgency, which by_urgency() makes of the newest first."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        return super().filter(queryset, ["-asked"] if value == ["problems"] else value)


def by_urgency(changes: QuerySet[ContactChange]) -> list[QuerySet[ContactChange]]:
    """What somebody has to decide, what is under way, and the rest: each in the order that they have."""
    problems = unsettled(changes)
    others = changes.exclude(pk__in=unsettled(ContactChange.objects.order_by()).values("pk"))
    return [problems, others.filter(status__in=OPEN), others.exclude(status__in=OPEN)]


class ChangeFilter(django_filters.FilterSet):
    """The list of changes."""

    q = django_filters.CharFilter(method="search", label="Account, reason or ticket")
    show = django_filters.ChoiceFilter(
        label="Show",
        choices=CHANGE_GROUPS,
        method="in_group",
        empty_label="All",
    )
    status = django_filters.MultipleChoiceFilter(label="State", choices=ChangeStatus.choices, distinct=False)
    type = django_filters.ChoiceFilter(
        label="Contact type",
        field_name="contact__contact_type",
        choices=ContactType.choices,
        empty_label="Any",
    )
    person = django_filters.ModelChoiceFilter(
        label="Asked for by",
        field_name="requested_by",
        queryset=_who_asked,
        to_field_name="username",
        empty_label="Anybody",
    )
    account = django_filters.CharFilter(label="Account id", method="of_account")
    sort = ChangeOrdering(
        label="Sort by",
        fields={"pk": "asked", "contact__account__name": "account"},
        choices=[
            ("-asked", "Newest first"),
            ("asked", "Oldest first"),
            ("problems", "Problems first"),
            ("account", "Account"),
        ],
        empty_label=None,
    )

    class Meta:
        model = ContactChange
        fields: list[str] = []

    def of_account(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Of the account with this id; see plain_id()."""
        return queryset.filter(contact__account__aws_id=plain_id(value))

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """By account name or id, reason, or ticket."""
        accounts = Account.objects.filter(accounts_named(value)).order_by()
        of_accounts = ContactChange.objects.filter(contact__account__in=accounts).order_by()
        words = Q(reason__icontains=value) | Q(ticket__iexact=value)
        by_words = ContactChange.objects.filter(words).order_by()
        return queryset.filter(pk__in=of_accounts.values("pk").union(by_words.values("pk")))

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """All filters; the newest first among equals."""
        queryset = super().filter_queryset(queryset)
        return queryset.order_by(*queryset.query.order_by, "-pk")

    def in_group(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """The three questions people come with."""
        if value == "attention":
            return unsettled(queryset)
        return queryset.filter(status__in=_GROUP_STATES[value])
