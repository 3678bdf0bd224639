"""Addresses of the product's pages."""

app_name = "contacts"
urlpatterns: list = []
