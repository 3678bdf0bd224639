"""The form that takes rows in: a file, or text pasted from a spreadsheet."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from contacts.bulk.forms import PlanForm
from contacts.models import SetKind
from portal.tables import SIZE_LIMIT

PASTE_LIMIT = 2_000_000  # characters: in any script less than settings.DATA_UPLOAD_MAX_MEMORY_SIZE
MEGABYTE = 1024 * 1024


class FileForm(PlanForm):
    """A file or pasted rows, not both."""

    file = forms.FileField(
        label="CSV or Excel file",
        required=False,
        max_length=200,
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text="At most 50,000 rows and 20 MB.",
        error_messages={"empty": "This file is empty."},
    )
    rows = forms.CharField(
        label="Pasted rows",
        required=False,
        max_length=PASTE_LIMIT,
        strip=False,
        widget=forms.Textarea({"rows": 7, "class": "mono", "spellcheck": "false", "autocomplete": "off"}),
        help_text="Instead of a file: straight from a spreadsheet, with the line that names the columns.",
        error_messages={"max_length": "This is too much to paste. Save it as a file and upload that."},
    )

    field_order = ["file", "rows", "heading"]

    def clean_file(self) -> UploadedFile | None:
        file = self.cleaned_data["file"]
        if file and file.size > SIZE_LIMIT:
            raise ValidationError(
                f"This file has more than {SIZE_LIMIT // MEGABYTE} MB. Split it into smaller files."
            )
        return file

    def clean(self) -> dict[str, Any]:
        wanted = super().clean() or {}
        if self.errors:
            return wanted
        has_rows = bool(wanted.get("rows", "").strip())
        if wanted.get("file") and has_rows:
            raise ValidationError("Choose the file or paste rows, not both.")
        if not wanted.get("file") and not has_rows:
            raise ValidationError("Choose a file, or paste rows.")
        return wanted

    @property
    def source(self) -> str:
        """The name of the field that holds the rows; the form is valid."""
        return "file" if self.cleaned_data["file"] else "rows"

    @property
    def kind(self) -> SetKind:
        return SetKind.FILE if self.cleaned_data["file"] else SetKind.PASTED

    @property
    def file_name(self) -> str:
        """As the person's machine calls it."""
        return self.cleaned_data["file"].name[:120] if self.cleaned_data["file"] else ""

    def usual_title(self) -> str:
        return self.file_name or "Pasted rows"
