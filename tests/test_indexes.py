"""Every index costs each writer: none is there that another one makes needless."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.models import Index, Model, UniqueConstraint

OURS = [
    model
    for room in ("portal", "audit", "orgs", "contacts")
    for model in apps.get_app_config(room).get_models()
]


def whole(model: type[Model]) -> Iterator[tuple[str, ...]]:
    """The columns of each index that holds all rows, in order."""
    options = model._meta
    for field in options.concrete_fields:
        if field.db_index or field.unique:
            yield (field.name,)
    yield from options.unique_together
    for index in [*options.indexes, *options.constraints]:
        if isinstance(index, Index | UniqueConstraint) and not index.condition and not index.opclasses:
            yield tuple(name.removeprefix("-") for name in index.fields)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_none_is_the_beginning_of_another(model):
    every = list(whole(model))
    needless = [one for one in every for other in every if one != other and other[: len(one)] == one]
    assert needless == []


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_none_is_there_twice(model):
    every = list(whole(model))
    assert len(set(every)) == len(every)
