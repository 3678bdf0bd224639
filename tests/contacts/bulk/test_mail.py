"""Mail about change sets: who hears what, and that each mail leaves once or is tried again."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail.backends import locmem
from django.utils import timezone

from audit.context import Context, Source, worker_context
from contacts import change_sets
from contacts.approval import get_rules, save_rules
from contacts.changes import request_change
from contacts.models import ChangeSet, ChangeStatus, Decision, SetStatus
from portal import mail
from portal.celery import app
from portal.models import OutgoingMail
from tests.contacts.scene import DESK
from tests.mail_server import MailServer

HASH = "a" * 64
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(cast) -> None:
    """Everybody but the administrator has an address."""
    for name, user in cast.items():
        user.email = "" if name == "erin" else f"{name}@northwind.example"
        user.save(update_fields=["email"])


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    """A mail server that the portal is told to use."""
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    server.stop()


def by(person: Any, reason: str = "") -> Context:
    return Context(actor=person, source=Source.PAGE, reason=reason)


def write(*people: Any, subject: str = "Approval asked for") -> list[OutgoingMail]:
    mail.send_later(people, subject=subject, body="Look.")
    return list(OutgoingMail.objects.order_by("pk"))


def make_due(**facts: Any) -> None:
    """As if the time until the next try had passed."""
    OutgoingMail.objects.filter(sent_at=None).update(not_before=timezone.now(), **facts)


def recipients(server: MailServer) -> list[str]:
    return [str(message["To"]) for message in server.taken]


# Who hears what


def test_a_request_tells_the_other_approvers_what_and_why_and_no_values(
    server, settings, scene, hank, erin, frank
):
    settings.PORTAL_URL = "https://contacts.example.com"
    rules = get_rules()
    rules.any_delete = True
    save_rules(rules, context=by(erin))
    change = request_change(scene.ledger, "SECURITY", None, context=by(hank, "The desk closes."), seen=None)
    mail.send_due()
    [message] = server.taken
    assert (message["To"], message["Auto-Submitted"]) == (frank.email, "auto-generated")
    assert message["Subject"] == "Approval asked for: Security of payments-ledger-prod"
    text = message.get_content()
    for words in (
        "Hank asks for approval. Nothing is sent to AWS before somebody approves it.",
        "1 contact: 1 deleted",
        "Reason: The desk closes.",
        "because it deletes a contact",
        "Lapses: ",
        f"https://contacts.example.com/change-sets/{change.change_set_id}/",
    ):
        assert words in text
    for value in (DESK.name, DESK.title, DESK.email, DESK.phone):
        assert value not in message.as_string()


def test_broken_glass_is_said_in_the_subject(scene, erin, alice, frank):
    rules = get_rules()
    rules.any_delete = True
    save_rules(rules, context=by(erin))
    request_change(scene.ledger, "SECURITY", None, context=by(erin, "Leak."), seen=None, break_glass=True)
    [letter] = OutgoingMail.objects.all()
    assert letter.to == frank.email
    assert letter.subject.startswith("Acted before approval: ")
    assert letter.body.startswith("Erin acted before any approval. Look at it now")


def decided(decision: Decision, note: str = "") -> Any:
    def act(change_set: ChangeSet, cast: dict) -> None:
        context = by(cast["frank"])
        change_sets.decide(change_set, decision, note=note, plan_hash=HASH, context=context)

    return act


def lapsed(change_set: ChangeSet, cast: dict) -> None:
    change_sets.expire(change_set, context=worker_context())


def finished(change_set: ChangeSet, cast: dict) -> None:
    decided(Decision.APPROVED)(change_set, cast)
    OutgoingMail.objects.all().delete()
    ChangeSet.objects.filter(pk=change_set.pk).update(status=SetStatus.RUNNING)
    change_sets.finish(change_set, {})


GLASS = {"status": SetStatus.RUNNING, "broke_glass": True}
ENDED_GLASS = {"status": SetStatus.FINISHED, "broke_glass": True, "finished_at": timezone.now()}
TOLD = [
    (decided(Decision.APPROVED, "Go."), {}, "Approved", "Frank approved it. It is being sent to AWS."),
    (decided(Decision.APPROVED, "Go."), {}, "Approved", "They say: “Go.”"),
    (decided(Decision.REFUSED, "Wrong month."), {}, "Refused", "Nothing was sent. They say: “Wrong month.”"),
    (decided(Decision.APPROVED), GLASS, "Approved", "Frank approved it. It ran before."),
    (decided(Decision.APPROVED), ENDED_GLASS, "Approved", "Frank approved it. It ran before."),
    (decided(Decision.REFUSED, "No."), GLASS, "Refused", "What was not sent yet is cancelled."),
    (lapsed, {}, "Lapsed", "Nobody decided in time. Nothing was sent."),
    (finished, {}, "Finished", "The run has ended. Applied: 2. Failed: 1."),
]


@pytest.mark.parametrize(("act", "facts", "subject", "words"), TOLD)
def test_the_one_who_asked_hears_how_it_went_on(scene, cast, act, facts, subject, words):
    change_set = scene.change_set(cast["alice"], plan_hash=HASH, **facts)
    for contact_type, status in zip(
        ("BILLING", "OPERATIONS", "SECURITY"), ("applied", "applied", "failed"), strict=True
    ):
        scene.change(
            cast["alice"], scene.ledger, contact_type, status=ChangeStatus(status), change_set=change_set
        )
    act(change_set, cast)
    [letter] = OutgoingMail.objects.all()
    assert letter.to == "alice@northwind.example"
    assert letter.subject == f"{subject}: {change_set.title}"
    assert words in letter.body.splitlines()[0]


@pytest.mark.parametrize("kind", ["replace", "roll_back", "retry"])
def test_a_title_made_of_values_stays_at_home(scene, cast, kind):
    change_set = scene.change_set(cast["alice"], kind=kind, title="Roll back: Replace soc@northwind.example")
    lapsed(change_set, cast)
    [letter] = OutgoingMail.objects.all()
    assert letter.subject == f"Lapsed: {change_set.get_kind_display()}, change set {change_set.pk}"
    assert "soc@" not in letter.body


def test_who_has_no_address_or_was_deactivated_gets_none(erin, bob, frank):
    bob.is_active = False
    assert [letter.to for letter in write(erin, bob, frank)] == [frank.email]


def test_a_title_cannot_add_a_header(server, frank):
    write(frank, subject="Rota\r\nBcc: everybody@evil.example\n\nHello" + "x" * 300)
    mail.send_due()
    [message] = server.taken
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Rota Bcc: everybody@evil.example Hello")
    assert len(message["Subject"]) == 200
    assert message.get_content().strip() == "Look."


# How it leaves


def test_beat_has_workers_send_and_forget(server, frank):
    write(frank)
    app.loader.import_default_modules()
    for name in ("portal.send_mail", "portal.drop_old_mail"):
        assert name in {entry["task"] for entry in app.conf.beat_schedule.values()}
        app.tasks[name]()
    assert recipients(server) == [frank.email]


def test_one_refused_address_stops_nobody_and_is_tried_again_later(server, caplog, bob, frank, hank):
    server.refuses = {"frank"}
    write(bob, frank, hank)
    mail.send_due()
    mail.send_due()
    assert recipients(server) == [bob.email, hank.email]
    letter = OutgoingMail.objects.get(sent_at=None)
    assert letter.attempts == 1
    assert timedelta(seconds=50) < letter.not_before - timezone.now() < timedelta(seconds=61)
    assert f"mail {letter.pk} could not be sent (SMTPRecipientsRefused)" in caplog.text
    assert "northwind" not in caplog.text
    server.refuses = set()
    make_due()
    mail.send_due()
    assert recipients(server)[2:] == [frank.email]
    assert not OutgoingMail.objects.filter(sent_at=None).exists()


@pytest.mark.parametrize(
    "address", ["frank@northwind.example\nBcc: x@evil.example", "@", "a" * 80 + "@ü" * 70]
)
def test_an_address_that_is_none_stops_nobody(server, frank, hank, address):
    write(frank, hank)
    OutgoingMail.objects.filter(to=frank.email).update(to=address)
    mail.send_due()
    assert hank.email in recipients(server)
    assert not any(message["Bcc"] for message in server.taken)


def test_a_server_that_is_away_is_asked_once_a_round_and_given_up_after_a_day(server, caplog, bob, hank):
    server.stop()
    write(bob, hank)
    mail.send_due()
    assert list(OutgoingMail.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0]
    for attempts, minutes in ((1, 5), (2, 30), (9, 120)):
        make_due(attempts=attempts)
        OutgoingMail.objects.filter(to=hank.email).delete()
        mail.send_due()
        [letter] = OutgoingMail.objects.all()
        assert abs(letter.not_before - timezone.now() - timedelta(minutes=minutes)) < timedelta(seconds=10)
    make_due(created_at=timezone.now() - timedelta(hours=25))
    mail.send_due()
    [letter] = OutgoingMail.objects.all()
    assert letter.given_up_at
    assert f"mail {letter.pk} is given up" in caplog.text
    assert [record.levelno for record in caplog.records][-1] == logging.ERROR
    assert "northwind" not in caplog.text


class Overtaken(locmem.EmailBackend):
    """While a mail is on its way, another worker looks for work."""

    def send_messages(self, messages: Any) -> int:
        from django.core import mail as sent

        if not sent.outbox:
            sent.outbox.append("on its way")
            mail.send_due()
        return super().send_messages(messages)


def test_two_workers_never_send_one_mail_twice(settings, mailoutbox, bob, frank, hank):
    settings.EMAIL_BACKEND = f"{__name__}.Overtaken"
    write(bob, frank, hank)
    mail.send_due()
    assert sorted(message.to[0] for message in mailoutbox[1:]) == [bob.email, frank.email, hank.email]
    assert len({message.extra_headers["Message-ID"] for message in mailoutbox[1:]}) == 3


class Dying(locmem.EmailBackend):
    """The worker ends in the middle of it."""

    def send_messages(self, messages: Any) -> int:
        raise SystemExit


def test_the_mail_of_a_worker_that_died_goes_out_after_its_claim(settings, server, frank):
    write(frank)
    answers, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Dying"
    with pytest.raises(SystemExit):
        mail.send_due()
    settings.EMAIL_BACKEND = answers
    mail.send_due()
    assert not server.taken
    make_due()
    mail.send_due()
    assert recipients(server) == [frank.email]


def test_old_mails_are_forgotten_and_those_that_wait_are_not(bob, frank, hank):
    sent, given_up, waiting = write(bob, frank, hank)
    long_ago = timezone.now() - timedelta(days=31)
    OutgoingMail.objects.update(created_at=long_ago)
    OutgoingMail.objects.filter(pk=sent.pk).update(sent_at=long_ago)
    OutgoingMail.objects.filter(pk=given_up.pk).update(given_up_at=long_ago)
    mail.drop_old()
    assert list(OutgoingMail.objects.values_list("pk", flat=True)) == [waiting.pk]
