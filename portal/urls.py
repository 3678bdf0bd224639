"""Every address of the portal; the only module here that imports the apps."""

from django.urls import include, path

urlpatterns = [
    path("", include("portal.sign_in")),
    path("", include("contacts.urls")),
    path("", include("orgs.urls")),
]
