"""A worker that is ready has nothing old for its garbage collector to look through."""

import gc

from celery.signals import worker_ready

from portal.celery import app


def test_what_a_worker_has_loaded_is_left_alone_by_the_collector():
    before = gc.get_freeze_count()
    kept = [{} for _ in range(1000)]
    try:
        worker_ready.send(sender=app)
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()
