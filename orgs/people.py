"""People: who may sign in; every change of them is an audit event. What they may do: grants.py."""

import zoneinfo
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, has_right, require_in
from orgs.grants import give_grant, lock_administrators, require_administrator_without
from orgs.models import Role
from orgs.sessions import drop_sessions
from portal.models import User

DETAILS = ("first_name", "last_name", "email")
PROFILE = ("theme", "time_zone")


def create_user(
    username: str,
    *,
    password: str = "",
    roles: Iterable[Role] = (),
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    context: Context,
) -> User:
    """Make a person who may sign in, with these roles everywhere.

    Where passwords are off they get none, and sign in once they are linked to the identity provider.
    Raises PermissionDenied, and ValidationError by field.
    """
    require_in(context, Right.PEOPLE)
    user = User(username=username, first_name=first_name, last_name=last_name, email=email)
    if settings.PASSWORD_SIGN_IN:
        _validate_password(password, user)
        user.set_password(password)
    else:
        user.set_unusable_password()
    user.full_clean()
    with transaction.atomic():
        user.save()
        _record(Action.USER_CREATED, context, user, after={"username": username, **_values(user, DETAILS)})
        for role in roles:
            give_grant(user, Role(role), context=context)
    return user


def set_active(user: User, is_active: bool, *, context: Context) -> None:
    """Let a person sign in, or no longer: then all their sessions end."""
    require_in(context, Right.PEOPLE)
    if is_active:
        _require_present(user)
    with transaction.atomic():
        lock_administrators()
        user.refresh_from_db(fields=["is_active"])
        if user.is_active == is_active:
            return
        if not is_active:
            _require_not_oneself(user, context, "is_active")
            if has_right(user, Right.PEOPLE):
                require_administrator_without(person=user, context=context)
            drop_sessions(user)
        user.is_active = is_active
        user.save(update_fields=["is_active"])
        before, after = {"is_active": not is_active}, {"is_active": is_active}
        _record(Action.USER_CHANGED, context, user, before=before, after=after)


def set_password(user: User, password: str, *, context: Context) -> None:
    """Give a person a new password; their sessions end. Own passwords are changed on their own page."""
    require_in(context, Right.PEOPLE)
    _require_present(user)
    _require_not_oneself(user, context, "password")  # one's own needs the former password
    _validate_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        drop_sessions(user)
        _record(Action.PASSWORD_CHANGED, context, user)


def change_details(user: User, *, context: Context, **values: str) -> None:
    """Change a person's names and e-mail address."""
    require_in(context, Right.PEOPLE)
    _require_present(user)
    _change(user, DETAILS, values, context)


def change_profile(user: User, *, theme: str, time_zone: str, context: Context) -> None:
    """Change how the portal looks to oneself, and in which zone it shows times."""
    if context.actor != user:
        raise PermissionDenied("Everybody changes their own profile only.")
    if time_zone and time_zone not in zoneinfo.available_timezones():
        raise ValidationError({"time_zone": f"“{time_zone}” is no time zone. Use a name like Europe/Madrid."})
    _change(user, PROFILE, {"theme": theme, "time_zone": time_zone}, context)


def _change(user: User, fields: tuple[str, ...], values: dict[str, str], context: Context) -> None:
    before = _values(user, fields)
    for name, value in values.items():
        setattr(user, name, value)
    user.full_clean(exclude=["password"])
    changed = [name for name in fields if getattr(user, name) != before[name]]
    if not changed:
        return
    with transaction.atomic():
        user.save(update_fields=changed)
        before, after = {name: before[name] for name in changed}, _values(user, changed)
        _record(Action.USER_CHANGED, context, user, before=before, after=after)


def _values(user: User, fields: Iterable[str]) -> dict[str, str]:
    return {name: getattr(user, name) for name in fields}


def _record(action: Action, context: Context, user: User, **facts: Any) -> None:  # Any: event columns
    record(action, context, detail={"user_id": user.pk, "user": user.username}, **facts)


def _validate_password(password: str, user: User) -> None:
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


def _require_present(user: User) -> None:
    """Who is shown under another name stays so; whoever comes back is a new person."""
    if user.is_former:
        raise ValidationError("This person left and is shown under another name. Make a new one instead.")


def _require_not_oneself(user: User, context: Context, field: str) -> None:
    if context.actor == user:
        raise ValidationError({field: "You cannot do this to yourself. Ask another administrator."})
