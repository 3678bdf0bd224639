"""Switches trusted access for AWS Account Management on, because an administrator asked for it."""

import logging

from django.core.exceptions import ValidationError

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, require_in
from orgs.connecting import update_view
from orgs.models import Organization, Standing
from orgs.pace import pace
from orgs.standing import look
from portal import aws_organizations, quota
from portal.aws import AwsError, OutcomeUnknown
from portal.aws_organizations import Take

logger = logging.getLogger(__name__)
NOT_CONFIRMED = "AWS did not say that it is on when it was read again. Run the checks in a minute."


def can_enable(organization: Organization) -> bool:
    """Only the management account may; whether its policy lets us, AWS says when it is asked."""
    return organization.standing == Standing.MANAGEMENT


def enable_trusted_access(organization: Organization, *, context: Context) -> None:
    """Ask AWS for it, read again whether it is on, and say both in the audit.

    It is on when this returns. Raises PermissionDenied, ValidationError, AwsError.
    """
    require_in(context, Right.CONNECT)
    if not can_enable(organization):
        raise ValidationError("Only credentials of the management account can switch it on.")
    record(Action.TRUST_REQUESTED, context, organization_id=organization.aws_id)
    take = pace(organization.caller, lane=quota.Lane.PERSON, organization_id=organization.aws_id)
    request_id, error = _ask(organization, take)
    facts = {"organization_id": organization.aws_id, "aws_request_id": request_id}
    is_on = _is_on(organization, take, context)
    is_refused = error is not None and not isinstance(error, OutcomeUnknown)
    if is_on and not is_refused:
        record(Action.TRUST_ENABLED, context, **facts)
        return
    cause = error.cause.value if error else "not_confirmed"
    record(Action.TRUST_FAILED, context, **facts, detail={"cause": cause})
    if not is_on:  # else somebody else was faster
        raise error if error and is_refused else ValidationError(NOT_CONFIRMED)


def _ask(organization: Organization, take: Take) -> tuple[str, AwsError | None]:
    """AWS's request id, and why not; an answer that was lost is cleared up by reading."""
    try:
        return aws_organizations.enable_trusted_access(organization.caller, take), None
    except AwsError as error:
        return error.aws_request_id, error


def _is_on(organization: Organization, take: Take, context: Context) -> bool:
    try:
        view = look(organization.caller, take)
    except AwsError as error:
        logger.warning("trusted access of %s was not read again: %s", organization.aws_id, error)
        return False
    if view is None or view.facts.aws_id != organization.aws_id:
        return False
    update_view(organization, view, context)
    return bool(view.trusted_access)
