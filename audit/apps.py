"""What happened, by whom and why; nobody can bend it."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from audit import anchors, triggers  # need the models, which are loaded only now

        register(triggers.check_standing, Tags.database)
        register(anchors.check_hooks)
        post_migrate.connect(triggers.install_after_migrate, sender=self)
