"""The day that a reader of a contact's history asks about."""

from datetime import date, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone


class DayForm(forms.Form):
    """What did the contact say on this day?"""

    on = forms.DateField(
        label="Day",
        widget=forms.DateInput({"type": "date", "class": "form-control"}),
        error_messages={"required": "Choose a day.", "invalid": "Write the day as 2026-11-03."},
    )

    def clean_on(self) -> date:
        """A day that has begun for the reader."""
        day: date = self.cleaned_data["on"]
        if day > timezone.localdate():
            raise ValidationError("That day has not begun yet.")
        return day

    def limits(self) -> tuple[datetime, datetime]:
        """When the day begins and ends for the reader; today ends now."""
        start, end = (
            timezone.make_aware(datetime.combine(self.cleaned_data["on"] + timedelta(days=days), time.min))
            for days in (0, 1)
        )
        return start, min(end, timezone.now())
