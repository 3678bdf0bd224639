"""What IAM and service control policies say to a call. A principal without a policy may do everything."""

from sandbox import policy_language
from sandbox.policy_language import EXPLICIT_DENY, Request
from sandbox.world import World

IDENTITY, EXPLICIT, SCP = "identity", "explicit", "scp"  # kinds of refusal, as the switch `deny` has them


def denial(world: World, account_id: str, principal: str, request: Request) -> str:
    """The kind of refusal for "user/NAME" or "role/NAME" of an account; "" where the policies allow it."""
    if not world.has_policies:
        return ""
    request = Request(
        request.action, request.resource, {**_own_keys(world, account_id, principal), **request.keys}
    )
    if denied_by_scp(world, account_id, request):
        return SCP
    documents = world.policies_of(account_id, principal)
    if documents is None:
        return ""
    decision = policy_language.decide(documents, request)
    if decision == EXPLICIT_DENY:
        return EXPLICIT
    return "" if decision == policy_language.ALLOWED else IDENTITY


def denied_by_scp(world: World, account_id: str, request: Request) -> bool:
    """Deny statements on the way from the root to the account; they never bind the management account.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    if account_id == world.management_id:
        return False
    documents = world.scps_of(account_id)
    return bool(documents) and policy_language.decide(documents, request) == EXPLICIT_DENY


def _own_keys(world: World, account_id: str, principal: str) -> dict[str, list[str]]:
    return {
        "aws:PrincipalAccount": [account_id],
        "aws:PrincipalArn": [f"arn:{world.partition}:iam::{account_id}:{principal}"],
    }
