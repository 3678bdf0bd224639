"""Plumbing: settings, addresses, the Celery app, the gateway to AWS and its quota. No business word here."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
