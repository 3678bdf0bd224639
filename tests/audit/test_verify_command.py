"""verify_audit: what a nightly run or an auditor sees, and the exit codes they rely on."""

import json

import pytest
from django.core.management import ManagementUtility

from audit import triggers
from audit.context import worker_context
from audit.log import record
from audit.models import Action, AuditEvent, AuditSeal
from audit.seals import get_head, seal_pending

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def events() -> list[AuditEvent]:
    triggers.install()
    events = [record(Action.SIGNED_IN, worker_context()) for _ in range(3)]
    seal_pending(2)
    return events


@pytest.fixture
def verify_audit(capsys: pytest.CaptureFixture):
    """Runs the command as a shell would; returns exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            ManagementUtility(["manage.py", "verify_audit", *arguments]).execute()
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return run


def bend(pk: int) -> None:
    triggers.uninstall()
    AuditEvent.objects.filter(pk=pk).update(reason="bent")
    triggers.install()


def test_exit_0_says_what_was_proved(events, verify_audit):
    head = get_head()
    assert verify_audit() == (
        0,
        f"2 events verified, 1 too young to have a seal. Head of the chain: 2 {head.hash}\n",
        "",
    )


def test_exit_1_names_the_first_bad_event(events, verify_audit):
    bend(events[1].pk)
    code, _, error = verify_audit()
    assert code == 1
    assert f"First bad event: Event {events[1].pk} (seal 2)." in error


def test_exit_1_when_an_event_is_gone_with_its_seal(events, verify_audit):
    triggers.uninstall()
    AuditEvent.objects.filter(pk=events[0].pk).delete()
    AuditSeal.objects.filter(seq=1).delete()
    triggers.install()
    code, _, error = verify_audit()
    assert code == 1
    assert "First bad event: An event that is gone (seal 1)." in error


def test_exit_1_when_the_triggers_do_not_stand(events, verify_audit):
    triggers.uninstall()
    code, _, error = verify_audit()
    assert code == 1
    assert "manage.py migrate" in error


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", ""])
def test_exit_2_for_a_time_that_is_none(verify_audit, since):
    code, _, error = verify_audit("--since", since)
    assert code == 2
    assert "is no ISO time" in error


def test_exit_2_for_an_unknown_option(verify_audit):
    assert verify_audit("--fix")[0] == 2


@pytest.mark.parametrize("since", ["2099-01-01", "2099-01-01T00:00:00Z", "2099-01-01T05:00:00+05:00"])
def test_since_takes_earlier_events_as_good(events, verify_audit, since):
    bend(events[0].pk)
    assert verify_audit("--since", since)[0] == 0
    assert verify_audit("--since", "2020-01-01")[0] == 1


def test_json_for_programs(events, verify_audit):
    code, text, _ = verify_audit("--json")
    assert code == 0
    assert json.loads(text) == {
        "ok": True,
        "triggers_stand": True,
        "checked": 2,
        "unsealed": 1,
        "first_bad": None,
        "anchors": None,
        "head": {"seq": 2, "hash": get_head().hash},
    }
    bend(events[1].pk)
    code, text, _ = verify_audit("--json")
    found = json.loads(text)
    assert (code, found["ok"], found["first_bad"]["event_id"]) == (1, False, events[1].pk)


def test_writes_nothing(events, verify_audit):
    verify_audit()
    assert AuditSeal.objects.count() == 2
