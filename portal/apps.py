"""The portal as a Django app: the user model and the plumbing commands."""

import gc

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        """What is loaded by now stays: without this each full collection would look through it again.

        https://docs.python.org/3/library/gc.html#gc.freeze
        """
        gc.freeze()
