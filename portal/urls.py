"""Every address of the portal; the only module here that imports the apps."""

from django.urls import include, path

urlpatterns = [
    path("sign-in/", include("allauth.urls")),
    path("", include("contacts.urls")),
    path("", include("orgs.urls")),
]
