"""Many rows at once: they hold what bulk_create() would have stored, and get their keys."""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import DateTimeField, Field, Model

from audit.context import Source
from audit.models import Action, AuditEvent, AuditPending, AuditSeal
from contacts.models import ChangeSet, ContactChange, PlannedChange, SetKind, Verdict
from portal.inserting import InsertQuerySet
from portal.quota import Lane
from tests.contacts.bulk.plans import by

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 24, 9, 30, 15, 123456, UTC)
VALUE = {"status": "set", "name": 'Zoë “\\" \t\n\\N', "title": "", "email": "a@b.co", "phone": "=1"}
MODELS = [AuditEvent, AuditPending, AuditSeal, ContactChange, PlannedChange]
COUNTED = (AuditEvent, ContactChange, PlannedChange)  # the database counts their keys


def event() -> AuditEvent:
    return AuditEvent(
        at=AT,
        action=Action.CHANGE_REQUESTED,
        actor_id=7,
        source=Source.PAGE,
        ip="2001:db8::1",
        account_id="012345678901",
        before=VALUE,
        after=None,
        reason="tab\there",
        detail={"n": [1, None, True]},
    )


@pytest.fixture
def change_set(hank) -> ChangeSet:
    return ChangeSet.objects.create(
        kind=SetKind.SET, title="Rota", requested_by=hank, source=by(hank).source, planned_at=AT
    )


@pytest.fixture
def rows(scene, hank, change_set) -> dict[type[Model], list[Model]]:
    """Two rows of each kind that is inserted in this way, with every sort of value."""
    changes = [
        ContactChange(
            contact=contact,
            lane=Lane.BULK,
            wanted=None,
            before=VALUE,
            seen_version=1,
            requested_by=hank,
            requested_at=AT,
            source=Source.COMMAND,
            stranger={"status": "absent"},
        )
        for contact in scene.ledger.contacts.all()[:2]
    ]
    planned = [
        PlannedChange(
            change_set=change_set,
            line=line,
            account_text="é\u2028",
            account=scene.ledger,
            verdict=Verdict.NEW,
            is_left_out=bool(line % 2),
            wanted=VALUE,
            remarks=["one", "two"],
            observed_at=AT if line % 2 else None,
        )
        for line in (1, 2)
    ]
    seals = [AuditSeal(seq=900 + n, event_id=900 + n, previous_hash="a" * 64, hash="b" * 64) for n in (1, 2)]
    pending = [AuditPending(event_id=900 + n) for n in (1, 2)]
    every = [event(), event()], changes, planned, seals, pending
    return {type(some[0]): some for some in every}


def stored(model: type[Model], rows: list[Model]) -> list[tuple]:
    """What the database holds of these rows, but for the keys that it counts itself."""
    found = model._base_manager.filter(pk__in=[row.pk for row in rows]).order_by("pk").values()
    return [{name: value for name, value in row.items() if name != "id"} for row in found]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_they_hold_what_bulk_create_would_have_stored(rows, model):
    with transaction.atomic():
        model._base_manager.bulk_create(rows[model])
        expected = stored(model, rows[model])
        transaction.set_rollback(True)
    for row in rows[model]:
        row._state.adding = True
        if isinstance(row, COUNTED):
            row.pk = None
    with transaction.atomic():
        model.objects.insert_many(rows[model])
    assert stored(model, rows[model]) == expected
    assert len(expected) == len(rows[model])
    assert not any(row._state.adding for row in rows[model])


def test_every_model_that_inserts_so_is_among_them():

    able = {
        model
        for model in apps.get_models()
        if issubclass(model._default_manager._queryset_class, InsertQuerySet)
    }
    assert able == set(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_field_of_them_fills_in_its_own_value(model):
    own = {field.name for field in model._meta.concrete_fields if type(field).pre_save is not Field.pre_save}
    times = {field.name: field for field in model._meta.concrete_fields if isinstance(field, DateTimeField)}
    assert own == times.keys()
    assert not any(field.auto_now or field.auto_now_add for field in times.values())


def test_keys_rise_in_the_order_of_the_rows_and_are_never_used_again():
    with transaction.atomic():
        AuditPending.objects.insert_many([])
        first = [event() for _ in range(3)]
        AuditEvent.objects.insert_many(first)
        saved = event()
        saved.save(force_insert=True)
        then = [event() for _ in range(3)]
        AuditEvent.objects.insert_many(then)
    keys = [row.pk for row in [*first, saved, *then]]
    assert keys == sorted(set(keys))


def test_one_bad_row_refuses_all(rows):
    planned = rows[PlannedChange]
    planned[1].line = planned[0].line
    with pytest.raises(IntegrityError), transaction.atomic():
        PlannedChange.objects.insert_many(planned)
    assert not PlannedChange.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_rows_are_inserted_in_a_transaction():
    assert not connection.in_atomic_block
    with pytest.raises(RuntimeError, match="in a transaction"):
        AuditPending.objects.insert_many([AuditPending(event_id=1)])
    assert not AuditPending.objects.exists()


def test_many_rows_point_at_others_and_no_more_than_these(scene, rows):
    changes, planned = rows[ContactChange], rows[PlannedChange]
    with transaction.atomic():
        ContactChange.objects.insert_many(changes)
        PlannedChange.objects.insert_many(planned)
        PlannedChange.objects.point_many("change", {})
        PlannedChange.objects.point_many("change", {planned[1].pk: changes[0].pk})
    assert list(PlannedChange.objects.values_list("change", flat=True)) == [None, changes[0].pk]
    with pytest.raises(IntegrityError), transaction.atomic():
        PlannedChange.objects.point_many("change", {row.pk: changes[1].pk for row in planned})
