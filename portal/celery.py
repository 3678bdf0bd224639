"""The Celery app and its beat schedule; what is due lives in our own rows, so the schedule is static."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "seal-audit-events": {
        "task": "audit.seal_events",
        "schedule": 1.0,
        "options": {"queue": "upkeep", "expires": 5},
    },
    "sweep-changes": {
        "task": "contacts.sweep_changes",
        "schedule": 5.0,
        "options": {"queue": "people", "expires": 10},
    },
    "read-stale-contacts": {
        "task": "contacts.read_stale_contacts",
        "schedule": 30.0,
        "options": {"queue": "reading", "expires": 30},
    },
    "discover-organizations": {
        "task": "orgs.discover_organizations",
        "schedule": 60.0,
        "options": {"queue": "upkeep", "expires": 60},
    },
}
