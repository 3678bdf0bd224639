"""What we own in AWS, and who may touch it."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class OrgsConfig(AppConfig):
    name = "orgs"
    verbose_name = "Organizations"

    def ready(self) -> None:
        from orgs import sign_ins as sign_ins  # connects its receivers, which need the models
        from orgs.models import Role

        if unknown := sorted(set(settings.SECOND_FACTOR_ROLES) - set(Role.values)):
            raise ImproperlyConfigured(
                f"SECOND_FACTOR_ROLES names “{unknown[0]}”. Use some of {', '.join(Role.values)}."
            )
