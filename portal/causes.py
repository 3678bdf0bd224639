"""Why AWS refused or did not answer, in words, each with what mends it: for pages, commands and the audit."""

from django.db import models


class Cause(models.TextChoices):
    """The labels are whole sentences: pages show them as they stand."""

    NOT_READ_YET = "not_read_yet", "Not read from AWS yet."
    THROTTLED = "throttled", "AWS asked us to slow down."
    UNAVAILABLE = "unavailable", "AWS did not answer."
    OUTCOME_UNKNOWN = "outcome_unknown", "The answer of AWS was lost, and AWS could not be read back since."
    STANDALONE_ONLY = (
        "standalone_only",
        "AWS manages the management account only with the management account's own credentials.",
    )
    TRUSTED_ACCESS_OFF = "trusted_access_off", "Trusted access for AWS Account Management is off."
    CONSOLIDATED_BILLING = "consolidated_billing", "The organization has consolidated billing only."
    NOT_ADMINISTRATOR = (
        "not_administrator",
        "Our credentials are neither the management account's nor the delegated administrator's.",
    )
    MANAGEMENT_ROLE_MISSING = (
        "management_role_missing",
        "A delegated administrator cannot reach the management account.",
    )
    POLICY_DENIES = "policy_denies", "An IAM policy does not allow it."
    SCP_DENIES = "scp_denies", "A service control policy denies it."
    BAD_TYPE = "bad_type", "AWS does not know this contact type."
    NOT_ALLOWED = "not_allowed", "AWS refused and gave no reason."
    CREDENTIALS_MISSING = "credentials_missing", "No AWS credentials were found."
    CREDENTIALS_REJECTED = "credentials_rejected", "AWS rejected our credentials."
    WRONG_ACCOUNT = (
        "wrong_account",
        "Our AWS credentials belong to another account or organization than the one connected.",
    )
    ROLE_REFUSED = "role_refused", "The role could not be assumed."
    INVALID = "invalid", "AWS rejected a value."
    NO_ORGANIZATION = "no_organization", "The account is in no organization."
    STATE = "state", "The account is not active."
    LEFT = "left", "The account left the organization."
    REQUESTER = "requester", "The person who asked may no longer change this contact."
    APPROVER = "approver", "The person who approved it may no longer approve."
    OTHER_CHANGE = "other_change", "Another change of this contact is under way."
    NO_QUOTA = "no_quota", "The quota could not be asked: Redis does not answer."
    UNEXPECTED = "unexpected", "AWS answered something unexpected."

    @property
    def remedy(self) -> str:
        """What to do about it, in one or two sentences."""
        return _REMEDIES[self]


_REMEDIES = {
    Cause.NOT_READ_YET: "Wait for the next read, or press Check now.",
    Cause.THROTTLED: "Nothing to do: the portal tries again by itself, more slowly.",
    Cause.UNAVAILABLE: (
        "Nothing to do: the portal tries again by itself. If it lasts, look at the AWS Health Dashboard."
    ),
    Cause.OUTCOME_UNKNOWN: (
        "Press Check now once AWS answers again, then compare and ask for the change anew if needed."
    ),
    Cause.STANDALONE_ONLY: (
        "Connect the organization with credentials of the management account, or give a role in it "
        "(connect_organization --management-role-arn)."
    ),
    Cause.TRUSTED_ACCESS_OFF: (
        "In the management account run: aws organizations enable-aws-service-access "
        "--service-principal account.amazonaws.com"
    ),
    Cause.CONSOLIDATED_BILLING: (
        "Enable all features of the organization. Until then only the management account works."
    ),
    Cause.NOT_ADMINISTRATOR: (
        "Use credentials of the management account, or in the management account run: aws "
        "organizations register-delegated-administrator --service-principal account.amazonaws.com "
        "--account-id <our account>"
    ),
    Cause.MANAGEMENT_ROLE_MISSING: (
        "Create a role in the management account that we may assume, and connect again "
        "with --management-role-arn."
    ),
    Cause.POLICY_DENIES: (
        "Add the action to the policy of the role we use. The Organization page has the policy to paste."
    ),
    Cause.SCP_DENIES: "Exempt the role we use from the service control policy.",
    Cause.BAD_TYPE: "Use BILLING, OPERATIONS or SECURITY.",
    Cause.NOT_ALLOWED: (
        "Check that the account is a member of this organization and active, and that our credentials are "
        "the management account's or the delegated administrator's."
    ),
    Cause.CREDENTIALS_MISSING: (
        "Set credentials where boto3 looks for them: environment, profile or instance role."
    ),
    Cause.CREDENTIALS_REJECTED: "Renew the credentials that the portal runs with.",
    Cause.WRONG_ACCOUNT: "Run the portal with the credentials it was connected with, or connect again.",
    Cause.ROLE_REFUSED: "Check the role's name, its trust policy and the external id.",
    Cause.INVALID: "Correct the value and ask for the change again.",
    Cause.NO_ORGANIZATION: "Connect it as a standalone account instead.",
    Cause.STATE: "Contacts of accounts that are not active can only be read.",
    Cause.LEFT: "Connect the account as a standalone account, or invite it back.",
    Cause.REQUESTER: "Ask someone who may change it.",
    Cause.APPROVER: "Plan it again, and have somebody else approve it.",
    Cause.OTHER_CHANGE: "Wait until that change has ended, then plan this one again.",
    Cause.NO_QUOTA: "Start Redis again. The portal makes no call to AWS without its quota.",
    Cause.UNEXPECTED: "Look into the worker's log under the request id.",
}
