"""The portal's own user, from the first migration on, and the mail that waits to be sent."""

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models


class User(AbstractUser):
    """A person who signs in. What they may do, orgs/access.py says by their grants."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "Follow the system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    time_zone = models.CharField(max_length=64, blank=True, help_text="IANA name; empty: UTC.")

    is_former = models.BooleanField(
        default=False, db_default=False, help_text="Left, and is shown under another name."
    )

    def clean(self) -> None:
        """A new person's user name is nobody's already, in capitals or not: Admin beside admin misleads."""
        super().clean()
        if self._state.adding and (twin := User.objects.filter(username__iexact=self.username).first()):
            raise ValidationError({"username": f"A person “{twin.username}” already exists."})

    @property
    def label(self) -> str:
        """The name that pages and the audit show."""
        return self.get_full_name() or self.username


class OutgoingMail(models.Model):
    """A mail to one person: written with what it tells of, sent by a worker. portal/mail.py writes it."""

    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField(help_text="Plain text. Holds no contact's values.")
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                condition=models.Q(sent_at=None, given_up_at=None),
                name="mail_to_send",
            )
        ]

    def __str__(self) -> str:
        return f"mail {self.pk}"
