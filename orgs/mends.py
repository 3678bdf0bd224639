"""What mends what AWS refused: the exact command, the way through the console, the policy statement."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from orgs import policies
from orgs.checks import Mend
from orgs.policies import MANAGEMENT_ROLE, Needs, Statement
from portal.aws_organizations import SERVICE_PRINCIPAL
from portal.causes import Cause

POLICY_NAME = "AlternateContactsPortal"
TRUST = f"aws organizations enable-aws-service-access --service-principal {SERVICE_PRINCIPAL}"
NO_COMMAND = "No command mends it."


@dataclass(frozen=True)
class Case:
    """What is known beside the cause: what the portal needs, whose policy counts, who holds the delegation.

    entity and policy: the user or role whose call failed, and the policy that it should have.
    policy_kind is AwsError.policy. is_trusted None: we may not ask.
    """

    needs: Needs
    entity: str = ""
    policy: Statement | None = None
    policy_kind: str = ""
    holder: str = ""
    is_trusted: bool | None = None
    connect: str = ""


def mend_for(cause: str, case: Case) -> Mend:
    """What to do about this cause; every cause has at least words."""
    if cause in _MENDS:
        return _MENDS[Cause(cause)](case)
    return Mend(Cause(cause).remedy)


def allowing(case: Case, policy_name: str = POLICY_NAME) -> Mend:
    """Give the entity its policy; an explicit deny, a boundary or a session's policy is beyond that."""
    if case.policy is None or case.policy_kind in _BEYOND:
        return Mend(f"{NO_COMMAND} {_BEYOND.get(case.policy_kind, _BEYOND[''])}")
    text = _compact(case.policy)
    kind, name = case.entity.split(":")[5].split("/", 1) if case.entity else ("", "")
    if not kind:
        return Mend("Give the identity that the portal runs as this policy.", statement=text)
    name = shlex.quote(name.rpartition("/")[2])
    return Mend(
        f"Give the {kind} {name} its policy. Narrow it on the page of the policies.",
        where=_in(case.entity.split(":")[4]),
        command=f"aws iam put-{kind}-policy --{kind}-name {name} --policy-name {policy_name} "
        f"--policy-document {shlex.quote(text)}",
        console=f"IAM, {kind.title()}s, {name}, Permissions, Create inline policy, JSON",
        statement=text,
    )


def _trusted_access(case: Case) -> Mend:
    return Mend(
        "Switch it on once. The statement is for whoever does that, and can be taken away afterwards.",
        where=_in(case.needs.management_account_id),
        command=TRUST,
        console="AWS Organizations, Services, AWS Account Management, Enable trusted access",
        statement=_compact(policies.enabling_trusted_access()),
    )


def _all_features(case: Case) -> Mend:
    action = {"Effect": "Allow", "Action": "organizations:EnableAllFeatures", "Resource": "*"}
    return Mend(
        "Begin it once; every account that was invited has to accept. Until then only the management "
        "account works.",
        where=_in(case.needs.management_account_id),
        command="aws organizations enable-all-features",
        console="AWS Organizations, Settings, Begin process to enable all features",
        statement=_compact(policies.document(action)),
    )


def _administrator(case: Case) -> Mend:
    """Only one account can be it for this service, so another one has to give it up first."""
    needs, principal = case.needs, f"--service-principal {SERVICE_PRINCIPAL}"
    steps = [] if case.is_trusted else [TRUST]
    remedy = "Make our account the delegated administrator, or use credentials of the management account."
    if case.holder:
        remedy = (
            f"Account {case.holder} is the delegated administrator, and AWS allows one only. Run the portal "
            f"with credentials of {case.holder}, or let ours take its place: what works there by it stops."
        )
        steps.append(
            f"aws organizations deregister-delegated-administrator {principal} --account-id {case.holder}"
        )
    steps.append(
        "aws organizations register-delegated-administrator "
        f"{principal} --account-id {needs.caller_account_id}"
    )
    return Mend(
        remedy,
        where=_in(needs.management_account_id),
        command="\n".join(steps),
        console="None: the console cannot register it.",
        statement=_compact(policies.registering(needs)),
    )


def _management_role(case: Case) -> Mend:
    """Make the role that a delegated administrator needs there, then tell the portal of it."""
    needs, policy = case.needs, policies.management_role_policy(case.needs)
    if not needs.base or policy is None:
        return Mend(Cause.MANAGEMENT_ROLE_MISSING.remedy)
    trust = shlex.quote(_compact(policies.trust_policy(needs.base, needs.external_id)))
    document = shlex.quote(_compact(policy))
    return Mend(
        "AWS lets nobody but the management account itself change its contacts, so a role there is needed.",
        where=_in(needs.management_account_id),
        command=f"aws iam create-role --role-name {MANAGEMENT_ROLE} --assume-role-policy-document {trust}\n"
        f"aws iam put-role-policy --role-name {MANAGEMENT_ROLE} --policy-name {POLICY_NAME} "
        f"--policy-document {document}",
        console="IAM, Roles, Create role, Custom trust policy",
        statement=_compact(policies.assuming(needs.management_role)),
        portal=f"{case.connect} --management-role-arn {needs.management_role}"
        f" --external-id {shlex.quote(needs.external_id)}",
    )


def _role(case: Case) -> Mend:
    needs, role_arn = case.needs, case.entity
    if not needs.base or not role_arn:
        return Mend(Cause.ROLE_REFUSED.remedy)
    name = shlex.quote(role_arn.rpartition("/")[2])
    trust = shlex.quote(_compact(policies.trust_policy(needs.base, needs.external_id)))
    return Mend(
        "The role has to trust us, and the identity that we run with needs the statement.",
        where=_in(role_arn.split(":")[4]),
        command=f"aws iam update-assume-role-policy --role-name {name} --policy-document {trust}",
        console=f"IAM, Roles, {name}, Trust relationships, Edit trust policy",
        statement=_compact(policies.assuming(role_arn)),
    )


def _service_control(case: Case) -> Mend:
    account_id = case.needs.caller_account_id
    entity = case.entity or f"arn:{case.needs.partition}:iam::{account_id}:role/<the portal's role>"
    return Mend(
        f"{NO_COMMAND} A service control policy of account {account_id}, or of a unit above it, denies it, "
        "and no IAM policy of ours beats that. Add the condition to its Deny statement, or detach it there.",
        where=_in(case.needs.management_account_id),
        console="AWS Organizations, Policies, Service control policies",
        statement=_compact(policies.exemption(entity)),
    )


def _bad_type(case: Case) -> Mend:
    return Mend(
        f"{NO_COMMAND} AWS does not have this type in the partition {case.needs.partition}; no setting "
        "and no policy adds it. The other types work."
    )


def _not_a_member(case: Case) -> Mend:
    return Mend(
        f"{NO_COMMAND} The connection is in order: the next two discoveries take the account off the "
        "list. Invite it back, or connect it as a standalone account.",
        console="AWS Organizations, AWS accounts, Add an AWS account, Invite",
        portal="manage.py sync_accounts",
    )


def _other_organization(case: Case) -> Mend:
    return Mend(
        f"{NO_COMMAND} Run the portal with credentials of account {case.needs.caller_account_id}, which it "
        "was connected with, or connect it again with those it has now.",
        portal="manage.py connect_organization",
    )


def _in(account_id: str) -> str:
    return f"account {account_id}"


def _compact(statement: Statement) -> str:
    return json.dumps(statement, separators=(",", ":"))


_BEYOND = {
    "explicit": "A policy denies it explicitly, which no other policy can allow: take that Deny out.",
    "session": "The session that the portal runs in has a policy of its own, which is too narrow: widen it "
    "where the session is made.",
    "boundary": "The permissions boundary of our user or role is too narrow: widen it.",
    "": "Use an IAM user or role.",
}
_MENDS: dict[Cause, Callable[[Case], Mend]] = {
    Cause.TRUSTED_ACCESS_OFF: _trusted_access,
    Cause.CONSOLIDATED_BILLING: _all_features,
    Cause.NOT_ADMINISTRATOR: _administrator,
    Cause.STANDALONE_ONLY: _management_role,
    Cause.MANAGEMENT_ROLE_MISSING: _management_role,
    Cause.ROLE_REFUSED: _role,
    Cause.POLICY_DENIES: allowing,
    Cause.SCP_DENIES: _service_control,
    Cause.BAD_TYPE: _bad_type,
    Cause.LEFT: _not_a_member,
    Cause.WRONG_ACCOUNT: _other_organization,
}
