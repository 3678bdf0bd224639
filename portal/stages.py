"""The steps of a sign-in that we do otherwise than allauth."""

from allauth.mfa.stages import AuthenticateStage
from django.conf import settings

from portal.adapters import came_by_provider


class SecondStep(AuthenticateStage):
    """Asked of whoever has one, unless the identity provider has asked for its own."""

    def handle(self) -> tuple:
        provider = settings.IDENTITY_PROVIDER
        if provider and provider.asks_second_factor and came_by_provider(self.request, self.login.user):
            return None, True
        return super().handle()
