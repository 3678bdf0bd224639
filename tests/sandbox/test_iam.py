"""IAM in the local AWS: attached policies are kept to, and the simulator says the same beforehand."""

import json
from pathlib import Path

import pytest

from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, STANDALONE_IDS, Sandbox
from tests.sandbox.conftest import MakeClient, refusal

ORGANIZATION = "o-nw7k2d9x4b"
OWN = f"arn:aws:account::{MANAGEMENT_ID}:account"
MEMBERS = f"{OWN}/{ORGANIZATION}/*"
MEMBER = f"{OWN}/{ORGANIZATION}/{PAGE_ACCOUNT_ID}"
PORTAL = f"arn:aws:iam::{MANAGEMENT_ID}:user/portal"
SECURITY = {"ForAnyValue:StringEquals": {"account:AlternateContactTypes": ["SECURITY"]}}
DETAILS = {"Name": "N", "Title": "T", "EmailAddress": "a@b.co", "PhoneNumber": "1"}


def policy(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str, **more: object) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


READ_ALL_WRITE_SECURITY = policy(
    allow("account:GetAlternateContact", MEMBERS),
    allow("account:PutAlternateContact", MEMBERS, Condition=SECURITY),
)


@pytest.fixture
def admin(client: MakeClient):
    """IAM as somebody who may change policies."""
    return client("iam", aws_access_key_id=f"SANDBOX{MANAGEMENT_ID}ADMIN")


def attach(admin, document: str) -> None:
    admin.put_user_policy(UserName="portal", PolicyName="Portal", PolicyDocument=document)


def simulate(iam, actions: list[str], resource: str, **keys: list[str]) -> dict[str, str]:
    entries = [
        {
            "ContextKeyName": f"account:{key}",
            "ContextKeyType": "stringList",
            "ContextKeyValues": values,
        }
        for key, values in keys.items()
    ]
    answer = iam.simulate_principal_policy(
        PolicySourceArn=PORTAL, ActionNames=actions, ResourceArns=[resource], ContextEntries=entries
    )
    return {row["EvalActionName"]: row["EvalDecision"] for row in answer["EvaluationResults"]}


def test_a_policy_is_kept_to_from_then_on(client: MakeClient, admin) -> None:
    account = client("account")
    attach(admin, READ_ALL_WRITE_SECURITY)

    account.get_alternate_contact(AlternateContactType="BILLING", AccountId=PAGE_ACCOUNT_ID)
    account.put_alternate_contact(AlternateContactType="SECURITY", AccountId=PAGE_ACCOUNT_ID, **DETAILS)
    status, code, message = refusal(
        account.put_alternate_contact, AlternateContactType="BILLING", AccountId=PAGE_ACCOUNT_ID, **DETAILS
    )
    assert (status, code) == (403, "AccessDeniedException")
    assert message == (
        f"User: {PORTAL} is not authorized to perform: account:PutAlternateContact on resource: {MEMBER} "
        "because no identity-based policy allows the account:PutAlternateContact action"
    )
    assert f"on resource: {OWN} " in refusal(account.get_alternate_contact, AlternateContactType="BILLING")[2]
    assert refusal(client("organizations").list_accounts)[1] == "AccessDeniedException"
    client("sts").get_caller_identity()


def test_the_simulator_says_what_the_call_would_be_told(client: MakeClient, admin) -> None:
    attach(admin, READ_ALL_WRITE_SECURITY)
    actions = ["account:PutAlternateContact", "account:GetAlternateContact", "account:DeleteAlternateContact"]

    assert simulate(admin, actions, MEMBER, AlternateContactTypes=["SECURITY"]) == {
        "account:PutAlternateContact": "allowed",
        "account:GetAlternateContact": "allowed",
        "account:DeleteAlternateContact": "implicitDeny",
    }
    assert set(simulate(admin, actions, OWN, AlternateContactTypes=["SECURITY"]).values()) == {"implicitDeny"}
    assert refusal(simulate, iam=client("iam"), actions=actions, resource=OWN)[1] == "AccessDenied"


def test_an_explicit_deny_wins_and_is_named(client: MakeClient, admin) -> None:
    deny = {"Effect": "Deny", "Action": "account:Put*", "Resource": "*"}
    attach(admin, policy(allow("account:*", "*"), deny))

    message = refusal(client("account").put_alternate_contact, AlternateContactType="SECURITY", **DETAILS)[2]

    assert message.endswith("with an explicit deny in an identity-based policy")
    assert simulate(admin, ["account:PutAlternateContact"], OWN) == {
        "account:PutAlternateContact": "explicitDeny"
    }


def test_a_service_control_policy_binds_members_and_never_the_management_account(
    sandbox: Sandbox, client: MakeClient
) -> None:
    standalone = {
        "Effect": "Deny",
        "Action": ["account:PutAlternateContact", "account:DeleteAlternateContact"],
        "Resource": "arn:aws:account::*:account",
    }
    sandbox.set_scp(sandbox.world.organization.root_id, policy(standalone))

    member, management = client("account", PAGE_ACCOUNT_ID), client("account")

    message = refusal(member.put_alternate_contact, AlternateContactType="SECURITY", **DETAILS)[2]
    assert message.endswith("with an explicit deny in a service control policy")
    member.get_alternate_contact(AlternateContactType="SECURITY")
    management.put_alternate_contact(AlternateContactType="SECURITY", **DETAILS)
    management.put_alternate_contact(AlternateContactType="SECURITY", AccountId=PAGE_ACCOUNT_ID, **DETAILS)
    iam = client("iam", PAGE_ACCOUNT_ID)
    [row] = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{PAGE_ACCOUNT_ID}:user/portal",
        ActionNames=["account:PutAlternateContact"],
        ResourceArns=[f"arn:aws:account::{PAGE_ACCOUNT_ID}:account"],
    )["EvaluationResults"]
    assert row["EvalDecision"] == "explicitDeny"
    assert row["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}


def test_a_role_is_assumed_by_whom_its_trust_policy_names(client: MakeClient, admin) -> None:
    principal = f"arn:aws:iam::{PAGE_ACCOUNT_ID}:user/portal"
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": principal},
        "Condition": {"StringEquals": {"sts:ExternalId": "a-long-one"}},
    }
    role = admin.create_role(RoleName="Contacts", AssumeRolePolicyDocument=policy(trust))["Role"]
    admin.put_role_policy(
        RoleName="Contacts", PolicyName="P", PolicyDocument=policy(allow("account:GetAlternateContact", OWN))
    )
    sts = client("sts", PAGE_ACCOUNT_ID)
    asked = {"RoleArn": role["Arn"], "RoleSessionName": "portal"}

    given = sts.assume_role(**asked, ExternalId="a-long-one")["Credentials"]
    assert refusal(sts.assume_role, **asked)[1] == "AccessDenied"
    assert refusal(sts.assume_role, **asked, ExternalId="another")[1] == "AccessDenied"
    other = client("sts", STANDALONE_IDS[0])
    assert refusal(other.assume_role, **asked, ExternalId="a-long-one")[1] == "AccessDenied"
    account = client(
        "account",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    account.get_alternate_contact(AlternateContactType="BILLING")
    assert (
        "DeleteAlternateContact"
        in refusal(account.delete_alternate_contact, AlternateContactType="BILLING")[2]
    )


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("no JSON", "MalformedPolicyDocument"),
        (json.dumps({"Statement": []}), "MalformedPolicyDocument"),
        (policy({"Effect": "Allow", "Action": "account:*"}), "MalformedPolicyDocument"),
        (policy({"Effect": "Perhaps", "Action": "a:b", "Resource": "*"}), "MalformedPolicyDocument"),
        (policy(allow("everything", "*")), "MalformedPolicyDocument"),
        (policy(allow("a:b", "*", NotAction="a:c")), "MalformedPolicyDocument"),
        (policy(allow("a:b", "*", Condition={"DateSomething": {"a": "b"}})), "MalformedPolicyDocument"),
        (policy(allow("a:b", "*", Sid="A"), allow("a:c", "*", Sid="A")), "MalformedPolicyDocument"),
        (policy(allow("a:b", ["arn:aws:s3:::" + "x" * 3000])), "LimitExceeded"),
    ],
)
def test_what_is_no_policy_is_refused(admin, document: str, code: str) -> None:
    call = {"UserName": "portal", "PolicyName": "P", "PolicyDocument": document}
    assert refusal(admin.put_user_policy, **call)[1] == code


def test_the_simulator_wants_an_entity_and_knows_it(client: MakeClient, admin) -> None:
    def code(source: str) -> str:
        call = {"PolicySourceArn": source, "ActionNames": ["account:GetAlternateContact"]}
        return refusal(admin.simulate_principal_policy, **call)[1]

    assert code(f"arn:aws:sts::{MANAGEMENT_ID}:assumed-role/Portal/session") == "InvalidInput"
    assert code(f"arn:aws:iam::{MANAGEMENT_ID}:role/Unknown") == "NoSuchEntity"
    assert code(f"arn:aws:iam::{PAGE_ACCOUNT_ID}:user/portal") == "AccessDenied"


def test_policies_are_still_there_after_a_restart(tmp_path: Path) -> None:
    with Sandbox(accounts=5, state=tmp_path / "state.jsonl") as sandbox:
        sandbox.set_policy(MANAGEMENT_ID, "user/portal", READ_ALL_WRITE_SECURITY)
        sandbox.set_scp(PAGE_ACCOUNT_ID, policy({"Effect": "Deny", "Action": "account:*", "Resource": "*"}))
        before = (dict(sandbox.world.policies), dict(sandbox.world.scps))
        for _ in range(2):
            sandbox.restart()
        assert (sandbox.world.policies, sandbox.world.scps) == before


def test_a_service_control_policy_by_the_control_interface(sandbox: Sandbox, control) -> None:
    document = json.loads(policy({"Effect": "Deny", "Action": "account:*", "Resource": "*"}))

    assert control("PUT", f"scps/{PAGE_ACCOUNT_ID}", document)[0] == 200
    assert list(sandbox.world.scps) == [PAGE_ACCOUNT_ID]
    assert control("PUT", "scps/999999999999", document)[0] == 400
    assert control("PUT", f"scps/{PAGE_ACCOUNT_ID}", {"Version": "2012-10-17"})[0] == 400
    assert control("DELETE", f"scps/{PAGE_ACCOUNT_ID}")[0] == 200
    assert not sandbox.world.scps


def test_answers_have_a_date_and_a_clock_that_is_off_is_refused(sandbox: Sandbox, client: MakeClient) -> None:
    sts = client("sts")
    assert "GMT" in sts.get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]["date"]
    sandbox.switch(clock_offset_seconds=-200)
    sts.get_caller_identity()
    sandbox.switch(clock_offset_seconds=-400)
    assert refusal(sts.get_caller_identity)[1] == "SignatureDoesNotMatch"


def test_a_type_that_aws_does_not_know_there(sandbox: Sandbox, client: MakeClient) -> None:
    sandbox.switch(contact_types=["BILLING", "OPERATIONS"])
    message = refusal(client("account").get_alternate_contact, AlternateContactType="SECURITY")[2]
    assert message.endswith("(You specified an invalid Alternate Contact type.)")
