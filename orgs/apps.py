"""What we own in AWS, and who may touch it."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.db.models.signals import post_migrate


class OrgsConfig(AppConfig):
    name = "orgs"
    verbose_name = "Organizations"

    def ready(self) -> None:
        from orgs import sign_ins as sign_ins  # connects its receivers, which need the models

        post_migrate.connect(_make_role_groups, sender=self)


def _make_role_groups(
    using: str, apps: Apps = installed, **_: Any
) -> None:  # a flush sends no registry, a migration its own
    """Each role is a group, there from the first migrate on."""
    from orgs.access import Role

    try:
        group = apps.get_model("auth", "Group")
    except LookupError:  # migrated back to a point before auth
        return
    group.objects.using(using).bulk_create([group(name=role) for role in Role.values], ignore_conflicts=True)
