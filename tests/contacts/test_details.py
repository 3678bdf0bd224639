"""Our field rules are AWS's: held against botocore's own service model, by table and by property."""

import re

import botocore.session
import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from contacts.details import FIELDS, LIMITS, advice, is_placeholder, trim, validate
from portal.aws import ContactDetails

GOOD = ContactDetails(name="Mateo Jackson", title="CISO", email="mateo@example.com", phone="+1(206)555-1234")
AWS_NAMES = {"name": "Name", "title": "Title", "email": "EmailAddress", "phone": "PhoneNumber"}


def shape(field: str) -> dict:
    """The field's rules in the service model that boto3 ships."""
    model = botocore.session.get_session().get_service_model("account")
    return model.operation_model("PutAlternateContact").input_shape.members[AWS_NAMES[field]].metadata


def aws_takes(field: str, value: str) -> bool:
    """What the service model says of a value; AWS anchors its patterns, and they are ECMA-262: ASCII."""
    rules = model_rules[field]
    pattern = rules.get("pattern")
    fits = rules["min"] <= len(value) <= rules["max"]
    return fits and (pattern is None or bool(re.fullmatch(pattern, value, re.ASCII)))


model_rules = {field: shape(field) for field in FIELDS}


def we_take(field: str, value: str) -> bool:
    try:
        validate(ContactDetails(**{**{name: getattr(GOOD, name) for name in FIELDS}, field: value}))
    except ValidationError as error:
        assert set(error.message_dict) == {field}
        return False
    return True


def test_limits_are_the_models():
    assert {field: rules["max"] for field, rules in model_rules.items()} == LIMITS


TABLE = [
    ("email", "a@b.co", True),
    ("email", "  a@b.co\n", True),
    ("email", "a|b#c=d&e!f@x-y.example", True),
    ("email", "a@b..co", True),
    ("email", "x_y@b_c.co", True),
    ("email", "josé@b.co", False),
    ("email", "a@exämple.de", False),
    ("email", "a%b@x.com", False),
    ("email", "o'neil@x.com", False),
    ("email", "a@b.co;d@e.co", False),
    ("email", "a,b@x.com", False),
    ("email", "text a@b.c !!", False),
    ("email", "a@localhost", False),
    ("email", "a@b.co\nx", False),
    ("email", "a" * 250 + "@b.co", False),
    ("email", "a" * 249 + "@b.co", True),
    ("phone", "+1(206)555-1234", True),
    ("phone", "1\n", True),
    ("phone", "--", True),
    ("phone", "1.2", False),
    ("phone", "+1 206 555 ext. 4", False),
    ("phone", "١٢٣", False),
    ("phone", "1" * 25, True),
    ("phone", "1" * 26, False),
    ("name", "田中 太郎", True),
    ("name", "n" * 64, True),
    ("name", "n" * 65, False),
    ("name", " ", True),
    ("title", "t" * 50, True),
    ("title", "t" * 51, False),
    ("title", "", False),
]


@pytest.mark.parametrize(("field", "value", "good"), TABLE)
def test_table(field: str, value: str, good: bool):
    assert aws_takes(field, value) is good
    assert we_take(field, value) is good


sendable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=70)
near_email = st.text("aZ09_+=.#|!&-@ %é\n\u2003", max_size=30)
near_phone = st.text("0123456789+-() .x\n\u2003٣", max_size=30)


@given(st.sampled_from(FIELDS), st.one_of(sendable, near_email, near_phone))
def test_we_take_what_aws_takes(field: str, value: str):
    assert we_take(field, value) is aws_takes(field, value)


@given(st.from_regex(re.compile(model_rules["email"]["pattern"], re.ASCII), fullmatch=True))
def test_emails_of_awss_own_pattern(value: str):
    assert we_take("email", value) is (len(value) <= 254)


def test_what_cannot_be_stored_or_sent_is_refused():
    assert not we_take("name", "a\0b")
    assert not we_take("name", "\ud800")


@given(*[sendable] * 4)
def test_trimming_removes_only_the_edges(name: str, title: str, email: str, phone: str):
    details = ContactDetails(name, title, email, phone)
    trimmed, fields = trim(details)
    assert trim(trimmed) == (trimmed, [])
    for field in FIELDS:
        assert getattr(trimmed, field) in getattr(details, field)
        assert (field in fields) == (getattr(trimmed, field) != getattr(details, field))


ADVICE = [
    ({"name": " "}, "name"),
    ({"name": "n/a"}, "name"),
    ({"title": "Mx"}, "title"),
    ({"email": "boss@gmail.com"}, "email"),
    ({"email": "boss@elsewhere.example"}, "email"),
    ({"phone": "00000000000"}, "phone"),
    ({"phone": "555-12"}, "phone"),
    ({"phone": "1234567890"}, "phone"),
]


@pytest.mark.parametrize(("values", "field"), ADVICE)
def test_advice_names_the_field_and_does_not_block(values: dict[str, str], field: str):
    details = ContactDetails(**{**{name: getattr(GOOD, name) for name in FIELDS}, **values})
    validate(details)
    assert [remark.field for remark in advice(details, company_domains=["example.com"])] == [field]


def test_one_person_in_all_three_types():
    assert [remark.field for remark in advice(GOOD, [GOOD, GOOD])] == ["email"]
    assert advice(GOOD, [GOOD, None]) == []
    assert advice(GOOD) == []


def test_subdomains_are_the_companys():
    assert advice(GOOD, company_domains=["com"]) == []


@pytest.mark.parametrize("phone", ["0", "00000000000", "+1 111 111 1111", "(000)"])
def test_placeholders(phone: str):
    assert is_placeholder(ContactDetails(GOOD.name, GOOD.title, GOOD.email, phone))
    assert not is_placeholder(GOOD)
