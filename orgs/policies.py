"""The policies to paste: the least with which the portal can do what is wanted of it. Pure.

Actions, resources, condition keys:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsaccountmanagement.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
"""

import json
from dataclasses import dataclass
from typing import Any

from orgs.contact_types import ContactType
from orgs.models import Standing
from portal.aws_organizations import SERVICE_PRINCIPAL

TYPES = tuple(ContactType.values)
DISCOVER = [
    "organizations:DescribeOrganization",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListDelegatedAdministrators",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
]
READ = ["account:GetAlternateContact"]
WRITE = ["account:DeleteAlternateContact", "account:PutAlternateContact"]
LONGEST_OF_USER = 2048
MANAGEMENT_ROLE = "AlternateContacts"
Statement = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What the portal is to do, and where. Types and units narrow what it may change; all is read.

    Where it only reads, they narrow that. units are paths as "r-ab12/ou-ab12-1/"; none is the whole
    organization. principal and base are the IAM users or roles that the portal acts as, and that assumes its
    roles; "" where nobody knows them yet.
    """

    partition: str
    organization_id: str
    management_account_id: str
    caller_account_id: str
    standing: str
    principal: str = ""
    base: str = ""
    role_arn: str = ""
    management_role_arn: str = ""
    external_id: str = ""
    writes: bool = True
    types: tuple[str, ...] = TYPES
    units: tuple[str, ...] = ()
    management_in_units: bool = True

    @property
    def is_management(self) -> bool:
        return self.standing == Standing.MANAGEMENT

    @property
    def management_role(self) -> str:
        """The role in the management account: the one connected, else the one to make."""
        made = f"arn:{self.partition}:iam::{self.management_account_id}:role/{MANAGEMENT_ROLE}"
        return "" if self.is_management else self.management_role_arn or made


@dataclass(frozen=True)
class Document:
    """A policy; key is its name in addresses and files, where says to what it is attached."""

    key: str
    title: str
    where: str
    policy: Statement

    @property
    def text(self) -> str:
        return text_of(self.policy)

    @property
    def size(self) -> int:
        """Characters as IAM counts them: without white space."""
        return len("".join(self.text.split()))

    @property
    def is_long(self) -> bool:
        """Too long for the inline policy of a user.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        """
        return self.size > LONGEST_OF_USER


def text_of(policy: Statement) -> str:
    """As it is pasted."""
    return json.dumps(policy, indent=2)


def documents(needs: Needs) -> list[Document]:
    """Everything to paste, in the order in which it is needed."""
    found = [_identity(needs), *_roles(needs)]
    return [*found, *_only_writer(needs)] if needs.writes else found


def identity_policy(needs: Needs) -> Statement:
    """For the identity that calls AWS."""
    statements = [
        _allow("Discover", DISCOVER, "*"),
        _allow("LookUp", ["organizations:DescribeAccount"], account_of(needs, "*")),
        *_contacts(needs, "Read", READ, is_narrowed=not needs.writes),
    ]
    if needs.writes:
        statements += _contacts(needs, "Write", WRITE, is_narrowed=True)
        statements += judging(needs.principal)
    return document(*statements)


def management_role_policy(needs: Needs) -> Statement | None:
    """For the role in the management account; None where units are wanted that do not hold this account."""
    if needs.units and not needs.management_in_units:
        return None
    own = own_account(needs.partition, needs.management_account_id)
    if not needs.writes:
        return document(_allow("Read", READ, own, _of_types(needs)))
    writing = _allow("Write", WRITE, own, _of_types(needs))
    return document(_allow("Read", READ, own), writing, *judging(needs.management_role))


def trust_policy(principal: str, external_id: str) -> Statement:
    """Lets this principal assume the role, when it names the external id."""
    statement = {
        "Sid": "PortalOnly",
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return document(statement)


def assuming(*role_arns: str) -> Statement:
    """For the identity that the portal runs with: assume these roles."""
    return document(_allow("AssumeRoles", ["sts:AssumeRole"], sorted(filter(None, role_arns))))


def judging(principal: str) -> list[Statement]:
    """Ask IAM's simulator about oneself, and nobody else."""
    return [_allow("JudgeWrites", ["iam:SimulatePrincipalPolicy"], principal)] if principal else []


def enabling_trusted_access() -> Statement:
    """For whoever switches trusted access on; needed for that moment only."""
    action = "organizations:EnableAWSServiceAccess"
    return document(_allow("EnableTrustedAccess", [action], "*", _for_account_management()))


def registering(needs: Needs) -> Statement:
    """For whoever makes an account the delegated administrator, or takes that from one."""
    actions = [
        "organizations:DeregisterDelegatedAdministrator",
        "organizations:RegisterDelegatedAdministrator",
    ]
    to_register = _allow("Register", actions, account_of(needs, "*"), _for_account_management())
    return document(*enabling_trusted_access()["Statement"], to_register)


def single_writer(needs: Needs) -> Statement:
    """A service control policy: members, their root users too, do not edit their own contacts.

    Calls through the organization use another resource, so they stay allowed.
    """
    conditions = _of_types(needs)
    if needs.standing == Standing.MEMBER and needs.principal:
        conditions |= _except(needs.principal)
    return document(_deny("ContactsByThePortalOnly", own_account(needs.partition, "*"), conditions))


def single_writer_of_members(needs: Needs) -> Statement:
    """A service control policy for the delegated administrator: nobody else there edits members' contacts."""
    conditions = _of_types(needs) | _except(needs.principal)
    return document(_deny("MembersByThePortalOnly", member_account(needs, "*"), conditions))


def exemption(principal: str) -> Statement:
    """What a service control policy that denies us needs, to let the portal pass."""
    return {"Condition": _except(principal)}


def document(*statements: Statement) -> Statement:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def account_of(needs: Needs, account_id: str) -> str:
    """A member as AWS Organizations names it."""
    return (
        f"arn:{needs.partition}:organizations::{needs.management_account_id}"
        f":account/{needs.organization_id}/{account_id}"
    )


# The documents


def _identity(needs: Needs) -> Document:
    whose = needs.principal or "the user or role that the portal runs as"
    title = "See and change contacts" if needs.writes else "See contacts"
    return Document("identity", title, f"For {whose}", identity_policy(needs))


def _roles(needs: Needs) -> list[Document]:
    """What the roles take that the portal assumes: the right to assume them, their trust, their policy."""
    policy = None if needs.is_management else management_role_policy(needs)
    management = needs.management_role if policy else ""
    found = []
    if needs.role_arn or management:
        whose = needs.base or "the identity that the portal runs with"
        found.append(
            Document("assume", "Assume the roles", f"For {whose}", assuming(needs.role_arn, management))
        )
    if policy:
        found.append(Document("management", "Role in the management account", f"For {management}", policy))
    trusted = ((needs.role_arn, "trust"), (management, "management-trust"))
    for role_arn, key in trusted:
        if role_arn and needs.base and needs.external_id:
            trust = trust_policy(needs.base, needs.external_id)
            found.append(Document(key, "Trust policy with external id", f"For {role_arn}", trust))
    return found


def _only_writer(needs: Needs) -> list[Document]:
    where = "Service control policy, attached to "
    where += ", ".join(path.rstrip("/").rpartition("/")[2] for path in needs.units) or "the root"
    found = [Document("scp", "Be the only writer", where, single_writer(needs))]
    if needs.standing == Standing.DELEGATED and needs.principal:
        where = f"Service control policy, attached to account {needs.caller_account_id} alone"
        title = "Be the only writer in the delegated administrator's account"
        found.append(Document("scp-delegated", title, where, single_writer_of_members(needs)))
    return found


# Statements


def _contacts(needs: Needs, sid: str, actions: list[str], *, is_narrowed: bool) -> list[Statement]:
    """Our own account is named without an AccountId, members by the management account's id whoever calls.

    The key for units is there only in calls that name an account, so the two part where units are wanted.
    """
    own, members = own_account(needs.partition, needs.caller_account_id), member_account(needs, "*")
    resources = [members] if needs.standing == Standing.DELEGATED else [own, members]
    if not is_narrowed:
        return [_allow(sid, actions, resources)]
    conditions = _of_types(needs)
    if not needs.units:
        return [_allow(sid, actions, resources, conditions)]
    paths = [f"{needs.organization_id}/{path}*" for path in needs.units]
    in_units = conditions | {"ForAnyValue:StringLike": {"account:AccountResourceOrgPaths": paths}}
    found = [_allow(f"{sid}Units", actions, members, in_units)]
    if needs.is_management and needs.management_in_units:
        found.append(_allow(f"{sid}OwnAccount", actions, own, conditions))
    return found


def _of_types(needs: Needs) -> Statement:
    """ForAnyValue, because ForAllValues would also hold where the key is absent."""
    if set(needs.types) == set(TYPES):
        return {}
    return {"ForAnyValue:StringEquals": {"account:AlternateContactTypes": sorted(needs.types)}}


def _for_account_management() -> Statement:
    return {"StringEquals": {"organizations:ServicePrincipal": SERVICE_PRINCIPAL}}


def _except(principal: str) -> Statement:
    return {"ArnNotEquals": {"aws:PrincipalArn": principal}}


def own_account(partition: str, account_id: str) -> str:
    """An account as its own caller names it: without an AccountId."""
    return f"arn:{partition}:account::{account_id}:account"


def member_account(needs: Needs, account_id: str) -> str:
    """A member as calls through the organization name it, whoever makes them."""
    management = own_account(needs.partition, needs.management_account_id)
    return f"{management}/{needs.organization_id}/{account_id}"


def _allow(
    sid: str, actions: list[str], resource: str | list[str], conditions: Statement | None = None
) -> Statement:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return statement | ({"Condition": conditions} if conditions else {})


def _deny(sid: str, resource: str, conditions: Statement) -> Statement:
    statement = {"Sid": sid, "Effect": "Deny", "Action": WRITE, "Resource": resource}
    return statement | ({"Condition": conditions} if conditions else {})
