"""verify_audit: what an auditor sees, and the exit codes they rely on."""

import json
import os

import pytest
from django.core.management import ManagementUtility

from audit import triggers
from audit.anchors import Anchor
from audit.context import worker_context
from audit.log import record
from audit.models import Action, AuditEvent, AuditSeal, AuditVerification
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


def test_holds_the_chain_against_anchors_of_a_file(events, verify_audit, tmp_path, settings):
    path = tmp_path / "anchors.jsonl"
    good, bad = (Anchor(event.at, seq, seal_of(seq)) for seq, event in enumerate(events[:2], 1))
    path.write_text(f"{good.line}\n{bad.line}\n")
    assert "2 anchors held against the chain." in verify_audit("--anchors", str(path))[1]

    path.write_text(f"{good.line}\n{bad.line.replace(bad.hash, 'f' * 64)}\n")
    code, _, error = verify_audit("--anchors", str(path))
    assert code == 1
    assert "written anew" in error
    assert f"after {good.words}, and not later than {bad.words}" in error
    settings.AUDIT_ANCHOR_FILE = str(path)  # the portal's own is taken without being named
    assert verify_audit()[0] == 1
    assert verify_audit("--anchors", os.devnull)[0] == 0


@pytest.mark.parametrize("text", [None, "nonsense\n"])
def test_exit_2_for_a_file_of_anchors_that_is_none(events, verify_audit, tmp_path, text):
    if text:
        (tmp_path / "anchors").write_text(text)
    code, _, error = verify_audit("--anchors", str(tmp_path / "anchors"))
    assert (code, "anchor" in error) == (2, True)


@pytest.mark.parametrize("number", ["many", "-1", "1001"])
def test_exit_2_for_no_number_of_processes(verify_audit, number):
    code, _, error = verify_audit("--processes", number)
    assert (code, "Write 0 to 1000." in error) == (2, True)


def test_keeps_what_it_found(events, verify_audit):
    verify_audit("--since", "2099-01-01")
    assert not AuditVerification.objects.exists()  # that a part is whole says nothing of the rest
    verify_audit()
    bend(events[1].pk)
    verify_audit("--since", "2020-01-01")
    bad, good = AuditVerification.objects.all()
    assert (good.is_intact, good.checked, good.seq, good.hash) == (True, 2, 2, get_head().hash)
    assert (bad.is_intact, bad.bad_event_id) == (False, events[1].pk)
    assert f"Event {events[1].pk} (seal 2)" in bad.problem


def seal_of(seq: int) -> str:
    return AuditSeal.objects.get(seq=seq).hash
