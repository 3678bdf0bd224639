"""Which accounts are to be read when: each has its turn, in its row, spread over the freshness target."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from audit.context import Context
from audit.log import record
from audit.models import Action
from orgs.access import Right, accounts_with, require
from orgs.models import Account, Organization
from orgs.waking import READING, send
from portal import quota
from portal.durations import about

ROUND = 0.9  # of the target: a round takes this long, and what is left is for the reading itself
LEASE = timedelta(minutes=2)  # nobody else reads an account that a reader took this long ago
FIRST_PAUSE, LONGEST_PAUSE = 60, 900  # seconds after a failure; doubled each time
CALLS = 3  # for each account
GOLDEN = 0.6180339887498949  # its multiples lie evenly between whole numbers


@dataclass(frozen=True)
class Reading:
    """How far the contacts of an organization are read; fresh: within the target, due: to be read now."""

    accounts: int
    fresh: int
    never: int
    due: int
    failing: int
    oldest_at: datetime | None
    newest_at: datetime | None
    rate: float | None  # calls a second that the quota gives now; None: nobody knows
    is_silent: bool

    @property
    def time_left(self) -> str:
        """Until all that is due was read, at what the quota gives; empty when nothing is."""
        return self._words(self.due) if self.due else ""

    @property
    def round_takes(self) -> str:
        """How long it takes to read every account once."""
        return self._words(self.accounts)

    @property
    def target(self) -> str:
        return about(settings.CONTACT_FRESHNESS).removeprefix("about ")

    @property
    def is_too_much(self) -> bool:
        """Whether the quota cannot keep to the target."""
        return (self._seconds(self.accounts) or 0) > settings.CONTACT_FRESHNESS

    def _words(self, accounts: int) -> str:
        seconds = self._seconds(accounts)
        return "no telling" if seconds is None else about(seconds)

    def _seconds(self, accounts: int) -> float | None:
        return accounts * CALLS / self.rate if self.rate else None


def due_accounts() -> QuerySet[Account]:
    """Accounts whose turn has come: new ones first, then the stalest."""
    due = Account.objects.filter(left_at=None, contacts_due_at__lte=timezone.now())
    return due.select_related("organization", "unit").order_by(
        F("contacts_read_at").asc(nulls_first=True), "pk"
    )


def claim(due: QuerySet[Account], limit: int) -> list[Account]:
    """Make the first of them ours; a reader that dies leaves them to others when the lease is over."""
    lease = timezone.now() + LEASE
    with transaction.atomic():
        accounts = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
        _set_due(accounts, lease)
    for account in accounts:
        account.contacts_due_at = lease
    return accounts


def release(accounts: Iterable[Account]) -> None:
    """Give back what was claimed and not read."""
    _set_due(accounts, timezone.now())


def note_turns(answered: Mapping[Account, datetime | None]) -> None:
    """When AWS answered for each account, or None where it did not; from that follows its next turn.

    An account that somebody asked for after it was claimed stays due. Called in a transaction.
    """
    held = {account.pk: account for account in answered}
    rows = Account.objects.select_for_update().filter(pk__in=held).order_by("pk")
    asked_again = {
        pk: due_at
        for pk, due_at in rows.values_list("pk", "contacts_due_at")
        if due_at < held[pk].contacts_due_at
    }
    for account, read_at in answered.items():
        if read_at:
            _note_read(account, read_at)
        else:
            _note_failed(account)
        account.contacts_due_at = asked_again.get(account.pk, account.contacts_due_at)
    fields = ["contacts_read_at", "contacts_due_at", "contacts_failures"]
    # Their rows are there and locked, so each of them is an update; bulk_update() takes ten times as long.
    Account.objects.bulk_create(
        answered, update_conflicts=True, unique_fields=["aws_id"], update_fields=fields
    )


def next_turn(pk: int, now: datetime) -> datetime:
    """The account's place in the next round. It is the same in each, so many read at once part again."""
    seconds = settings.CONTACT_FRESHNESS * ROUND
    place = pk * GOLDEN % 1 * seconds
    rounds = (now.timestamp() - place) // seconds + 1
    return datetime.fromtimestamp(place + rounds * seconds, UTC)


def ask_for(accounts: QuerySet[Account]) -> int:
    """Have these accounts read as soon as the quota lets us; how many they are."""
    return accounts.filter(left_at=None).update(contacts_due_at=timezone.now(), contacts_failures=0)


def request_reading(organization: Organization, *, context: Context) -> int:
    """Have the workers read a whole organization now, because a person asked; how many accounts that is.

    Raises PermissionDenied, and Unavailable when Redis is away.
    """
    require(context.actor, Right.CHECK)
    send(READING, organization)
    with transaction.atomic():
        number = ask_for(accounts_with(context.actor, Right.CHECK).filter(organization=organization))
        record(
            Action.CONTACTS_CHECKED,
            context,
            organization_id=organization.aws_id,
            detail={"accounts": number},
        )
    return number


def reading_of(organization: Organization) -> Reading:
    """How far it is read, and how long the rest takes."""
    now = timezone.now()
    since = fresh_since()
    # What a reader holds is due as well: its lease looks like a turn that comes soon.
    is_due = Q(contacts_due_at__lte=now) | Q(contacts_read_at=None, contacts_failures=0)
    counts = Account.objects.filter(organization=organization, left_at=None).aggregate(
        accounts=Count("pk"),
        fresh=Count("pk", filter=Q(contacts_read_at__gte=since)),
        never=Count("pk", filter=Q(contacts_read_at=None)),
        due=Count("pk", filter=is_due),
        failing=Count("pk", filter=Q(contacts_failures__gt=0)),
        oldest_at=Min("contacts_read_at"),
        newest_at=Max("contacts_read_at"),
    )
    return Reading(**counts, rate=_rate_of(organization), is_silent=_is_silent(organization))


def fresh_since() -> datetime:
    """What was read before this moment is older than contacts may be."""
    return timezone.now() - timedelta(seconds=settings.CONTACT_FRESHNESS)


def silent_organizations(organizations: QuerySet[Organization]) -> list[Organization]:
    """Those of which nothing was read for longer than the target, although they have accounts."""
    since = fresh_since()
    present = Account.objects.filter(organization=OuterRef("pk"), left_at=None)
    lately = Account.objects.filter(organization=OuterRef("pk"), contacts_read_at__gte=since)
    return list(organizations.filter(~Exists(lately), Exists(present), connected_at__lt=since))


def reading_problem() -> str:
    """What the health check says of reading; empty when all is well. Anybody may hear it."""
    is_silent = bool(silent_organizations(Organization.objects.all()))
    return "nothing was read for longer than the target" if is_silent else ""


def _note_read(account: Account, read_at: datetime) -> None:
    account.contacts_read_at, account.contacts_failures = read_at, 0
    account.contacts_due_at = next_turn(account.pk, timezone.now())


def _note_failed(account: Account) -> None:
    """Later and later, but never later than an outage is over for long."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(account.contacts_failures, 10))
    account.contacts_failures = min(account.contacts_failures + 1, 1000)
    account.contacts_due_at = timezone.now() + timedelta(seconds=pause)


def _is_silent(organization: Organization) -> bool:
    return bool(silent_organizations(Organization.objects.filter(pk=organization.pk)))


def _rate_of(organization: Organization) -> float | None:
    try:
        found = quota.usage(organization.caller.key)
    except quota.QuotaUnavailable:
        return None
    return next(one.rate for one in found if one.operation == "GetAlternateContact")


def _set_due(accounts: Iterable[Account], at: datetime) -> None:
    Account.objects.filter(pk__in=[account.pk for account in accounts]).update(contacts_due_at=at)
