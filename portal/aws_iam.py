"""IAM's policy simulator, through the gateway: whether a call would be allowed, without making it."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import models

from portal.aws import call
from portal.aws_errors import Refused
from portal.aws_facts import Caller
from portal.causes import Cause

_SESSION = re.compile(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")
_ENTITY = re.compile(r"arn:[\w-]+:iam::\d{12}:(?:user|role)/.+")


class Decision(models.TextChoices):
    """What the simulator says of one action."""

    ALLOWED = "allowed", "Allowed"
    IDENTITY = "identity", "No policy allows it"
    EXPLICIT = "explicit", "A policy denies it explicitly"
    SCP = "scp", "A service control policy denies it"


@dataclass(frozen=True)
class Question:
    """Actions on one resource, with the condition keys that the call would have."""

    actions: tuple[str, ...]
    resource: str
    keys: dict[str, str]


def entity_arn(identity_arn: str, role_arn: str = "") -> str:
    """The IAM user or role behind what STS says we are; "" where there is none, as for a root user.

    A session does not tell its role's path, so role_arn counts where it is a role of that name.
    """
    if session := _SESSION.fullmatch(identity_arn):
        partition, account_id, name = session.groups()
        same = role_arn.split(":")[4:5] == [account_id] and role_arn.rpartition("/")[2] == name
        return role_arn if same else f"arn:{partition}:iam::{account_id}:role/{name}"
    return identity_arn if _ENTITY.fullmatch(identity_arn) else ""


def simulate(caller: Caller, entity: str, question: Question) -> dict[str, Decision]:
    """What the policies of this user or role say to each action; raises AwsError where we may not ask.

    It knows service control policies too, except those with conditions:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
    """
    entries = [
        {"ContextKeyName": name, "ContextKeyType": "stringList", "ContextKeyValues": [value]}
        for name, value in question.keys.items()
    ]
    answer = call(
        caller,
        "iam",
        "SimulatePrincipalPolicy",
        PolicySourceArn=entity,
        ActionNames=list(question.actions),
        ResourceArns=[question.resource],
        ContextEntries=entries,
    )
    found = {row["EvalActionName"]: _decision(row) for row in answer["EvaluationResults"]}
    if found.keys() != set(question.actions):  # silence is no permission
        raise Refused(Cause.UNEXPECTED)
    return found


def _decision(row: dict[str, Any]) -> Decision:
    if row["EvalDecision"] == "allowed":
        return Decision.ALLOWED
    if row.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return Decision.SCP
    return Decision.EXPLICIT if row["EvalDecision"] == "explicitDeny" else Decision.IDENTITY
