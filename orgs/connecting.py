"""Connects organizations and standalone accounts: finds out by whose credentials and in which standing."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, require_in
from orgs.models import (
    Account,
    AccountState,
    Organization,
    external_id_validator,
    role_arn_validator,
)
from orgs.pace import pace
from orgs.standing import View, look
from orgs.waking import DISCOVERY, wake
from portal import aws, quota
from portal.aws import Caller


def connect_organization(
    *,
    profile: str = "",
    role_arn: str = "",
    external_id: str = "",
    management_role_arn: str = "",
    name: str = "",
    context: Context,
) -> Organization:
    """Connect the organization that these credentials belong to; again is an update.

    Raises PermissionDenied, ValidationError, AwsError. Its accounts are discovered soon after.
    """
    require_in(context, Right.CONNECT)
    caller = _caller(profile=profile, role_arn=role_arn, external_id=external_id)
    view = look(caller, pace(caller, lane=quota.Lane.CHECK))
    if view is None:
        raise ValidationError(
            f"Account {caller.account_id} is in no organization. Connect it as a standalone account."
        )
    _check_management_role(caller, management_role_arn, view)
    wanted = {**_seen(view), **_reached_by(caller), "management_role_arn": management_role_arn}
    return _save_organization(wanted | ({"name": name} if name else {}), context)


def connect_account(
    account_id: str,
    *,
    role_arn: str = "",
    external_id: str = "",
    profile: str = "",
    name: str = "",
    context: Context,
) -> Account:
    """Connect an account that no connected organization reaches; again is an update.

    Raises PermissionDenied, ValidationError, AwsError.
    """
    require_in(context, Right.CONNECT)
    caller = _caller(profile=profile, role_arn=role_arn, external_id=external_id)
    if caller.account_id != account_id:
        raise ValidationError(
            f"These credentials belong to account {caller.account_id}, not to {account_id}. "
            "Give a role or profile of that account."
        )
    return _save_account(caller, name, context)


def update_view(organization: Organization, view: View, context: Context) -> None:
    """Take over what AWS says of a connected organization now; a difference is an audit event."""
    with transaction.atomic():
        row = Organization.objects.select_for_update().get(pk=organization.pk)
        _update(row, _seen(view), context, Action.ORGANIZATION_CHANGED)
    organization.refresh_from_db()


def _caller(*, profile: str, role_arn: str, external_id: str) -> Caller:
    """The credentials, with the account and partition that STS says they belong to."""
    _check_shape(role_arn=role_arn, external_id=external_id)
    partition = aws.partition_of(profile, role_arn)
    caller = Caller(partition=partition, profile=profile, role_arn=role_arn, external_id=external_id)
    identity = aws.who_am_i(caller)
    return replace(caller, partition=identity.partition, account_id=identity.account_id)


def _check_shape(**values: str) -> None:
    """Refuse what STS would refuse, by field."""
    for field, value in values.items():
        validate = external_id_validator if field == "external_id" else role_arn_validator
        try:
            if value:
                validate(value)
        except ValidationError as error:
            raise ValidationError({field: error.messages}) from error


def _check_management_role(caller: Caller, role_arn: str, view: View) -> None:
    if not role_arn:
        return
    _check_shape(management_role_arn=role_arn)
    found = aws.who_am_i(replace(caller, account_id="", role_arn=role_arn)).account_id
    if found != view.facts.management_account_id:
        text = (
            f"The management role belongs to account {found}. "
            f"Give a role in the management account {view.facts.management_account_id}."
        )
        raise ValidationError({"management_role_arn": text})


def _seen(view: View) -> dict[str, Any]:  # Any: values of model fields
    return {
        "aws_id": view.facts.aws_id,
        "management_account_id": view.facts.management_account_id,
        "standing": view.standing.value,
        "feature_set": view.facts.feature_set,
        "trusted_access": view.trusted_access,
    }


def _reached_by(caller: Caller) -> dict[str, str]:
    return {
        "partition": caller.partition,
        "caller_account_id": caller.account_id,
        "profile": caller.profile,
        "role_arn": caller.role_arn,
        "external_id": caller.external_id,
    }


def _save_organization(wanted: dict[str, Any], context: Context) -> Organization:
    with transaction.atomic():
        row = Organization.objects.select_for_update().filter(aws_id=wanted["aws_id"]).first()
        if row is None:
            row = Organization.objects.create(**wanted)
            _record(Action.ORGANIZATION_CONNECTED, context, row, after=wanted)
        else:
            _update(row, wanted, context, Action.ORGANIZATION_CHANGED)
        transaction.on_commit(lambda: wake(DISCOVERY, row))
    return row


def _save_account(caller: Caller, name: str, context: Context) -> Account:
    wanted = {key: value for key, value in _reached_by(caller).items() if key != "caller_account_id"}
    wanted |= {"state": AccountState.ACTIVE.value} | ({"name": name} if name else {})
    with transaction.atomic():
        row = Account.objects.select_for_update().filter(aws_id=caller.account_id).first()
        if row is None:
            row = Account.objects.create(aws_id=caller.account_id, **wanted)
            _record(Action.ACCOUNT_CONNECTED, context, row, after=wanted)
            return row
        if row.organization_id and row.left_at is None:
            raise ValidationError(
                f"Account {row.aws_id} is a member of {row.organization}, which is connected already."
            )
        standalone = {"organization_id": None, "unit_id": None, "left_at": None, "missed_scans": 0}
        _update(row, wanted | standalone, context, Action.ACCOUNT_CONNECTED)
    return row


def _update(row: Organization | Account, wanted: dict[str, Any], context: Context, action: Action) -> None:
    """Save what differs and record it with before and after; nothing differs: nothing happens."""
    before = {name: getattr(row, name) for name, value in wanted.items() if getattr(row, name) != value}
    if not before:
        return
    after = {name: wanted[name] for name in before}
    for name, value in after.items():
        setattr(row, name, value)
    row.save(update_fields=list(after))
    _record(action, context, row, before=_plain(before), after=_plain(after))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON has them."""
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}


def _record(action: Action, context: Context, row: Organization | Account, **facts: dict) -> None:
    if isinstance(row, Organization):
        record(action, context, organization_id=row.aws_id, **facts)
    else:
        record(action, context, account_id=row.aws_id, **facts)
