"""What AWS answers to the alternate-contact operations: one row for each case, UNPROVEN apart."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, STANDALONE_IDS

M, MEMBER, DELEGATED, OTHER = MANAGEMENT_ID, PAGE_ACCOUNT_ID, "442109153376", "530127749921"
STANDALONE, STRANGER = STANDALONE_IDS[0], "999999999999"

DETAILS = {
    "Name": "Mateo Jackson",
    "Title": "CISO",
    "EmailAddress": "mateo@example.com",
    "PhoneNumber": "+1(206)555-1234",
}
EMAIL = r"[\s]*[\w+=.#|!&-]+@[\w.-]+\.[\w]+[\s]*"
PHONE = r"[\s0-9()+-]+"
NOT_FOUND = (404, "ResourceNotFoundException", "No contact of the inputted alternate contact type found.")
GET, PUT, DELETE = "GetAlternateContact", "PutAlternateContact", "DeleteAlternateContact"
CALLS = {GET: "get_alternate_contact", PUT: "put_alternate_contact", DELETE: "delete_alternate_contact"}
OWN_ID = (
    " (The management account can only be managed using the standalone context from the management account.)"
)
NO_TRUST = " (Your organization must first enable trusted access with AWS Account Management.)"
BAD_TYPE = " (You specified an invalid Alternate Contact type.)"


@dataclass(frozen=True)
class Row:
    """One call and what AWS answers; `answer` is None where it is granted."""

    name: str
    operation: str
    answer: tuple[int, str, str] | None
    caller: str = M
    values: dict[str, Any] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    state: str | None = None
    without: tuple[str, ...] = ()


def denied(operation: str, caller: str = M, why: str = "") -> tuple[int, str, str]:
    text = f"User: arn:aws:iam::{caller}:user/portal is not authorized to perform: account:{operation}{why}"
    return 403, "AccessDeniedException", text


def invalid(complaint: str) -> tuple[int, str, str]:
    return 400, "ValidationException", f"[{complaint}]"


def mismatch(pattern: str, value: str) -> tuple[int, str, str]:
    return invalid(f'ECMA 262 regex "^{pattern}$" does not match input string "{value}"')


def missing(names: str) -> tuple[int, str, str]:
    return invalid(f"object has missing required properties ([{names}])")


def too_long(value: str, size: int, limit: int) -> tuple[int, str, str]:
    return invalid(f'string "{value}" is too long (length: {size}, maximum allowed: {limit})')


def on_resource(operation: str, resource: str, why: str) -> str:
    return f" on resource: {resource} {why.format(action=f'account:{operation}')}"


STANDALONE_ARN = f"arn:aws:account::{M}:account"
MEMBER_ARN = f"arn:aws:account::{M}:account/o-nw7k2d9x4b/{MEMBER}"
NO_IDENTITY = "because no identity-based policy allows the {action} action"
NO_SESSION = "because no session policy allows the {action} action"
EXPLICIT = "with an explicit deny in an identity-based policy"
SCP = "with an explicit deny in a service control policy"
TO_MEMBER = {"AccountId": MEMBER}
AS_DELEGATED = {"delegated_admin": DELEGATED}

PROVEN = [
    # Nothing set
    Row("get-unset", GET, NOT_FOUND, values={"AccountId": OTHER, "AlternateContactType": "BILLING"}),
    Row("delete-unset", DELETE, NOT_FOUND, values={"AccountId": OTHER, "AlternateContactType": "BILLING"}),
    # Bad types
    *(
        Row(
            f"type-{bad}-{operation}",
            operation,
            denied(operation, why=BAD_TYPE),
            values={"AlternateContactType": bad},
        )
        for bad in ("operations", "OTHER", "Billing", "")
        for operation in CALLS
    ),
    # The management account's own id, trusted access, ordinary members
    *(Row(f"own-id-{op}", op, denied(op, why=OWN_ID), values={"AccountId": M}) for op in CALLS),
    *(
        Row(
            f"no-trust-{op}",
            op,
            denied(op, why=NO_TRUST),
            values=TO_MEMBER,
            switches={"trusted_access": False},
        )
        for op in CALLS
    ),
    Row("member-own-id", GET, denied(GET, MEMBER), MEMBER, TO_MEMBER),
    Row("member-other-id", PUT, denied(PUT, MEMBER), MEMBER, {"AccountId": DELEGATED}),
    Row("member-management-id", DELETE, denied(DELETE, MEMBER), MEMBER, {"AccountId": M}),
    Row("member-beats-trust", GET, denied(GET, MEMBER), MEMBER, TO_MEMBER, {"trusted_access": False}),
    Row("standalone-own-id", GET, denied(GET, STANDALONE), STANDALONE, {"AccountId": STANDALONE}),
    Row(
        "trust-beats-own-id",
        GET,
        denied(GET, why=NO_TRUST),
        values={"AccountId": M},
        switches={"trusted_access": False},
    ),
    # Policies
    Row(
        "deny-session-standalone",
        GET,
        denied(GET, why=on_resource(GET, STANDALONE_ARN, NO_SESSION)),
        switches={"deny": [{"kind": "session"}]},
    ),
    Row(
        "deny-identity-member",
        PUT,
        denied(PUT, why=on_resource(PUT, MEMBER_ARN, NO_IDENTITY)),
        values=TO_MEMBER,
        switches={"deny": [{"account": MEMBER, "type": "SECURITY", "operation": PUT}]},
    ),
    Row(
        "deny-explicit",
        DELETE,
        denied(DELETE, why=on_resource(DELETE, MEMBER_ARN, EXPLICIT)),
        values=TO_MEMBER,
        switches={"deny": [{"kind": "explicit", "account": "*"}]},
    ),
    Row(
        "deny-scp-standalone",
        GET,
        denied(GET, MEMBER, on_resource(GET, f"arn:aws:account::{MEMBER}:account", SCP)),
        MEMBER,
        switches={"deny": [{"kind": "scp"}]},
    ),
    Row(
        "deny-delegated-names-management",
        GET,
        denied(GET, DELEGATED, on_resource(GET, MEMBER_ARN, NO_IDENTITY)),
        DELEGATED,
        TO_MEMBER,
        {**AS_DELEGATED, "deny": [{}]},
    ),
    # Patterns
    Row("phone-letters", PUT, mismatch(PHONE, "1x"), values={"PhoneNumber": "1x"}),
    Row("email-percent", PUT, mismatch(EMAIL, "a%b@c.de"), values={"EmailAddress": "a%b@c.de"}),
    Row("email-not-ascii", PUT, mismatch(EMAIL, "josé@b.co"), values={"EmailAddress": "josé@b.co"}),
    Row("email-two", PUT, mismatch(EMAIL, "a@b.co;d@e.co"), values={"EmailAddress": "a@b.co;d@e.co"}),
    Row("email-no-domain", PUT, mismatch(EMAIL, "a@b"), values={"EmailAddress": "a@b"}),
    # Who may
    Row("management-standalone", GET, None),
    Row("management-put", PUT, None),
    Row("management-delete", DELETE, None),
    *(Row(f"management-to-member-{op}", op, None, values=TO_MEMBER) for op in CALLS),
    Row("standalone-needs-no-trust", GET, None, MEMBER, switches={"trusted_access": False}),
    Row("standalone-needs-no-features", PUT, None, MEMBER, switches={"feature_set": "CONSOLIDATED_BILLING"}),
    Row(
        "delegated-own-id",
        GET,
        None,
        DELEGATED,
        {"AccountId": DELEGATED, "AlternateContactType": "BILLING"},
        AS_DELEGATED,
    ),
    Row("delegated-standalone", PUT, None, DELEGATED, switches=AS_DELEGATED),
    *(Row(f"delegated-to-member-{op}", op, None, DELEGATED, TO_MEMBER, AS_DELEGATED) for op in CALLS),
    Row("member-standalone", PUT, None, MEMBER),
    Row("standalone-itself", PUT, None, STANDALONE),
    Row(
        "delegated-no-trust",
        GET,
        denied(GET, DELEGATED, NO_TRUST),
        DELEGATED,
        TO_MEMBER,
        {**AS_DELEGATED, "trusted_access": False},
    ),
    # Values that AWS takes
    Row("name-64", PUT, None, values={"Name": "n" * 64, "Title": "t" * 50, "PhoneNumber": "1" * 25}),
    Row("email-254", PUT, None, values={"EmailAddress": "a" * 248 + "@bb.co"}),
    Row("email-odd", PUT, None, values={"EmailAddress": "x|y!z&#=+.-_@-b_c..co"}),
    Row("phone-odd", PUT, None, values={"PhoneNumber": "()--\t"}),
    Row(
        "type-before-context",
        GET,
        denied(GET, MEMBER, BAD_TYPE),
        MEMBER,
        {"AccountId": M, "AlternateContactType": "X"},
    ),
]

UNPROVEN = [
    Row("length-message-name", PUT, too_long("n" * 65, 65, 64), values={"Name": "n" * 65}),
    Row("length-message-title", PUT, too_long("t" * 51, 51, 50), values={"Title": "t" * 51}),
    Row("length-message-phone", PUT, too_long("1" * 26, 26, 25), values={"PhoneNumber": "1" * 26}),
    Row(
        "length-message-email",
        PUT,
        too_long("a" * 249 + "@bb.co", 255, 254),
        values={"EmailAddress": "a" * 249 + "@bb.co"},
    ),
    Row("length-unit-code-points", PUT, None, values={"Name": "😀" * 64}),
    Row("non-ascii-name", PUT, None, values={"Name": "田中", "Title": "Zoë"}),
    Row("blank-name", PUT, None, values={"Name": " ", "Title": " "}),
    Row("account-id-pattern", GET, mismatch(r"\d{12}", "abc"), values={"AccountId": "abc"}),
    Row("missing-members", PUT, missing('"Name","PhoneNumber"'), without=("Name", "PhoneNumber")),
    Row("missing-type", GET, missing('"AlternateContactType"'), without=("AlternateContactType",)),
    Row(
        "too-short",
        PUT,
        invalid('string "" is too short (length: 0, required minimum: 1)'),
        values={"Title": ""},
    ),
    Row(
        "wrong-type",
        PUT,
        invalid('instance type (integer) does not match any allowed primitive type (allowed: ["string"])'),
        values={"Name": 5},
    ),
    Row(
        "several-complaints",
        PUT,
        invalid(
            f'ECMA 262 regex "^{EMAIL}$" does not match input string "x", '
            f'ECMA 262 regex "^{PHONE}$" does not match input string "y"'
        ),
        values={"EmailAddress": "x", "PhoneNumber": "y"},
    ),
    Row(
        "schema-before-type",
        PUT,
        mismatch(PHONE, "x"),
        values={"PhoneNumber": "x", "AlternateContactType": "X"},
    ),
    Row("target-not-a-member", GET, denied(GET), values={"AccountId": STRANGER}),
    Row("target-standalone", PUT, denied(PUT), values={"AccountId": STANDALONE}),
    Row(
        "consolidated-billing",
        GET,
        denied(GET),
        values=TO_MEMBER,
        switches={"feature_set": "CONSOLIDATED_BILLING"},
    ),
    Row(
        "delegated-to-management",
        GET,
        denied(GET, DELEGATED, OWN_ID),
        DELEGATED,
        {"AccountId": M},
        AS_DELEGATED,
    ),
    *(
        Row(
            f"{operation}-{state}",
            operation,
            None if operation == GET else denied(operation),
            values=TO_MEMBER,
            state=state,
        )
        for operation in CALLS
        for state in ("PENDING_ACTIVATION", "SUSPENDED", "PENDING_CLOSURE", "CLOSED")
    ),
    Row(
        "state-rule-all",
        PUT,
        None,
        values=TO_MEMBER,
        state="CLOSED",
        switches={"state_rules": {"CLOSED": "all"}},
    ),
    Row(
        "state-rule-none",
        GET,
        denied(GET),
        values=TO_MEMBER,
        state="CLOSED",
        switches={"state_rules": {"CLOSED": "none"}},
    ),
    Row(
        "throttle-body",
        GET,
        (429, "TooManyRequestsException", "Too Many Requests"),
        switches={"quota_scale": 0.000001},
    ),
    Row(
        "fault-body",
        GET,
        (500, "InternalServerException", "Internal server error"),
        switches={"error_rate": 1},
    ),
]
