"""The product: alternate contacts, read from AWS and changed through one path."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = "Alternate contacts"
