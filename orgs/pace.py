"""How fast we ask AWS about organizations: one token of the quota for each page."""

from portal import quota
from portal.aws import Caller, Unavailable
from portal.aws_organizations import Take
from portal.causes import Cause

# Discovery may queue behind people for a while; an operation at 1/s is the slowest it meets.
LONGEST_WAIT_SECONDS = 60.0


def pace(caller: Caller, *, lane: int, organization_id: str = "") -> Take:
    """What the gateway calls before each page; raises Unavailable when no token is to be had.

    AWS counts these calls per caller account and per organization:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
    """

    def take(operation: str) -> None:
        try:
            quota.take(
                caller.key, operation, lane, organization_id=organization_id, wait=LONGEST_WAIT_SECONDS
            )
        except quota.NoToken as error:
            raise Unavailable(Cause.THROTTLED, operation=operation) from error

    return take
