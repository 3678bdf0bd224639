"""The three kinds of alternate contact that AWS knows."""

from django.db import models


class ContactType(models.TextChoices):
    """https://docs.aws.amazon.com/accounts/latest/reference/API_AlternateContact.html."""

    BILLING = "BILLING", "Billing"
    OPERATIONS = "OPERATIONS", "Operations"
    SECURITY = "SECURITY", "Security"
