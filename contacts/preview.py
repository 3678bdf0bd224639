"""What a form would change, said before anything is sent: old, new, mistakes, advice."""

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from contacts.details import FIELDS, advice, trim
from contacts.finding import contacts_visible_to
from contacts.forms import LABELS, ContactForm
from contacts.models import AlternateContact


@dataclass(frozen=True)
class PreviewRow:
    """One value: what AWS has, what it would become, and what a careful colleague would say of it."""

    name: str
    label: str
    old: str
    new: str
    is_valid: bool
    advice: str
    length: int
    limit: int
    help_text: str

    @property
    def is_same(self) -> bool:
        return self.old == self.new


@dataclass(frozen=True)
class Preview:
    """The four rows."""

    rows: list[PreviewRow]

    @property
    def changed(self) -> int:
        """How many values would change."""
        return sum(not row.is_same for row in self.rows)

    @property
    def advice(self) -> dict[str, str]:
        """The remarks, by field."""
        return {row.name: row.advice for row in self.rows if row.advice}


def preview_of(contact: AlternateContact, form: ContactForm, user: Any) -> Preview:
    """Compare the form, typed or just opened, with what AWS said last of what the user may see."""
    old = asdict(contact.details) if contact.details else dict.fromkeys(FIELDS, "")
    new = asdict(trim(form.typed)[0])
    remarks = _remarks(contact, form, user)
    rows = []
    for field in form.detail_fields:
        name = field.name
        field.row = PreviewRow(
            name=name,
            label=LABELS[name],
            old=old[name],
            new=new[name],
            is_valid=name not in form.errors,
            advice=remarks.get(name, "") if new[name] else "",
            length=len(new[name]),
            limit=field.limit,
            help_text=str(field.help_text),
        )
        rows.append(field.row)
    return Preview(rows)


def _remarks(contact: AlternateContact, form: ContactForm, user: Any) -> dict[str, str]:
    siblings = contacts_visible_to(user).filter(account=contact.account).exclude(pk=contact.pk)
    others = [sibling.details for sibling in siblings]
    found = advice(trim(form.typed)[0], others, settings.COMPANY_EMAIL_DOMAINS)
    return {remark.field: remark.text for remark in reversed(found)}
