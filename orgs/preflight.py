"""The doctor: asks AWS step by step whether the portal can work, and says what mends what it finds."""

from dataclasses import asdict

from django.utils import timezone

from audit.context import Context, worker_context
from audit.log import record
from audit.models import Action
from orgs import examination, probing
from orgs.access import Right, require_in
from orgs.checks import Check, Status
from orgs.examination import Answer, Examination, Question
from orgs.models import Organization
from orgs.waking import PREFLIGHT, send
from portal.aws import AwsError

CREDENTIALS = "Credentials work"
MEMBERSHIP = "They belong to this organization"
STANDING = "Management account or delegated administrator"
FEATURES = "All features of the organization"
TRUST = "Trusted access for Account Management"
LISTING = "Accounts can be listed"
# Label, question, and what has to be in order, or at least not failing, before it makes sense to ask.
QUESTIONS: list[tuple[str, Question, tuple[str, ...]]] = [
    (CREDENTIALS, examination.credentials, ()),
    ("The clock agrees with AWS's", examination.clock, ()),
    (MEMBERSHIP, examination.membership, (CREDENTIALS,)),
    (STANDING, examination.standing, (MEMBERSHIP,)),
    (FEATURES, examination.features, (MEMBERSHIP,)),
    (TRUST, examination.trusted_access, (MEMBERSHIP,)),
    (LISTING, examination.listing, (STANDING,)),
    ("AWS sends State and Paths", examination.shape, (LISTING,)),
    ("The management account's own contacts are in reach", probing.management, (STANDING,)),
    ("Contacts of a member can be read", probing.member, (STANDING, FEATURES, TRUST)),
    ("Contacts can be changed", probing.writes, (STANDING,)),
    ("AWS does not slow us down", probing.throttling, (CREDENTIALS,)),
]
MAY_BE_UNKNOWN = {TRUST}


def request_checks(organization: Organization, *, context: Context) -> None:
    """Have a worker run the checks soon, because a person asked; raises PermissionDenied and Unavailable."""
    require_in(context, Right.CONNECT)
    send(PREFLIGHT, organization)
    record(Action.ORGANIZATION_CHECKED, context, organization_id=organization.aws_id)


def run_checks(organization: Organization, context: Context | None = None) -> list[Check]:
    """Ask everything and keep the answers in the organization's row; what AWS says of it is taken over."""
    checks = examine(organization, context or worker_context())
    organization.checks = [asdict(check) for check in checks]
    organization.checked_at = timezone.now()
    organization.save(update_fields=["checks", "checked_at"])
    return checks


def examine(organization: Organization, context: Context) -> list[Check]:
    """All checks in order; what builds on one that is not in order is not asked."""
    visit = Examination(organization, context)
    checks: dict[str, Check] = {}
    for label, question, first in QUESTIONS:
        missing = next((one for one in first if not _carries(checks[one])), None)
        if missing:
            detail = f"Not asked: “{missing}” comes first."
            checks[label] = Check(label, Status.UNKNOWN, detail)
        else:
            checks[label] = _check(label, _ask(question, visit))
    return list(checks.values())


def _carries(check: Check) -> bool:
    bearable = {Status.OK, Status.WARNING} | ({Status.UNKNOWN} if check.label in MAY_BE_UNKNOWN else set())
    return check.status in bearable


def _ask(question: Question, visit: Examination) -> Answer:
    try:
        return question(visit)
    except AwsError as error:
        return visit.trouble(error)


def _check(label: str, answer: Answer) -> Check:
    return Check(label, answer.status, answer.detail, answer.cause, **asdict(answer.mend), found=answer.found)
