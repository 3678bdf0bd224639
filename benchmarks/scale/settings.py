"""The portal's settings with Django's admin on top, which the portal itself does not have."""

from portal.settings import *  # noqa: F403 - settings are read by their names
from portal.settings import INSTALLED_APPS as PORTAL_APPS

INSTALLED_APPS = [*PORTAL_APPS, "django.contrib.admin"]
ROOT_URLCONF = "benchmarks.scale.urls"
ALLOWED_HOSTS = ["localhost"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
