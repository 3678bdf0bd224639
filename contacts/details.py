"""The four values of a contact: AWS's rules, exactly, and advice beyond them. Pure: no model, no network.

Lengths and patterns are those of the service model:
https://docs.aws.amazon.com/accounts/latest/reference/API_PutAlternateContact.html
AWS matches the whole value, and \\w is ASCII there (ECMA-262).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator

from portal.aws import ContactDetails

FIELDS = tuple(field.name for field in fields(ContactDetails))
LIMITS = {"name": 64, "title": 50, "email": 254, "phone": 25}

# \A and \Z make a search a full match: RegexValidator searches, and $ would let a line end through.
EMAIL_PATTERN = re.compile(r"\A[\s]*[\w+=.#|!&-]+@[\w.-]+\.[\w]+[\s]*\Z", re.ASCII)
PHONE_PATTERN = re.compile(r"\A[\s0-9()+-]+\Z", re.ASCII)

EMAIL_MESSAGE = (
    "AWS takes one address with letters, digits and + = . # | ! & - _ before the @, "
    "and a domain of ASCII letters with a dot."
)
PHONE_MESSAGE = (
    "AWS takes digits, spaces, ( ) + and - only. "
    "Remove anything else, such as “ext.”, or move it to the title."
)


def _at_most(limit: int) -> MaxLengthValidator:
    return MaxLengthValidator(limit, f"AWS takes at most {limit} characters; this has %(show_value)s.")


Validators = list[Callable[[Any], None]]  # Any: Django's validators take what they are given

NAME_VALIDATORS: Validators = [_at_most(LIMITS["name"])]
TITLE_VALIDATORS: Validators = [_at_most(LIMITS["title"])]
EMAIL_VALIDATORS: Validators = [_at_most(LIMITS["email"]), RegexValidator(EMAIL_PATTERN, EMAIL_MESSAGE)]
PHONE_VALIDATORS: Validators = [_at_most(LIMITS["phone"]), RegexValidator(PHONE_PATTERN, PHONE_MESSAGE)]
VALIDATORS: dict[str, Validators] = {
    "name": NAME_VALIDATORS,
    "title": TITLE_VALIDATORS,
    "email": EMAIL_VALIDATORS,
    "phone": PHONE_VALIDATORS,
}


def validate(details: ContactDetails) -> None:
    """Raise ValidationError by field unless AWS would take these values."""
    wrong = [field for field, value in vars(details).items() if not _is_taken(field, value)]
    if wrong:
        raise ValidationError({field: _problems(field, getattr(details, field)) for field in wrong})


@lru_cache(maxsize=1024)  # many contacts share most of their values
def _is_taken(field: str, value: str) -> bool:
    return not _problems(field, value)


def _problems(field: str, value: str) -> list[ValidationError]:
    if not value:
        return [ValidationError("AWS needs a value here.", code="required")]
    if not _is_encodable(value):
        return [ValidationError("This holds a character that cannot be sent.", code="encoding")]
    problems = []
    for validator in VALIDATORS[field]:
        try:
            validator(value)
        except ValidationError as error:
            problems.append(error)
    return problems


def _is_encodable(value: str) -> bool:
    """A lone surrogate is no text; NUL cannot be stored by PostgreSQL."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def trim(details: ContactDetails) -> tuple[ContactDetails, list[str]]:
    """The values without surrounding white space, and the names of the fields that had some."""
    trimmed = [field for field, value in vars(details).items() if value != value.strip()]
    if not trimmed:
        return details, []
    return replace(details, **{field: getattr(details, field).strip() for field in trimmed}), trimmed


def value_of(details: ContactDetails | None) -> dict:
    """The value as audit events and wishes hold it."""
    # asdict() copies deeply, which tens of thousands of rows would feel.
    return {"status": "absent"} if details is None else {"status": "set", **vars(details)}


def details_in(value: dict) -> ContactDetails | None:
    """The inverse of value_of(); None for an absent contact and for an unknown one."""
    if value["status"] != "set":
        return None
    return ContactDetails(**{field: value[field] for field in FIELDS})


@dataclass(frozen=True)
class Advice:
    """A warning that does not block: AWS would take the value, and it would still serve nobody."""

    field: str
    text: str


FREE_MAIL = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com aol.com "
    "gmx.de gmx.net web.de mail.ru yandex.ru proton.me protonmail.com qq.com 163.com".split()
)
PLACEHOLDER_WORDS = frozenset(
    "- . x xx xxx mx na n/a none null nobody test tbd tba unknown placeholder todo contact name title".split()
)


def advice(
    details: ContactDetails, others: Iterable[ContactDetails | None] = (), company_domains: Iterable[str] = ()
) -> list[Advice]:
    """What a careful colleague would remark; others are the account's other two contacts."""
    found = [_about_words("name", details.name), _about_words("title", details.title)]
    found += [_about_domain(details.email, [domain.lower() for domain in company_domains])]
    found += [_about_phone(details.phone), _about_sameness(details, list(others))]
    return [remark for remark in found if remark]


def is_placeholder(details: ContactDetails) -> bool:
    """Whether a value is there only to satisfy AWS: nobody could be reached by it."""
    return bool(
        _about_words("name", details.name)
        or _about_words("title", details.title)
        or is_dummy_phone(details.phone)
    )


def _about_words(field: str, value: str) -> Advice | None:
    if not value.strip():
        return Advice(field, f"The {field} is blank. AWS takes that, but nobody will know whom to ask for.")
    if value.strip().lower() in PLACEHOLDER_WORDS:
        return Advice(field, f"The {field} looks like a placeholder.")
    return None


def _about_domain(email: str, company_domains: list[str]) -> Advice | None:
    domain = email.strip().rpartition("@")[2].lower()
    if domain in FREE_MAIL:
        return Advice(
            "email", f"{domain} is a free-mail provider. Use a mailbox of the company that a team reads."
        )
    if company_domains and not any(domain == own or domain.endswith("." + own) for own in company_domains):
        return Advice("email", f"{domain} is not one of the company's domains.")
    return None


@lru_cache(maxsize=1024)
def _about_phone(phone: str) -> Advice | None:
    if is_dummy_phone(phone):
        return Advice("phone", "The phone number looks like a placeholder.")
    if len(re.sub(r"[^0-9]", "", phone)) < 7:
        return Advice("phone", "The phone number has fewer than seven digits. Add country and area code.")
    return None


def is_dummy_phone(phone: str) -> bool:
    digits = re.sub(r"[^0-9]", "", phone)
    return len(set(digits)) <= 1 or digits in "01234567890123456789" and len(digits) >= 7


def _about_sameness(details: ContactDetails, others: list[ContactDetails | None]) -> Advice | None:
    mails = [other.email.strip().lower() for other in others if other]
    if len(mails) >= 2 and all(mail == details.email.strip().lower() for mail in mails):
        return Advice("email", "The same address stands in all three types. When it fails, nobody is told.")
    return None
