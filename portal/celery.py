"""The Celery app and its beat schedule; what is due lives in our own rows, so the schedule is static."""

import gc
import os
import warnings
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_ready
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# docker-compose.yml runs as a user of its own; who tries `make run` inside a container may be root.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Leave the logging as settings.LOGGING says; Celery's own set-up would replace it."""


@worker_ready.connect
def keep_what_is_loaded(**_: Any) -> None:
    """As portal/apps.py does: a full collection would stop all threads of a busy machine for a second."""
    gc.collect()
    gc.freeze()


app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# A worker without -Q serves them all; people's edits have a queue, and in production a worker, of their own.
app.conf.task_queues = [
    Queue(name, Exchange(name), routing_key=name) for name in ("people", "bulk", "reading", "upkeep")
]
app.conf.beat_schedule = {
    "seal-audit-events": {
        "task": "audit.seal_events",
        "schedule": 0.25,
        "options": {"queue": "upkeep", "expires": 5},
    },
    "anchor-audit-head": {
        "task": "audit.anchor_head",
        "schedule": 30.0,
        "options": {"queue": "upkeep", "expires": 30},
    },
    "verify-audit": {
        "task": "contacts.verify_audit",
        "schedule": crontab(hour=3, minute=15),
        "options": {"queue": "upkeep", "expires": 6 * 3600},
    },
    "sweep-changes": {
        "task": "contacts.sweep_changes",
        "schedule": 2.0,
        "options": {"queue": "people", "expires": 10},
    },
    "watch-change-sets": {
        "task": "contacts.watch_change_sets",
        "schedule": 2.0,
        "options": {"queue": "upkeep", "expires": 10},
    },
    "tell-of-drifts": {
        "task": "contacts.tell_of_drifts",
        "schedule": 30.0,
        "options": {"queue": "upkeep", "expires": 30},
    },
    "send-mail": {
        "task": "portal.send_mail",
        "schedule": 5.0,
        "options": {"queue": "upkeep", "expires": 10},
    },
    "drop-old-mail": {
        "task": "portal.drop_old_mail",
        "schedule": 3600.0,
        "options": {"queue": "upkeep", "expires": 600},
    },
    "drop-old-sessions": {
        "task": "portal.drop_old_sessions",
        "schedule": 3600.0,
        "options": {"queue": "upkeep", "expires": 600},
    },
    "read-stale-contacts": {
        "task": "contacts.read_stale_contacts",
        "schedule": 10.0,
        "options": {"queue": "reading", "expires": 10},
    },
    "watch-reading": {
        "task": "contacts.watch_reading",
        "schedule": 300.0,
        "options": {"queue": "upkeep", "expires": 300},
    },
    "discover-organizations": {
        "task": "orgs.discover_organizations",
        "schedule": 60.0,
        "options": {"queue": "upkeep", "expires": 60},
    },
}
