"""What we own in AWS, and who may touch it."""

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "orgs"
    verbose_name = "Organizations"

    def ready(self) -> None:
        from orgs import sign_ins as sign_ins  # connects its receivers, which need the models
