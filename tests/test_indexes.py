"""Indexes: all that models name stand in the database, and none that another one makes needless."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Field, Index, Model, UniqueConstraint

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
        if (
            isinstance(index, Index | UniqueConstraint)
            and index.fields
            and not (index.condition or index.opclasses)
        ):
            yield tuple(name.removeprefix("-") for name in index.fields)


@pytest.mark.django_db
@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_the_database_has_what_the_model_names(model):
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, model._meta.db_table)
    named = {index.name for index in [*model._meta.indexes, *model._meta.constraints]}
    assert named <= there.keys()
    plain = {
        tuple(facts["columns"])
        for facts in there.values()
        if facts["index"] and not facts["unique"] and not facts["primary_key"]
    }
    needless = [
        (field.column,) for field in model._meta.concrete_fields if not (field.db_index or field.unique)
    ]
    own = {tuple(column.column for column in columns(model, index)) for index in model._meta.indexes}
    assert plain.isdisjoint(set(needless) - own)


def columns(model: type[Model], index: Index) -> Iterator[Field]:
    return (model._meta.get_field(name.removeprefix("-")) for name in index.fields)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_none_is_the_beginning_of_another(model):
    every = list(whole(model))
    needless = [one for one in every for other in every if one != other and other[: len(one)] == one]
    assert needless == []


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_none_is_there_twice(model):
    every = list(whole(model))
    assert len(set(every)) == len(every)
