"""The forms of reviews: a note or a question, its answer, and the word that settles it."""

from django import forms

from audit.reviews import NOTE_LIMIT
from orgs.forms import PlainForm

REVIEWED, QUESTION = "reviewed", "question"


class MarkForm(PlainForm):
    """What a reviewer says of what is selected; its buttons carry the verdict."""

    note = forms.CharField(
        label="Note or question",
        required=False,
        max_length=NOTE_LIMIT,
        widget=forms.Textarea({"rows": 2}),
        help_text="Optional with “Reviewed”. A question goes to the person behind it, who answers here.",
    )
    verdict = forms.ChoiceField(
        choices=[(REVIEWED, "Reviewed"), (QUESTION, "Question")],
        widget=forms.HiddenInput,
        error_messages={"required": "Choose: reviewed, or a question."},
    )


class AnswerForm(PlainForm):
    """The answer of the person who was asked."""

    answer = forms.CharField(
        label="Your answer",
        max_length=NOTE_LIMIT,
        widget=forms.Textarea({"rows": 4}),
        help_text="The one who asked is told, and the audit keeps it.",
        error_messages={"required": "Write your answer."},
    )


class SettleForm(PlainForm):
    """The reviewer takes the answer."""

    note = forms.CharField(
        label="Note",
        required=False,
        max_length=NOTE_LIMIT,
        widget=forms.Textarea({"rows": 2}),
        help_text="Optional.",
    )


class SignOffForm(PlainForm):
    """A reviewer signs a week or month off."""

    note = forms.CharField(
        label="Note",
        required=False,
        max_length=NOTE_LIMIT,
        widget=forms.Textarea({"rows": 3}),
        help_text="Optional. It is part of the report.",
    )
