"""Addresses of the pages about organizations and people."""

app_name = "orgs"
urlpatterns: list = []
