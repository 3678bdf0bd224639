"""The bar of filters over a list: which fields it shows, which are in force, and the way to remove each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.choices import flatten_choices

# Where in the list somebody is, and what they selected there: another filter begins anew.
PLACES = ("page", "newer", "older", "select")


@runtime_checkable
class HasWords(Protocol):
    """A field that says its values in its own words."""

    def words_of(self, values: Sequence[str]) -> str: ...


@dataclass(frozen=True)
class ActiveFilter:
    """One filter in force: its words, and the query string without it."""

    label: str
    text: str
    without: str


def filter_bar(
    form: forms.BaseForm, query: QueryDict, *, chosen: Iterable[str], kept: Iterable[str] = ()
) -> dict[str, Any]:
    """What the templates _filters.html and _filters_on.html show.

    chosen stand in the bar, kept are carried along unseen, all others are behind "More".
    """
    in_bar, unseen = {"q", *chosen}, {*kept, "sort", "size"}
    rare = [name for name in form.fields if name not in in_bar | set(kept)]
    return {
        "form": form,
        "chosen_fields": [form[name] for name in chosen],
        "rare_fields": [form[name] for name in rare],
        "kept": [(name, value) for name in (*kept, "size") for value in query.getlist(name) if value],
        "active_filters": active_filters(form, query, without=in_bar | {"sort"}),
        "is_filtered": any(query.get(name) for name in form.fields if name not in unseen - set(kept)),
    }


def active_filters(form: forms.BaseForm, query: QueryDict, *, without: set[str]) -> list[ActiveFilter]:
    """The filters in force but for these, in the order of the form."""
    active = []
    for name, field in form.fields.items():
        if name not in without and any(query.getlist(name)):
            words = _words_of(field, query.getlist(name))
            label = str(field.label) if words else ""
            active.append(ActiveFilter(label, words or str(field.label), query_without(query, name)))
    return active


def query_without(query: QueryDict, *names: str) -> str:
    """The query string without these and from the top of the list."""
    return query_with(query, dict.fromkeys(names))


def query_with(query: QueryDict, changes: dict[str, str | None]) -> str:
    """The query string with changes, from the top of the list; None removes."""
    changed = query.copy()
    for name in (*PLACES, *changes):
        changed.pop(name, None)
    changed.update({name: value for name, value in changes.items() if value is not None})
    return f"?{changed.urlencode()}"


def tidy(request: HttpRequest) -> str:
    """Forget the fields that were left empty, so that no link carries them on; returns the tidy address."""
    query = request.GET.copy()
    for name in [name for name in query if not any(query.getlist(name))]:
        del query[name]
    request.GET = QueryDict(query.urlencode())
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _words_of(field: forms.Field, values: list[str]) -> str:
    """What is chosen; nothing for a box that is ticked: its label says all."""
    if isinstance(field, HasWords):
        return field.words_of(values)
    if isinstance(field, forms.NullBooleanField | forms.BooleanField):
        return ""
    if isinstance(field, forms.ModelChoiceField):
        return " or ".join(_row_words(field, value) for value in values if value)
    choices: Iterable[Any] = flatten_choices(getattr(field, "choices", []))  # Any: labels may be lazy
    words = {str(value): str(label) for value, label in choices}
    return " or ".join(words.get(value, value) for value in values if value)


def _row_words(field: forms.ModelChoiceField, value: str) -> str:
    """The row by a query of its own: going through all choices would read each of them."""
    try:
        return field.label_from_instance(field.to_python(value))
    except ValidationError:
        return value
