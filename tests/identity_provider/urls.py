"""The toolkit's addresses and a form to sign in."""

from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider.urls import base_urlpatterns, oidc_urlpatterns

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("o/", include((base_urlpatterns + oidc_urlpatterns, "oauth2_provider"))),
]
