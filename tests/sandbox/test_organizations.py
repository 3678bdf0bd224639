"""Organizations through boto3: every read, who may call, errors, pages, and the few writes."""

import pytest

from sandbox.company import ROOT_ID
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, STANDALONE_IDS, Sandbox

from .conftest import MakeClient, client_maker, refusal

ADMINISTRATOR = "442109153376"
PRINCIPAL = "account.amazonaws.com"
READS = {
    "list_accounts": {},
    "list_roots": {},
    "list_organizational_units_for_parent": {"ParentId": ROOT_ID},
    "list_accounts_for_parent": {"ParentId": ROOT_ID},
    "list_children": {"ParentId": ROOT_ID, "ChildType": "ACCOUNT"},
    "list_parents": {"ChildId": PAGE_ACCOUNT_ID},
    "describe_account": {"AccountId": PAGE_ACCOUNT_ID},
    "list_aws_service_access_for_organization": {},
    "list_delegated_administrators": {"ServicePrincipal": PRINCIPAL},
    "list_delegated_services_for_account": {"AccountId": ADMINISTRATOR},
    "list_tags_for_resource": {"ResourceId": PAGE_ACCOUNT_ID},
}
WRITES = {
    "enable_aws_service_access": {"ServicePrincipal": PRINCIPAL},
    "disable_aws_service_access": {"ServicePrincipal": PRINCIPAL},
    "register_delegated_administrator": {"AccountId": PAGE_ACCOUNT_ID, "ServicePrincipal": PRINCIPAL},
    "deregister_delegated_administrator": {"AccountId": ADMINISTRATOR, "ServicePrincipal": PRINCIPAL},
    "move_account": {"AccountId": PAGE_ACCOUNT_ID, "SourceParentId": ROOT_ID, "DestinationParentId": ROOT_ID},
    "close_account": {"AccountId": PAGE_ACCOUNT_ID},
    "remove_account_from_organization": {"AccountId": PAGE_ACCOUNT_ID},
}
REFUSED = (400, "AccessDeniedException", "You don't have permissions to access this resource.")
NOT_IN_USE = (
    400,
    "AWSOrganizationsNotInUseException",
    "Your account is not a member of an organization.",
)
UNKNOWN_UNIT = "ou-nw7k-zzzzzzzz"


@pytest.mark.parametrize("operation", READS)
def test_reads_are_for_management_and_delegated_administrators(
    sandbox: Sandbox, client: MakeClient, operation: str
) -> None:
    sandbox.switch(delegated_admin=ADMINISTRATOR)
    for caller in (MANAGEMENT_ID, ADMINISTRATOR):
        getattr(client("organizations", caller), operation)(**READS[operation])
    assert (
        refusal(getattr(client("organizations", PAGE_ACCOUNT_ID), operation), **READS[operation]) == REFUSED
    )


@pytest.mark.parametrize("operation", WRITES)
def test_writes_are_for_management_alone(sandbox: Sandbox, client: MakeClient, operation: str) -> None:
    sandbox.switch(delegated_admin=ADMINISTRATOR)
    for caller in (PAGE_ACCOUNT_ID, ADMINISTRATOR):
        assert refusal(getattr(client("organizations", caller), operation), **WRITES[operation]) == REFUSED


@pytest.mark.parametrize("operation", ["describe_organization", *READS])
def test_an_account_outside_has_no_organization(client: MakeClient, operation: str) -> None:
    call = getattr(client("organizations", STANDALONE_IDS[0]), operation)
    assert refusal(call, **READS.get(operation, {})) == NOT_IN_USE


def test_any_member_may_describe_the_organization(client: MakeClient) -> None:
    organization = client("organizations", PAGE_ACCOUNT_ID).describe_organization()["Organization"]
    assert organization["MasterAccountId"] == MANAGEMENT_ID
    assert organization["FeatureSet"] == "ALL"
    assert organization["Arn"] == f"arn:aws:organizations::{MANAGEMENT_ID}:organization/{organization['Id']}"


@pytest.mark.parametrize(
    ("operation", "values", "code"),
    [
        ("describe_account", {"AccountId": "999999999999"}, "AccountNotFoundException"),
        ("describe_account", {"AccountId": STANDALONE_IDS[0]}, "AccountNotFoundException"),
        ("describe_account", {"AccountId": "abc"}, "InvalidInputException"),
        ("list_parents", {"ChildId": "999999999999"}, "ChildNotFoundException"),
        ("list_parents", {"ChildId": ROOT_ID}, "ChildNotFoundException"),
        ("list_accounts_for_parent", {"ParentId": UNKNOWN_UNIT}, "ParentNotFoundException"),
        ("list_organizational_units_for_parent", {"ParentId": "nonsense"}, "InvalidInputException"),
        ("list_children", {"ParentId": ROOT_ID, "ChildType": "ROOT"}, "InvalidInputException"),
        (
            "describe_organizational_unit",
            {"OrganizationalUnitId": UNKNOWN_UNIT},
            "OrganizationalUnitNotFoundException",
        ),
        (
            "list_delegated_services_for_account",
            {"AccountId": PAGE_ACCOUNT_ID},
            "AccountNotRegisteredException",
        ),
        ("list_tags_for_resource", {"ResourceId": "999999999999"}, "TargetNotFoundException"),
        ("move_account", {**WRITES["move_account"]}, "SourceParentNotFoundException"),
        ("close_account", {"AccountId": MANAGEMENT_ID}, "ConstraintViolationException"),
        (
            "remove_account_from_organization",
            {"AccountId": MANAGEMENT_ID},
            "MasterCannotLeaveOrganizationException",
        ),
        (
            "deregister_delegated_administrator",
            WRITES["register_delegated_administrator"],
            "AccountNotRegisteredException",
        ),
        (
            "register_delegated_administrator",
            {"AccountId": MANAGEMENT_ID, "ServicePrincipal": PRINCIPAL},
            "ConstraintViolationException",
        ),
        (
            "register_delegated_administrator",
            {"AccountId": PAGE_ACCOUNT_ID, "ServicePrincipal": "sso.amazonaws.com"},
            "ConstraintViolationException",
        ),
    ],
)
def test_mistakes_are_answered_with_400(client: MakeClient, operation: str, values: dict, code: str) -> None:
    status, found, message = refusal(getattr(client("organizations"), operation), **values)
    assert (status, found) == (400, code)
    assert message


def test_trusted_access_and_one_delegated_administrator(sandbox: Sandbox, client: MakeClient) -> None:
    organizations = client("organizations")
    organizations.disable_aws_service_access(ServicePrincipal=PRINCIPAL)
    assert organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"] == []
    organizations.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
    register = organizations.register_delegated_administrator
    register(AccountId=PAGE_ACCOUNT_ID, ServicePrincipal=PRINCIPAL)
    again = refusal(register, AccountId=PAGE_ACCOUNT_ID, ServicePrincipal=PRINCIPAL)
    assert again[1] == "AccountAlreadyRegisteredException"
    second = refusal(register, AccountId=ADMINISTRATOR, ServicePrincipal=PRINCIPAL)
    assert second[1] == "ConstraintViolationException"
    listed = organizations.list_delegated_administrators(ServicePrincipal=PRINCIPAL)
    assert [each["Id"] for each in listed["DelegatedAdministrators"]] == [PAGE_ACCOUNT_ID]
    removed = refusal(organizations.remove_account_from_organization, AccountId=PAGE_ACCOUNT_ID)
    assert removed[1] == "ConstraintViolationException"
    organizations.deregister_delegated_administrator(AccountId=PAGE_ACCOUNT_ID, ServicePrincipal=PRINCIPAL)
    assert sandbox.aws.all_switches()["delegated_admin"] is None


def test_a_policy_denies_one_call(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(deny=[{"operation": "ListAccounts"}])
    assert refusal(client("organizations").list_accounts) == REFUSED
    client("organizations").list_roots()


def test_an_account_moves_closes_and_leaves(sandbox: Sandbox, client: MakeClient) -> None:
    organizations = client("organizations")
    source = organizations.list_parents(ChildId=PAGE_ACCOUNT_ID)["Parents"][0]
    assert source["Type"] == "ORGANIZATIONAL_UNIT"
    move = {"AccountId": PAGE_ACCOUNT_ID, "SourceParentId": source["Id"], "DestinationParentId": ROOT_ID}
    organizations.move_account(**move)
    assert refusal(organizations.move_account, **move)[1] == "DuplicateAccountException"
    moved = organizations.describe_account(AccountId=PAGE_ACCOUNT_ID)["Account"]
    assert moved["Paths"] == [f"o-nw7k2d9x4b/{ROOT_ID}/{PAGE_ACCOUNT_ID}/"]
    organizations.close_account(AccountId=PAGE_ACCOUNT_ID)
    assert organizations.describe_account(AccountId=PAGE_ACCOUNT_ID)["Account"]["State"] == "CLOSED"
    again = refusal(organizations.close_account, AccountId=PAGE_ACCOUNT_ID)
    assert again[1] == "AccountAlreadyClosedException"
    organizations.remove_account_from_organization(AccountId=PAGE_ACCOUNT_ID)
    gone = refusal(organizations.describe_account, AccountId=PAGE_ACCOUNT_ID)
    assert gone[1] == "AccountNotFoundException"
    assert sandbox.contact(PAGE_ACCOUNT_ID, "BILLING")


def test_consolidated_billing_takes_no_trusted_access(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(feature_set="CONSOLIDATED_BILLING")
    assert refusal(client("organizations").enable_aws_service_access, ServicePrincipal=PRINCIPAL) == REFUSED


def test_china_has_its_own_arns() -> None:
    with Sandbox(partition="aws-cn", quota_scale=0) as china:
        make = client_maker(china)
        assert make("sts").get_caller_identity()["Arn"] == f"arn:aws-cn:iam::{MANAGEMENT_ID}:user/portal"
        arn = make("organizations").describe_organization()["Organization"]["MasterAccountArn"]
        assert arn.startswith("arn:aws-cn:organizations::")
