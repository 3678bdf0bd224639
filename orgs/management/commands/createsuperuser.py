"""createsuperuser: Django's own, with its event in the audit."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from orgs.operator import recording


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with recording():
            super().handle(*args, **options)
