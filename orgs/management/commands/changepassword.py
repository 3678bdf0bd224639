"""changepassword: Django's own, with its event in the audit."""

from typing import Any

from django.contrib.auth.management.commands import changepassword

from orgs.operator import recording


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        with recording():
            return super().handle(*args, **options)
