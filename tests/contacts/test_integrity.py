"""The nightly verification: what it keeps, whom it alarms, and what pages say."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from celery.schedules import crontab
from django.urls import reverse
from django.utils import timezone

from audit import triggers
from audit.anchors import anchor_head
from audit.context import worker_context
from audit.log import record
from audit.models import Action, AuditEvent, AuditSeal, AuditVerification
from audit.seals import seal_pending
from contacts.attention import needs_attention
from contacts.tasks import verify_audit
from portal.celery import app
from portal.models import OutgoingMail
from tests.contacts.scene import as_person

OVERVIEW, AUDIT = reverse("contacts:overview"), reverse("contacts:audit_list")


@pytest.fixture
def anchors(scene, cast, settings, tmp_path: Path) -> Path:
    """Three sealed events whose last is anchored, and people who have addresses."""
    for name, person in cast.items():
        type(person).objects.filter(pk=person.pk).update(email=f"{name}@northwind.example")
    settings.AUDIT_ANCHOR_FILE = str(tmp_path / "anchors.jsonl")
    triggers.install()
    for _ in range(3):
        record(Action.SIGNED_IN, worker_context())
    while seal_pending():
        pass
    anchor_head()
    return tmp_path / "anchors.jsonl"


def titles(user) -> list[str]:
    return [matter.title for matter in needs_attention(user, [])]


def bend() -> int:
    """Change the last event but one; returns its id."""
    triggers.uninstall()
    pk = AuditSeal.objects.order_by("-seq")[1].event_id
    AuditEvent.objects.filter(pk=pk).update(reason="bent")
    triggers.install()
    return pk


def test_a_chain_that_holds_is_kept_and_nobody_is_told(anchors, dana):
    verify_audit()
    kept = AuditVerification.objects.get()
    assert (kept.is_intact, kept.anchors, kept.problem, kept.bad_event_id) == (True, 1, "", None)
    assert not OutgoingMail.objects.exists()
    record(Action.SIGNED_OUT, worker_context())
    seal_pending()
    text = " ".join(as_person(dana).get(AUDIT).text.split())
    assert f"{kept.checked} events up to seal {kept.seq}, held against 1 anchor. 1 sealed since." in text
    assert "The audit" not in "".join(titles(dana))


def test_a_bent_event_alarms_everybody_who_reviews(anchors, cast, caplog):
    pk = bend()
    verify_audit()
    kept = AuditVerification.objects.get()
    assert (kept.is_intact, kept.bad_event_id) == (False, pk)
    mails = OutgoingMail.objects.order_by("to")
    assert [mail.to for mail in mails] == ["dana@northwind.example", "erin@northwind.example"]
    assert f"Event {pk} (seal" in mails[0].body
    assert AUDIT in mails[0].body
    assert [record.levelname for record in caplog.records if "does not hold" in record.message] == ["ERROR"]
    assert titles(cast["dana"])[0] == titles(cast["alice"])[0] == "The audit does not verify"
    assert "The audit does not verify" not in titles(cast["bob"])  # who may not look into it
    for page in (OVERVIEW, AUDIT):
        assert f"Event {pk} (seal" in as_person(cast["dana"]).get(page).text


def test_a_chain_that_lost_its_anchor_alarms(anchors, dana):
    triggers.uninstall()
    last = AuditSeal.objects.order_by("-seq")[0]
    AuditEvent.objects.filter(pk=last.event_id)._raw_delete("default")
    AuditSeal.objects.filter(pk=last.pk).delete()
    triggers.install()
    verify_audit()
    assert f"cut off: it ends at seal {last.pk - 1}." in AuditVerification.objects.get().problem


def test_missing_triggers_alarm(anchors):
    triggers.uninstall()
    verify_audit()
    triggers.install()
    assert AuditVerification.objects.get().problem == triggers.MISSING
    assert OutgoingMail.objects.count() == 2


@pytest.mark.parametrize("spoil", ["text", "directory"])
def test_anchors_that_cannot_be_read_alarm_and_the_chain_is_verified_all_the_same(anchors, spoil):
    anchors.unlink()
    anchors.mkdir() if spoil == "directory" else anchors.write_text("nonsense\n")
    verify_audit()
    kept = AuditVerification.objects.get()
    assert (kept.is_intact, kept.anchors, kept.checked) == (False, None, AuditSeal.objects.count())
    assert str(anchors) in kept.problem


def test_a_verification_that_does_not_come_is_missed(anchors, dana):
    verify_audit()
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        assert titles(dana)[0] == "The audit was not verified of late"


def test_it_runs_each_night():
    entry = app.conf.beat_schedule["verify-audit"]
    assert (entry["task"], entry["schedule"]) == (verify_audit.name, crontab(hour=3, minute=15))
