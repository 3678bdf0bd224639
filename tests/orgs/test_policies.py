"""The policies to paste: a linter finds nothing, and the local AWS lets through what they allow, no more."""

import json
from io import StringIO
from itertools import combinations, product
from typing import Any

import boto3
import parliament
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.context import command_context
from orgs import policies
from orgs.connecting import connect_organization
from orgs.contact_types import ContactType
from orgs.discovery import discover
from orgs.models import Organization, Standing
from orgs.policies import Needs
from orgs.policy_kit import external_id_of, needs_of
from orgs.preflight import run_checks
from portal import aws
from sandbox.callers import KEY_PREFIX
from sandbox.testing import MANAGEMENT_ID, PAGE_ACCOUNT_ID, PORTAL_ROLE, Sandbox

TYPES = tuple(ContactType.values)
SOME_TYPES = [types for size in (1, 2, 3) for types in combinations(TYPES, size)]
ORGANIZATION = "o-nw7k2d9x4b"
ROLE = f"arn:aws:iam::{MANAGEMENT_ID}:role/{PORTAL_ROLE}"
DETAILS = {"Name": "N", "Title": "T", "EmailAddress": "a@b.co", "PhoneNumber": "1"}
OPERATIONS = ("GetAlternateContact", "PutAlternateContact", "DeleteAlternateContact")
ONE_ATTEMPT = Config(retries={"mode": "standard", "total_max_attempts": 1})
# AWS's reference has this key for the service and ties it to no action, so the linter does not expect it:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsaccountmanagement.html
KEYS_OF_NO_ACTION = ("account:AccountResourceOrgPaths",)


def needs(standing: str, **more: Any) -> Needs:
    caller = MANAGEMENT_ID if standing == Standing.MANAGEMENT else PAGE_ACCOUNT_ID
    principal = f"arn:{more.get('partition', 'aws')}:iam::{caller}:user/portal"
    usual = {
        "partition": "aws",
        "organization_id": ORGANIZATION,
        "management_account_id": MANAGEMENT_ID,
        "caller_account_id": caller,
        "standing": standing,
        "principal": principal,
        "base": principal,
        "external_id": "northwind-portal",
    }
    return Needs(**usual | more)


# The linter

VARIANTS = [
    needs(standing, writes=writes, types=types, units=units, partition=partition)
    for standing, writes, types, units, partition in product(
        Standing.values,
        (True, False),
        (TYPES, ("SECURITY",)),
        ((), ("r-nw7k/ou-nw7k-11111111/", "r-nw7k/ou-nw7k-22222222/")),
        ("aws", "aws-cn", "aws-us-gov"),
    )
]


def findings(policy: dict) -> list[str]:
    found = parliament.analyze_policy_string(json.dumps(policy)).findings
    known = ("UNKNOWN_CONDITION_FOR_ACTION", KEYS_OF_NO_ACTION)
    return [
        str(one)
        for one in found
        if not (one.issue == known[0] and any(key in str(one.detail) for key in known[1]))
    ]


def every_policy(of: Needs) -> list[dict]:
    others = [policies.enabling_trusted_access(), policies.registering(of)]
    return [document.policy for document in policies.documents(of)] + others


@pytest.mark.parametrize(
    "of", VARIANTS, ids=lambda of: f"{of.standing}-{of.partition}-{of.writes}-{len(of.types)}"
)
def test_the_linter_finds_nothing(of: Needs):
    for policy in every_policy(of):
        is_trust = "Principal" in policy["Statement"][0]
        assert is_trust or findings(policy) == [], policy


def test_the_linter_would_find_something():
    wrong = policies.document(
        {"Sid": "A", "Effect": "Allow", "Action": ["account:PutContact"], "Resource": "*"}
    )
    assert findings(wrong)


@pytest.mark.parametrize("of", VARIANTS, ids=str)
def test_no_policy_reaches_beyond_contacts_and_what_discovery_asks(of: Needs):
    allowed = {
        *policies.DISCOVER,
        *policies.READ,
        "organizations:DescribeAccount",
        "iam:SimulatePrincipalPolicy",
    }
    allowed |= set(policies.WRITE) if of.writes else set()
    for document in policies.documents(of):
        for statement in document.policy["Statement"]:
            actions = statement["Action"]
            if statement["Effect"] == "Deny" or actions in ("sts:AssumeRole", ["sts:AssumeRole"]):
                continue
            assert set(actions) <= allowed
            assert statement["Resource"] != "*" or set(actions) <= set(policies.DISCOVER)
            assert f"arn:{of.partition}:" in json.dumps(statement["Resource"]) or statement["Resource"] == "*"


# The local AWS keeps to them


@pytest.fixture(scope="module")
def world():
    """One local AWS for all examples; each puts its own policy in place of the last."""
    with Sandbox(accounts=40, quota_scale=0, empty_pages=0, delegated_admin=PAGE_ACCOUNT_ID) as running:
        yield running


def client(sandbox: Sandbox, service: str, account_id: str) -> Any:
    return boto3.client(
        service,
        "us-east-1",
        endpoint_url=sandbox.url,
        config=ONE_ATTEMPT,
        aws_access_key_id=f"{KEY_PREFIX}{account_id}",
        aws_secret_access_key="any",
    )


def passes(account: Any, operation: str, contact_type: str, account_id: str | None) -> bool:
    """Whether IAM lets it pass; that there is nothing to read or delete is an answer."""
    call = {"AlternateContactType": contact_type} | ({"AccountId": account_id} if account_id else {})
    if operation == "PutAlternateContact":
        call |= DETAILS
    try:
        getattr(account, xform_name(operation))(**call)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return True
        assert "no identity-based policy allows" in error.response["Error"]["Message"]
        return False
    return True


def unit_paths(sandbox: Sandbox) -> list[str]:
    paths = (sandbox.world.path(unit) for unit in sandbox.world.units)
    return sorted(path.removeprefix(f"{ORGANIZATION}/") for path in paths)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_the_policy_allows_passes_and_all_else_is_denied(world: Sandbox, data: st.DataObject):
    standing = data.draw(st.sampled_from([Standing.MANAGEMENT, Standing.DELEGATED]))
    paths = [path for path in unit_paths(world) if path.count("/") > 1]
    of = needs(
        standing,
        writes=data.draw(st.booleans()),
        types=data.draw(st.sampled_from(SOME_TYPES)),
        units=tuple(data.draw(st.lists(st.sampled_from(paths), max_size=2, unique=True))),
        management_in_units=data.draw(st.booleans()),
    )
    world.set_policy(of.caller_account_id, "user/portal", policies.identity_policy(of))
    account = client(world, "account", of.caller_account_id)
    members = [
        one for one in world.world.members() if one.state == "ACTIVE" and one.account_id != MANAGEMENT_ID
    ]
    targets = data.draw(st.lists(st.sampled_from(members), min_size=3, max_size=6, unique_by=id))
    for contact_type, operation in product(TYPES, OPERATIONS):
        for member in targets:
            path = world.world.path(member.parent_id).removeprefix(f"{ORGANIZATION}/")
            expected = is_wanted(of, operation, contact_type, any(path.startswith(unit) for unit in of.units))
            assert passes(account, operation, contact_type, member.account_id) == expected
        own = is_wanted(of, operation, contact_type, of.management_in_units)
        own = own and standing == Standing.MANAGEMENT
        assert passes(account, operation, contact_type, None) == own
    others = client(world, "organizations", of.caller_account_id)
    others.list_accounts()
    others.describe_account(AccountId=PAGE_ACCOUNT_ID)
    with pytest.raises(ClientError):
        others.list_tags_for_resource(ResourceId=PAGE_ACCOUNT_ID)
    with pytest.raises(ClientError):
        others.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")


def is_wanted(of: Needs, operation: str, contact_type: str, is_in_units: bool) -> bool:
    """What somebody would expect who chose these types and units."""
    is_write = operation != "GetAlternateContact"
    if is_write and not of.writes:
        return False
    if of.writes and not is_write:
        return True  # everything is read
    return contact_type in of.types and (not of.units or is_in_units)


def denied_by_scp(account: Any, contact_type: str, account_id: str | None = None) -> bool:
    call = {"AlternateContactType": contact_type} | ({"AccountId": account_id} if account_id else {})
    try:
        account.put_alternate_contact(**call, **DETAILS)
    except ClientError as error:
        return "service control policy" in error.response["Error"]["Message"]
    return False


@pytest.mark.parametrize("types", [TYPES, ("SECURITY",)])
def test_the_service_control_policy_leaves_the_portal_as_the_only_writer(types: tuple[str, ...]):
    of = needs(Standing.DELEGATED, types=types)
    found = {document.key: document.text for document in policies.documents(of)}
    with Sandbox(accounts=20, quota_scale=0, delegated_admin=PAGE_ACCOUNT_ID) as sandbox:
        active = [one.account_id for one in sandbox.world.members() if one.state == "ACTIVE"]
        member = next(one for one in active if one not in (MANAGEMENT_ID, PAGE_ACCOUNT_ID))
        sandbox.set_scp(sandbox.world.organization.root_id, found["scp"])
        sandbox.set_scp(PAGE_ACCOUNT_ID, found["scp-delegated"])
        key = f"{KEY_PREFIX}{PAGE_ACCOUNT_ID}"
        portal = client(sandbox, "account", PAGE_ACCOUNT_ID)
        somebody = boto3.client(
            "account",
            "us-east-1",
            endpoint_url=sandbox.url,
            aws_access_key_id=f"{key}ADMIN",
            aws_secret_access_key="any",
        )
        itself, management = (client(sandbox, "account", one) for one in (member, MANAGEMENT_ID))
        for contact_type in TYPES:
            is_ours = contact_type in types
            assert not denied_by_scp(portal, contact_type, member)
            assert not denied_by_scp(portal, contact_type, PAGE_ACCOUNT_ID)
            assert denied_by_scp(itself, contact_type) == is_ours
            assert denied_by_scp(somebody, contact_type, member) == is_ours
            assert not denied_by_scp(management, contact_type)
        assert not denied_by_scp(management, "SECURITY", member)


def test_the_portal_works_with_its_policies_and_roles_alone(db, redis_url, monkeypatch):
    """Management role, trust and external id as generated; the checks are green, and reading works."""
    monkeypatch.setattr("portal.quota.take", lambda *args, **kwargs: None)
    of = needs(Standing.DELEGATED)
    found = {document.key: document for document in policies.documents(of)}
    with Sandbox(accounts=20, quota_scale=0, delegated_admin=PAGE_ACCOUNT_ID) as sandbox:
        for name, value in sandbox.env(PAGE_ACCOUNT_ID).items():
            monkeypatch.setenv(name, value)
        aws.forget_clients()
        admin = boto3.client(
            "iam",
            "us-east-1",
            endpoint_url=sandbox.url,
            aws_access_key_id=f"{KEY_PREFIX}{MANAGEMENT_ID}ADMIN",
            aws_secret_access_key="any",
        )
        trust = found["management-trust"].text
        admin.create_role(RoleName="AlternateContacts", AssumeRolePolicyDocument=trust)
        admin.put_role_policy(
            RoleName="AlternateContacts", PolicyName="P", PolicyDocument=found["management"].text
        )
        both = policies.document(*found["identity"].policy["Statement"], *found["assume"].policy["Statement"])
        sandbox.set_policy(PAGE_ACCOUNT_ID, "user/portal", both)
        organization = connect_organization(
            management_role_arn=of.management_role, external_id=of.external_id, context=command_context()
        )
        discover(organization, context=command_context())
        assert {check.label: check.status for check in run_checks(organization) if check.status != "ok"} == {}
    aws.forget_clients()


# The page and the command


def test_the_page_shows_them_and_narrows_them(discovered: Organization, client: Client, erin):
    client.force_login(erin)
    unit = discovered.units.get(name="Payments")
    url = reverse("orgs:policy_list", args=[discovered.aws_id])

    page = client.get(url).content.decode()
    assert "account:PutAlternateContact" in page and "Be the only writer" in page
    assert f"arn:aws:account::{MANAGEMENT_ID}:account/{discovered.aws_id}/*" in page
    query = {"access": "write", "types": ["SECURITY"], "units": [unit.pk]}
    page = client.get(url, query).content.decode()
    assert f"{discovered.aws_id}/{unit.path}*" in page
    page = client.get(url, {"access": "read", "types": ["SECURITY"]}).content.decode()
    assert "account:PutAlternateContact" not in page


def test_choices_that_make_no_sense_are_named(discovered: Organization, client: Client, erin):
    client.force_login(erin)
    url = reverse("orgs:policy_list", args=[discovered.aws_id])

    response = client.get(url, {"access": "write", "principal": "me"})

    assert response.status_code == 422
    page = response.content.decode()
    assert "Choose one type at least." in page and 'value="me"' in page
    assert "account:PutAlternateContact" not in page


def test_one_is_taken_away_as_the_page_showed_it(discovered: Organization, client: Client, erin):
    client.force_login(erin)
    url = reverse("orgs:policy_download", args=[discovered.aws_id, "identity"])

    response = client.get(url, {"access": "read", "types": ["SECURITY", "BILLING"]})

    assert response["Content-Disposition"] == f'attachment; filename="{discovered.aws_id}-identity.json"'
    wanted = needs_of(discovered, writes=False, types=("SECURITY", "BILLING"))
    assert json.loads(response.content) == policies.identity_policy(wanted)
    unknown = reverse("orgs:policy_download", args=[discovered.aws_id, "nothing"])
    assert client.get(unknown).status_code == 404


def test_the_external_id_is_for_administrators(db, unhurried: Sandbox, client: Client, erin, bob):
    organization = connect_organization(
        role_arn=ROLE, external_id="northwind-portal", context=command_context()
    )
    run_checks(organization)
    url = reverse("orgs:policy_list", args=[organization.aws_id])
    for person, is_shown in ((erin, True), (bob, False)):
        client.force_login(person)
        page = client.get(url).content.decode()
        assert ("northwind-portal" in page) is is_shown
        assert ("Trust policies are not shown." in page) is not is_shown


def test_the_checks_tell_the_external_id_to_administrators_alone(
    db, unhurried: Sandbox, client: Client, erin, bob
):
    organization = connect_organization(
        role_arn=ROLE, external_id="northwind-portal", context=command_context()
    )
    run_checks(organization)
    organization.checks[0] |= {
        "remedy": "The role has to trust us.",
        "command": "sts:ExternalId northwind-portal",
    }
    organization.checks[0] |= {"portal": "connect --external-id northwind-portal"}
    organization.save(update_fields=["checks"])
    for name in ("organization_detail", "organization_live"):
        for person, is_shown in ((erin, True), (bob, False)):
            client.force_login(person)
            page = client.get(reverse(f"orgs:{name}", args=[organization.aws_id])).text
            assert ("northwind-portal" in page) is is_shown
            assert "The role has to trust us." in page


def test_the_command_prints_what_the_page_shows(discovered: Organization):
    unit = discovered.units.get(name="Payments")
    out = StringIO()

    call_command(
        "policies", discovered.aws_id, types=["SECURITY"], units=[unit.aws_id], json=True, stdout=out
    )

    found = {row["key"]: row["policy"] for row in json.loads(out.getvalue())}
    wanted = needs_of(discovered, types=("SECURITY",), units=(unit.path,))
    assert found["identity"] == policies.identity_policy(wanted)
    assert found["scp"] == policies.single_writer(wanted)
    text = StringIO()
    call_command("policies", discovered.aws_id, "--read-only", stdout=text)
    assert "PutAlternateContact" not in text.getvalue() and text.getvalue().startswith("# See contacts")


@pytest.mark.parametrize(
    "words", [["o-unknown123"], ["ORG", "--units", "ou-none-12345678"], ["ORG", "--principal", "me"]]
)
def test_the_command_refuses_what_it_does_not_know(discovered: Organization, words: list[str]):
    with pytest.raises(CommandError) as caught:
        call_command("policies", *[discovered.aws_id if word == "ORG" else word for word in words])
    assert caught.value.returncode == 2


def test_the_external_id_to_choose_stays_the_same_and_is_each_organizations_own(discovered: Organization):
    first = needs_of(discovered).external_id
    assert first == needs_of(discovered).external_id and len(first) > 32
    assert external_id_of(Organization(aws_id="o-another1234")) != first
