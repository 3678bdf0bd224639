"""The policies to paste, with the least privilege the portal can work with, filled with the real ids.

Resources and actions:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsaccountmanagement.html
"""

import json

from orgs.models import Organization, Standing

DISCOVER = [
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListDelegatedAdministrators",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
]
READ = ["account:GetAlternateContact"]
WRITE = ["account:DeleteAlternateContact", "account:PutAlternateContact"]


def reading_policy(organization: Organization) -> str:
    """For the identity we use: see everything, change nothing."""
    return _document(_allow("Discover", DISCOVER, "*"), _allow("Read", READ, _contacts_of(organization)))


def full_policy(organization: Organization) -> str:
    """For the identity we use: see everything, change alternate contacts and nothing else."""
    contacts = _contacts_of(organization)
    return _document(
        _allow("Discover", DISCOVER, "*"),
        _allow("Read", READ, contacts),
        _allow("Write", WRITE, contacts),
    )


def management_role_policy(organization: Organization) -> str:
    """For the role in the management account; only a delegated administrator needs it, else ""."""
    if organization.standing != Standing.DELEGATED:
        return ""
    own = _standalone(organization.partition, organization.management_account_id)
    return _document(_allow("ManagementAccountOnly", READ + WRITE, [own]))


def single_writer_scp(organization: Organization) -> str:
    """A service control policy that keeps members from editing their own contacts past the portal.

    Calls through the organization use another resource and stay allowed.
    """
    return _document(
        {
            "Sid": "ContactsByThePortalOnly",
            "Effect": "Deny",
            "Action": WRITE,
            "Resource": _standalone(organization.partition, "*"),
        }
    )


def _contacts_of(organization: Organization) -> list[str]:
    """Our own account without an AccountId, and members by the management account's id whoever calls."""
    members = (
        f"arn:{organization.partition}:account::{organization.management_account_id}"
        f":account/{organization.aws_id}/*"
    )
    return [_standalone(organization.partition, organization.caller_account_id), members]


def _standalone(partition: str, account_id: str) -> str:
    return f"arn:{partition}:account::{account_id}:account"


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> dict:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)
