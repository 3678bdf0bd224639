"""One contact's life: what it said on a day, as far as sealed events tell, and the page that shows it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from hypothesis import given
from hypothesis import strategies as st

from audit.context import Context, Source, worker_context
from audit.log import event, record_all
from audit.models import Action, AuditEvent
from contacts.details import value_of
from contacts.history import Stretch, stretches_of
from contacts.models import Drift
from portal.aws import ContactDetails
from tests.contacts.scene import DESK, FINANCE, LEDGER, ROTA, as_person

VALUES = [value_of(None), value_of(DESK), value_of(ROTA), value_of(FINANCE)]
START = datetime(2024, 2, 28, 12, tzinfo=UTC)
HISTORY = reverse("contacts:contact_history", args=[LEDGER, "SECURITY"])


# The property: a replay of random histories, in which people, the portal and lost answers take turns


@dataclass
class World:
    """AWS, and a portal that reads and writes it. Others change it once at most between two reads."""

    now: datetime = START
    truth: list[tuple[datetime, dict]] = field(default_factory=lambda: [(START, VALUES[0])])
    known: dict | None = None
    read_at: datetime | None = None
    sent: dict | None = None  # without an answer
    was_touched: bool = False
    sights: list[datetime] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    reads: dict[int, datetime | None] = field(default_factory=dict)

    @property
    def value(self) -> dict:
        return self.truth[-1][1]

    def said(self, at: datetime) -> dict:
        """What AWS really had then."""
        return [value for since, value in self.truth if since <= at][-1]

    def tell(self, action: Action, before: dict | None, after: dict) -> None:
        self.events.append(
            AuditEvent(
                pk=len(self.events), at=self.now, action=action, before=before, after=after, change_id=1
            )
        )

    def outside(self, value: dict) -> None:
        if not self.was_touched and self.sent is None:
            self.truth.append((self.now, value))
            self.was_touched = True

    def read(self, value: dict) -> None:
        if self.known is None:
            self.tell(Action.CONTACT_BASELINE, None, {"SECURITY": self.value})
        elif self.value == self.sent != self.known:
            self.tell(Action.CHANGE_READ_BACK, self.known, self.value)
        elif self.value != self.known:
            self.reads[len(self.events)] = self.read_at
            self.tell(Action.CONTACT_DRIFT, self.known, self.value)
        self.known, self.read_at, self.was_touched, self.sent = self.value, self.now, False, None
        self.sights.append(self.now)

    def write(self, value: dict) -> None:
        self.read(value)
        self.truth.append((self.now, value))
        self.tell(Action.CHANGE_APPLIED, self.known, value)
        self.known = value

    def lose(self, value: dict, *, has_landed: bool) -> None:
        self.read(value)
        self.now += timedelta(minutes=1)
        self.tell(Action.CHANGE_UNCONFIRMED, self.known, value)
        if has_landed:
            self.truth.append((self.now, value))
        self.sent = value

    def lose_it(self, value: dict) -> None:
        self.lose(value, has_landed=False)

    def lose_the_answer(self, value: dict) -> None:
        self.lose(value, has_landed=True)


DEEDS = ("outside", "read", "read", "write", "lose_it", "lose_the_answer")


@given(st.lists(st.tuples(st.sampled_from(DEEDS), st.sampled_from(VALUES)), max_size=12))
def test_what_it_said_is_what_aws_had_wherever_that_is_sure(deeds):
    world = World()
    for deed, value in deeds:
        world.now += timedelta(hours=7)
        getattr(world, deed)(value)
    world.now += timedelta(hours=7)
    world.read(world.value)
    stretches = stretches_of(world.events, "SECURITY", world.reads, read_at=world.read_at)

    assert [stretch.since for stretch in stretches[1:]] == [stretch.until for stretch in stretches[:-1]]
    for hour in range(7 * len(deeds) + 8):
        at = START + timedelta(hours=hour)
        stretch = stretch_at(stretches, at)
        assert not stretch.values or world.said(at) in stretch.values
    for at in world.sights:
        assert stretch_at(stretches, at).values, "what was read is known"
    assert stretches[0].until == min(world.sights, default=None)


def stretch_at(stretches: list[Stretch], at: datetime) -> Stretch:
    return next(stretch for stretch in stretches if stretch.touches(at, at + timedelta(microseconds=1)))


# The page


@pytest.fixture
def life(scene, alice) -> dict[str, AuditEvent]:
    """Seen in 2024, changed by Alice in 2025, changed by somebody else between two reads in March 2026."""
    person = Context(actor=alice, source=Source.PAGE, reason="The desk is new", ticket="CHG-9")
    about = {"account_id": LEDGER, "contact_type": "SECURITY"}
    facts = {
        "seen": (
            moment(2024, 5, 2, 9),
            event(
                Action.CONTACT_BASELINE, worker_context(), account_id=LEDGER, after={"SECURITY": VALUES[2]}
            ),
        ),
        "applied": (
            moment(2025, 8, 20, 14),
            event(Action.CHANGE_APPLIED, person, before=VALUES[2], after=VALUES[1], change_id=4, **about),
        ),
        "drifted": (
            moment(2026, 3, 5, 8),
            event(Action.CONTACT_DRIFT, worker_context(), before=VALUES[1], after=VALUES[3], **about),
        ),
        "of another": (moment(2026, 3, 6, 8), event(Action.CONTACT_DRIFT, worker_context(), **about)),
    }
    facts["of another"][1].contact_type = "BILLING"
    for at, fact in facts.values():
        fact.at = at
    events = dict(zip(facts, record_all([fact for _, fact in facts.values()]), strict=True))
    Drift.objects.create(
        contact=scene.contact(scene.ledger, "SECURITY"),
        event_id=events["drifted"].pk,
        before=VALUES[1],
        after=VALUES[3],
        last_read_at=moment(2026, 3, 3, 22),
        found_at=moment(2026, 3, 5, 8),
    )
    return events


def words_in(page: HttpResponse) -> str:
    """What somebody reads in the panel about the day."""
    panel = page.text.partition('id="h-day"')[2].partition("</section>")[0]
    return " ".join(strip_tags(panel).split())


def moment(year: int, month: int, day: int, hour: int) -> datetime:
    return timezone.make_aware(datetime(year, month, day, hour))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "words", "known_by"),
    [
        ("2024-05-01", ["Not known. The portal saw this contact for the first time on 2 May 2024"], []),
        ("2024-12-31", [ROTA.email], ["seen"]),
        ("2025-08-20", ["Until 20 Aug 2025, 14:00:00", ROTA.email, "From 20 Aug", DESK.email], ["applied"]),
        ("2026-03-03", ["Until 3 Mar 2026, 22:00:00", "somewhere between 3 Mar 2026, 22:00:00"], ["applied"]),
        ("2026-03-04", ["and 5 Mar 2026, 08:00:00", DESK.email, FINANCE.email], []),
        ("2026-03-07", [FINANCE.email, "Known since 5 Mar 2026"], ["drifted"]),
        ("2100-01-01", ["That day has not begun yet."], []),
        ("tomorrow", ["Write the day as"], []),
    ],
)
def test_what_did_it_say_on_a_day(life, dana, day, words, known_by):
    page = as_person(dana).get(HISTORY, {"on": day})
    answer = words_in(page)
    for word in words:
        assert word in answer
    for name in known_by:
        assert reverse("contacts:audit_detail", args=[life[name].pk]) in page.text


@pytest.mark.django_db
def test_the_timeline_goes_across_years_and_leads_where_the_reader_may_go(life, bob, dana):
    page = as_person(dana).get(HISTORY)
    assert [(year, [chapter.event for chapter in chapters]) for year, chapters in page.context["years"]] == [
        (2026, [life["drifted"]]),
        (2025, [life["applied"]]),
        (2024, [life["seen"]]),
    ]
    assert reverse("contacts:audit_detail", args=[life["seen"].pk]) in page.text
    text = as_person(bob).get(HISTORY).text
    assert reverse("contacts:change_detail", args=[4]) in text
    assert reverse("contacts:audit_list") not in text


@pytest.mark.django_db
def test_pages_of_the_timeline_keep_the_day(life, dana):
    record_all(
        [
            event(Action.CONTACT_DRIFT, worker_context(), account_id=LEDGER, contact_type="SECURITY")
            for _ in range(30)
        ]
    )
    client = as_person(dana)
    first = client.get(HISTORY, {"on": "2024-12-31"})
    second = client.get(HISTORY + first.context["older"])
    assert sum(len(chapters) for _, chapters in second.context["years"]) == 8
    assert ROTA.email in second.text
    assert "25 of 33 events" in first.text


@pytest.mark.django_db
def test_an_account_that_left_is_said_to_have_left(life, dana):
    left = event(Action.ACCOUNT_LEFT, worker_context(), account_id=LEDGER)
    left.at = moment(2026, 4, 1, 0)
    record_all([left])
    client = as_person(dana)
    assert "had left the organization on 1 Apr 2026" in words_in(client.get(HISTORY, {"on": "2026-04-02"}))
    assert "had left" not in client.get(HISTORY, {"on": "2026-03-30"}).text


@pytest.mark.django_db
def test_a_contact_without_events_says_so(scene, bob):
    page = as_person(bob).get(HISTORY, {"on": "2024-12-31"})
    assert "The portal has not seen this contact yet." in page.text
    assert "Nothing has happened yet" in page.text


@pytest.mark.django_db
def test_the_card_and_the_event_lead_to_the_history(life, dana):
    client = as_person(dana)
    assert HISTORY in client.get(reverse("contacts:account_detail", args=[LEDGER])).text
    assert HISTORY in client.get(reverse("contacts:audit_detail", args=[life["drifted"].pk])).text


def test_what_is_sent_stands_as_aws_keeps_it():
    wanted = ContactDetails("Desk", "SOC", " soc@northwind.example ", "+44 20 7946 0150")
    applied = AuditEvent(pk=1, at=START, action=Action.CHANGE_APPLIED, after=value_of(wanted))
    assert stretches_of([applied], "SECURITY", {})[-1].value["email"] == "soc@northwind.example"
