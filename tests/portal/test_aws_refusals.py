"""Every error answer that AWS is known to give becomes one cause, whatever else it says."""

import json

import pytest

from portal import aws, aws_organizations
from portal.aws import Caller, ContactDetails, Invalid, OutcomeUnknown, Refused, Throttled, Unavailable
from portal.causes import Cause
from tests.portal.canned_aws import canned_aws

CALLER = Caller(account_id="111111111111")
WISH = ContactDetails("Alex", "CFO", "alex@example.com", "+1 202 555 0100")
NOBODY = (
    "User: arn:aws:iam::111111111111:user/portal is not authorized to perform: account:GetAlternateContact"
)
ON_RESOURCE = f"{NOBODY} on resource: arn:aws:account::111111111111:account/o-exampleorg/222222222222 because"
NO_TYPE = None  # no x-amzn-ErrorType header: botocore's code is then the HTTP status

REFUSALS = {
    "own id of management": (
        403,
        "AccessDeniedException",
        f"{NOBODY} (The management account can only be managed using the standalone context from the "
        "management account.)",
        Cause.STANDALONE_ONLY,
    ),
    "trusted access": (
        403,
        "AccessDeniedException",
        f"{NOBODY} (Your organization must first enable trusted access with AWS Account Management.)",
        Cause.TRUSTED_ACCESS_OFF,
    ),
    "bad type": (
        403,
        "AccessDeniedException",
        f"{NOBODY} (You specified an invalid Alternate Contact type.)",
        Cause.BAD_TYPE,
    ),
    "plain": (403, "AccessDeniedException", NOBODY, Cause.NOT_ALLOWED),
    "access denied": (403, "AccessDeniedException", f"{NOBODY} (Access Denied)", Cause.NOT_ALLOWED),
    "403 without a type": (403, NO_TYPE, "Forbidden", Cause.NOT_ALLOWED),
    "identity policy": (
        403,
        "AccessDeniedException",
        f"{ON_RESOURCE} no identity-based policy allows the account:GetAlternateContact action",
        Cause.POLICY_DENIES,
    ),
    "session policy": (
        403,
        "AccessDeniedException",
        f"{ON_RESOURCE} no session policy allows the account:GetAlternateContact action",
        Cause.POLICY_DENIES,
    ),
    "explicit deny": (
        403,
        "AccessDeniedException",
        f"{ON_RESOURCE.removesuffix(' because')} with an explicit deny in an identity-based policy",
        Cause.POLICY_DENIES,
    ),
    "service control policy": (
        403,
        "AccessDeniedException",
        f"{ON_RESOURCE.removesuffix(' because')} with an explicit deny in a service control policy",
        Cause.SCP_DENIES,
    ),
    "unknown key": (403, "UnrecognizedClientException", "The security token", Cause.CREDENTIALS_REJECTED),
    "expired": (403, "ExpiredTokenException", "The security token", Cause.CREDENTIALS_REJECTED),
    "expired, as STS says it": (403, "ExpiredToken", "The security token", Cause.CREDENTIALS_REJECTED),
    "bad token": (403, "InvalidClientTokenId", "The security token", Cause.CREDENTIALS_REJECTED),
    "signature": (403, "InvalidSignatureException", "The request", Cause.CREDENTIALS_REJECTED),
    "incomplete signature": (403, "IncompleteSignature", "The request", Cause.CREDENTIALS_REJECTED),
    "unknown operation": (404, NO_TYPE, "Not found", Cause.UNEXPECTED),
    "teapot": (418, "TeapotException", "short and stout", Cause.UNEXPECTED),
}


@pytest.fixture
def canned(monkeypatch):
    with canned_aws() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        aws.forget_clients()
        yield server
    aws.forget_clients()


def answer(canned, status: int, code: str | None, message: str, **members) -> None:
    canned.status = status
    canned.headers = {"x-amzn-RequestId": "request-7"} | ({"x-amzn-ErrorType": code} if code else {})
    canned.body = json.dumps({"message": message} | members)


def read():
    return aws.get_alternate_contact(CALLER, "BILLING", "222222222222")


def put():
    return aws.put_alternate_contact(CALLER, "BILLING", WISH, "222222222222")


def delete():
    return aws.delete_alternate_contact(CALLER, "BILLING", "222222222222")


CALLS = {"GetAlternateContact": read, "PutAlternateContact": put, "DeleteAlternateContact": delete}


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("row", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_has_a_cause(canned, row, operation):
    status, code, message, cause = row
    answer(canned, status, code, message)
    with pytest.raises(Refused) as caught:
        CALLS[operation]()
    assert (caught.value.cause, caught.value.operation) == (cause, operation)
    assert caught.value.aws_request_id == "request-7"
    assert caught.value.__context__ is None
    assert canned.requests == 1


def test_there_are_at_least_six_meanings_of_403():
    causes = {cause for status, code, _, cause in REFUSALS.values() if code == "AccessDeniedException"}
    assert len(causes) >= 6
    assert all(cause.remedy for cause in Cause)


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "TooManyRequestsException"), (429, NO_TYPE), (400, "ThrottlingException")],
)
def test_a_throttled_call_is_not_sent_again(canned, status, code, operation):
    answer(canned, status, code, "Too Many Requests")
    with pytest.raises(Throttled) as caught:
        CALLS[operation]()
    assert caught.value.cause == Cause.THROTTLED
    assert canned.requests == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_fault_of_aws_leaves_a_write_open_but_not_a_read(canned, status):
    answer(canned, status, "InternalServerException", "oops")
    with pytest.raises(Unavailable) as failed_read:
        read()
    assert failed_read.value.cause == Cause.UNAVAILABLE
    for write in (put, delete):
        with pytest.raises(OutcomeUnknown) as failed_write:
            write()
        assert failed_write.value.answered
        assert failed_write.value.cause == Cause.OUTCOME_UNKNOWN
    assert canned.requests == 3


VALIDATION = [
    (
        r'[ECMA 262 regex "^[\s]*[\w+=.#|!&-]+@[\w.-]+\.[\w]+[\s]*$" does not match input string "a b"]',
        "email",
    ),
    (r'[ECMA 262 regex "^[\s0-9()+-]+$" does not match input string "x@y maximum allowed: 64"]', "phone"),
    (r'[ECMA 262 regex "^\d{12}$" does not match input string "abc"]', ""),
    ('[string "…" is too long (length: 65, maximum allowed: 64)]', "name"),
    ('[string "…" is too long (length: 51, maximum allowed: 50)]', "title"),
    ('[string "…" is too long (length: 255, maximum allowed: 254)]', "email"),
    ('[string "…" is too long (length: 26, maximum allowed: 25)]', "phone"),
    ('[object has missing required properties (["Title"])]', "title"),
    ("The input must not be null or only whitespace.", ""),
]


@pytest.mark.parametrize("code", ["ValidationException", NO_TYPE])
@pytest.mark.parametrize(("message", "field"), VALIDATION)
def test_a_rejected_value_names_the_field_and_nothing_else(canned, message, field, code):
    answer(canned, 400, code, message)
    with pytest.raises(Invalid) as caught:
        put()
    assert caught.value.cause == Cause.INVALID
    assert caught.value.field == field
    assert message not in repr(vars(caught.value)) + str(caught.value)


def test_the_list_of_fields_counts_where_aws_sends_one(canned):
    fields = [{"name": "PhoneNumber", "message": "bad: 555"}]
    answer(canned, 400, "ValidationException", "bad", reason="fieldValidationFailed", fieldList=fields)
    with pytest.raises(Invalid) as caught:
        put()
    assert caught.value.field == "phone"


@pytest.mark.parametrize("body", ['{"AlternateContact": null}', "{}"])
def test_an_answer_without_a_contact_is_not_taken_for_an_absent_one(canned, body):
    canned.body = body
    with pytest.raises(Refused) as caught:
        read()
    assert caught.value.cause == Cause.UNEXPECTED


def test_a_404_of_somebody_in_between_is_not_taken_for_an_absent_contact(canned):
    canned.status, canned.headers, canned.body = 404, {"Content-Type": "text/html"}, "<html>Not found</html>"
    for call in (read, delete):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.cause == Cause.UNEXPECTED


def test_a_value_that_the_sdk_refuses_is_our_mistake_and_is_not_sent(canned):
    with pytest.raises(Refused) as caught:
        aws.put_alternate_contact(CALLER, "BILLING", ContactDetails("", "CFO", "a@b.co", "1"), None)
    assert caught.value.cause == Cause.UNEXPECTED
    assert canned.requests == 0


def test_a_repeated_page_token_does_not_loop(canned):
    canned.headers = {"Content-Type": "application/x-amz-json-1.1"}
    canned.body = '{"Accounts": [], "NextToken": "again"}'
    with pytest.raises(Refused) as caught:
        list(aws_organizations.list_accounts(CALLER, lambda operation: None))
    assert caught.value.cause == Cause.UNEXPECTED
    assert canned.requests == 2


@pytest.mark.parametrize(
    ("status", "code", "error", "requests"),
    [
        (400, "TooManyRequestsException", Throttled, 3),
        (500, "ServiceException", Unavailable, 3),
        (400, "AccessDeniedException", Refused, 1),
        (400, "InvalidInputException", Refused, 1),
    ],
)
def test_organizations_calls_are_retried_by_the_sdk(canned, status, code, error, requests, monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    canned.status, canned.body = status, json.dumps({"__type": code, "Message": "…"})
    with pytest.raises(error) as caught:
        list(aws_organizations.list_accounts(CALLER, lambda operation: None))
    assert type(caught.value) is error
    assert canned.requests == requests
