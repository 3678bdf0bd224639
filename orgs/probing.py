"""The doctor's tries: contacts are read as the portal reads them, and writes are judged without one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orgs import mends, policies
from orgs.checks import Mend, Status
from orgs.examination import Answer, Examination
from orgs.models import Account, AccountState, Organization, Standing, Unreachable
from orgs.pace import pace
from orgs.policies import TYPES, WRITE, Statement
from portal import aws, aws_iam, aws_organizations, quota
from portal.aws import AwsError, Refused
from portal.aws_facts import Caller
from portal.aws_iam import Decision, Question
from portal.causes import Cause

NOT_KNOWN = "Not known until the first write."


def management(visit: Examination) -> Answer:
    """The management account's own contacts, which only its own credentials reach."""
    organization, facts = visit.organization, visit.view.facts
    if visit.view.standing == Standing.MANAGEMENT:
        return _read(visit, visit.caller, None, "Its own credentials read them")
    caller = organization.management_caller
    if caller is None:
        return _ask_in_vain(visit, facts.management_account_id)
    policy = policies.management_role_policy(visit.needs)
    known: dict[str, Any] = {"entity": caller.role_arn, "policy": policy}
    try:
        if aws.who_am_i(caller).account_id != facts.management_account_id:
            raise Refused(Cause.WRONG_ACCOUNT)
    except AwsError as error:
        return visit.trouble(error, **known)
    return _read(visit, caller, None, f"The role {caller.role_arn} reads them", **known)


def _ask_in_vain(visit: Examination, account_id: str) -> Answer:
    """A delegated administrator hears from AWS itself that nobody else may."""
    try:
        _get(visit.caller, "SECURITY", account_id)
    except Refused as refusal:
        error = refusal if refusal.cause == Cause.STANDALONE_ONLY else Refused(Cause.MANAGEMENT_ROLE_MISSING)
        return visit.trouble(error)
    return Answer("AWS lets us reach it from here.")


def member(visit: Examination) -> Answer:
    """One member, all three types."""
    account = _some_member(visit.organization)
    if account is None:
        raise AwsError(Cause.NOT_READ_YET)
    try:
        reach = account.reach()
    except Unreachable as error:
        raise Refused(error.cause) from error
    said = f"Account {account.aws_id} was read"
    answer = _read(visit, reach.caller, reach.account_id, said)
    return _why(visit, account) if answer.cause == Cause.NOT_ALLOWED else answer


def _why(visit: Examination, account: Account) -> Answer:
    """AWS refused without a reason although we are administrator, so it is about the account."""
    try:
        facts = aws_organizations.describe_account(visit.caller, account.aws_id, visit.take)
    except Refused:
        return visit.trouble(
            Refused(Cause.NOT_ALLOWED), f"Account {account.aws_id}: {Cause.NOT_ALLOWED.label}"
        )
    if facts is None:
        detail = f"Account {account.aws_id} is not a member of {visit.organization.aws_id}."
        return visit.trouble(Refused(Cause.LEFT), detail)
    cause = Cause.NOT_ALLOWED if facts.state == AccountState.ACTIVE else Cause.STATE
    return visit.trouble(Refused(cause), f"Account {account.aws_id} is {facts.state}: {cause.label}")


def _read(visit: Examination, caller: Caller, account_id: str | None, said: str, **known: Any) -> Answer:
    """Every contact type of one account; the first refusal is the answer, with the types it holds for."""
    refused: dict[str, AwsError] = {}
    for contact_type in TYPES:
        try:
            _get(caller, contact_type, account_id)
        except AwsError as error:
            refused[contact_type] = error
    if not refused:
        return Answer(f"{said}: {', '.join(TYPES)}.")
    first = next(iter(refused.values()))
    of_types = "" if len(refused) == len(TYPES) else f" Type: {', '.join(refused)}."
    return visit.trouble(first, first.cause.label + of_types, **known)


def _get(caller: Caller, contact_type: str, account_id: str | None) -> None:
    pace(caller, lane=quota.Lane.CHECK)("GetAlternateContact")
    aws.get_alternate_contact(caller, contact_type, account_id)


def _some_member(organization: Organization) -> Account | None:
    members = organization.accounts.filter(state=AccountState.ACTIVE, left_at__isnull=True)
    members = members.exclude(aws_id=organization.management_account_id).select_related(
        "organization", "unit"
    )
    return members.order_by("pk").first()


# Writes


@dataclass(frozen=True)
class _Place:
    """Where something would be written: whose policy counts, and the resource and keys that it sees."""

    name: str
    caller: Caller
    entity: str
    resource: str
    keys: dict[str, str]
    policy: Statement | None


@dataclass(frozen=True)
class _Denied:
    """One action of one type that the simulator does not allow there."""

    place: _Place
    decision: Decision
    what: str


_GRAVEST = (Decision.SCP, Decision.EXPLICIT, Decision.IDENTITY)


def writes(visit: Examination) -> Answer:
    """What IAM's simulator says of writes, for every contact type; nothing is written to find out."""
    denied: list[_Denied] = []
    unasked: Answer | None = None
    places = list(_places(visit))
    if not places:
        return Answer(f"{NOT_KNOWN} No account is known yet that could be asked about.", Status.UNKNOWN)
    for place in places:
        try:
            denied += _judge(place)
        except Refused as refusal:
            unasked = unasked or _not_known(visit, place, refusal)
    if denied:
        return _say_denied(visit, denied)
    return unasked or Answer("IAM's policy simulator allows to change every type.")


def _say_denied(visit: Examination, denied: list[_Denied]) -> Answer:
    """One mend at a time: first for what no policy of ours can mend."""
    decision = next(one for one in _GRAVEST if any(one == each.decision for each in denied))
    alike = [each for each in denied if each.decision == decision]
    what = "; ".join(f"{each.what} for {each.place.name}" for each in alike)
    cause = Cause.SCP_DENIES if decision == Decision.SCP else Cause.POLICY_DENIES
    place = alike[0].place
    case = visit.case(entity=place.entity, policy=place.policy, policy_kind=str(decision))
    detail = f"{decision.label}: {what}. Leave it so where the portal shall not."
    return Answer(detail, Status.WARNING, cause.value, mends.mend_for(cause, case))


def _places(visit: Examination) -> Iterator[_Place]:
    needs, organization = visit.needs, visit.organization
    policy = policies.identity_policy(needs)
    if visit.view.standing == Standing.MANAGEMENT:
        own = policies.own_account(needs.partition, needs.caller_account_id)
        yield _Place("the management account", visit.caller, needs.principal, own, {}, policy)
    elif caller := organization.management_caller:
        own = policies.own_account(needs.partition, caller.account_id)
        role_policy = policies.management_role_policy(needs)
        yield _Place("the management account", caller, caller.role_arn, own, {}, role_policy)
    account = _some_member(organization)
    if account is not None:
        path = f"{organization.aws_id}/{account.unit.path}" if account.unit else ""
        keys = {"account:AccountResourceOrgPaths": path} if path else {}
        resource = policies.member_account(needs, account.aws_id)
        yield _Place("members", visit.caller, needs.principal, resource, keys, policy)


def _judge(place: _Place) -> list[_Denied]:
    if not place.entity:
        raise Refused(Cause.NOT_ALLOWED)
    denied = []
    for contact_type in TYPES:
        keys = {"account:AlternateContactTypes": contact_type} | place.keys
        found = aws_iam.simulate(place.caller, place.entity, Question(tuple(WRITE), place.resource, keys))
        for action, decision in found.items():
            if decision != Decision.ALLOWED:
                denied.append(_Denied(place, decision, f"{action.partition(':')[2]} {contact_type}"))
    return denied


def _not_known(visit: Examination, place: _Place, refusal: Refused) -> Answer:
    if not place.entity:
        return Answer(f"{NOT_KNOWN} The simulator takes users and roles only.", Status.UNKNOWN)
    if refusal.cause != Cause.POLICY_DENIES:
        return Answer(f"{NOT_KNOWN} IAM does not know {place.entity}.", Status.UNKNOWN)
    detail = f"{NOT_KNOWN} We may not ask IAM's policy simulator about {place.entity}."
    policy = policies.document(*policies.judging(place.entity))
    case = visit.case(entity=place.entity, policy=policy, policy_kind=refusal.policy)
    mend = mends.allowing(case, mends.POLICY_NAME + "Checks")
    return Answer(detail, Status.UNKNOWN, refusal.cause.value, mend)


def throttling(visit: Examination) -> Answer:
    """Whether AWS asked us to slow down of late."""
    refused = {one.operation: one.throttled_lately for one in quota.usage(visit.caller.key)}
    told = ", ".join(f"{count} × {operation}" for operation, count in refused.items() if count)
    if not told:
        return Answer("AWS refused no call as too fast within the last ten minutes.")
    mend = Mend(
        f"{mends.NO_COMMAND} The portal has slowed down by itself. If it lasts, other tools use up the quota "
        "of this account: lower AWS_QUOTA_SHARE."
    )
    return Answer(
        f"Too fast within the last ten minutes: {told}.", Status.WARNING, Cause.THROTTLED.value, mend
    )
