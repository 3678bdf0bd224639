"""The stand-alone script: who holds an export, and nothing of the portal, proves it or names what is bad."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from audit.anchors import Anchor
from audit.context import Context, Source, worker_context
from audit.export import export_events
from audit.log import event, record_all
from audit.models import Action, AuditEvent, AuditSeal
from audit.seals import seal_pending

MANUAL = settings.BASE_DIR / "docs" / "audit.md"
SCRIPT = settings.BASE_DIR / "docs" / "verify_audit_export.py"

pytestmark = pytest.mark.django_db

Lines = list[bytes]
Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def lines() -> Lines:
    """An export: one event that has no seal yet, then those of the seals 7 to 1."""
    context = Context(source=Source.PAGE, reason="Zoë “moved”\u2028\n\x7f", ip="192.0.2.7")
    record_all([event(Action.CONTACT_DRIFT, context, after={"ä": [None, n, True]}) for n in range(7)])
    seal_pending()
    record_all([event(Action.SIGNED_OUT, context)])
    events = AuditEvent.objects.all()
    export = export_events(events, filters={}, context=worker_context(), file_format="jsonl")
    return "".join(export).encode().splitlines(keepends=True)


@pytest.fixture
def anchors(tmp_path: Path, lines: Lines) -> Path:
    """The heads at the seals 3 and 7, the second as the log has it."""
    path = tmp_path / "anchors.jsonl"
    first, last = (
        Anchor(seal.event.at, seal.seq, seal.hash) for seal in AuditSeal.objects.filter(seq__in=(3, 7))
    )
    path.write_text(f"{first.line}\n2026-11-24 03:15:00 INFO audit.anchor anchor {last.line}\n")
    return path


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Runs the script as somebody without the portal would; returns its exit code and what it says."""

    def run(lines: Lines, *options: object) -> tuple[int, str]:
        path = tmp_path / "audit.jsonl"
        path.write_bytes(b"".join(lines))
        command = [sys.executable, "-I", "-S", SCRIPT, path, *options]
        done = subprocess.run(
            map(str, command), cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return run


def relinked(lines: Lines) -> Lines:
    """The lines with all hashes computed anew, as somebody would who owns the database."""
    done, digest = [], b"0" * 64
    for line in reversed(lines[1:]):
        seq, text = re.fullmatch(rb'\{"seq":(\d+),.*?"event":(\{.*\})\}\n', line).groups()
        before, digest = digest, hashlib.sha256(digest + text).hexdigest().encode()
        done.append(b'{"seq":%s,"previous_hash":"%s","hash":"%s","event":%s}\n' % (seq, before, digest, text))
    return [lines[0], *reversed(done)]


def bent(lines: Lines) -> Lines:
    """The event of seal 4 says another number."""
    return [*lines[:4], lines[4].replace(b"true", b"null"), *lines[5:]]


def test_an_export_of_everything_is_proven(lines, anchors, verify):
    code, words = verify(lines, "--anchors", anchors, "--whole")
    assert code == 0, words
    assert "7 sealed events read, 1 without a seal: those are not proven." in words
    assert "2 anchors matched, 0 speak of seals that are not in this file." in words
    assert "every event from seal 1 to seal 7." in words
    assert verify(sorted(lines), "--whole")[0] == 0


def test_a_filtered_export_proves_what_it_holds_and_says_what_it_cannot(lines, anchors, verify):
    code, words = verify([*lines[:4], *lines[5:]], "--anchors", anchors)
    assert code == 0, words
    assert "2 stretches of the chain" in words
    assert "proven only between the seals of one stretch" in words
    code, words = verify([*lines[:4], *lines[5:]], "--whole")
    assert (code, "Seals 4 to 4 are missing." in words) == (1, True)


TAMPERED = {
    "a changed event": (bent, "(seal 4, line 5) is not what was sealed."),
    "a changed hash": (
        lambda lines: [*lines[:4], re.sub(rb'"hash":"..', b'"hash":"00', lines[4]), *lines[5:]],
        "(seal 4, line 5) is not what was sealed.",
    ),
    "one that fits itself alone": (
        lambda lines: [*lines[:4], relinked(bent(lines))[4], *lines[5:]],
        "Seal 5 does not follow seal 4",
    ),
    "two swapped": (
        lambda lines: [*lines[:4], lines[5].replace(b'"seq":3', b'"seq":4'), *lines[5:]],
        "Seal 4 does not follow seal 3",
    ),
    "one twice": (lambda lines: [*lines, lines[3]], "Seal 5 stands there twice."),
    "no event": (
        lambda lines: [*lines[:4], b"{}\n", *lines[5:]],
        "Line 5 is not as the portal writes it.",
    ),
    "another beginning": (
        lambda lines: [re.sub(rb'("seq":1,"previous_hash":")0', rb"\g<1>1", line) for line in lines],
        "Seal 1 does not begin the chain",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("tamper", "words"), TAMPERED.values(), ids=TAMPERED.keys())
def test_names_what_is_bad(lines, verify, tamper, words):
    code, said = verify(tamper(lines))
    assert (code, "NOT INTACT" in said) == (1, True)
    assert words in said


def test_a_cut_end_and_a_chain_written_anew_are_found_with_anchors(lines, anchors, verify):
    cut, anew = lines[2:], relinked(bent(lines))
    assert verify(cut, "--whole")[0] == verify(anew, "--whole")[0] == 0
    code, words = verify(cut, "--whole", "--anchors", anchors)
    assert (code, "ends at seal 6, and an anchor knows seal 7" in words) == (1, True)
    code, words = verify(anew, "--anchors", anchors)
    assert (code, "Seal 7 is not what an anchor knows" in words) == (1, True)
    assert "Seal 3 is" not in words


@pytest.mark.parametrize("text", [b"", b"id,at,action\n1,2,3\n", b"\xff\xfe"])
def test_what_is_no_export_is_wrong_usage(tmp_path, verify, text):
    assert verify([text])[0] == 2


def test_what_is_no_file_of_anchors_is_wrong_usage(tmp_path, lines, verify):
    (tmp_path / "anchors").write_text('{"at": "2026-11-24T03:15:00Z", "seq": 1}\n')
    code, words = verify(lines, "--anchors", tmp_path / "anchors")
    assert (code, "Line 1 of " in words) == (2, True)
    assert verify(lines, "--anchors", tmp_path / "none")[0] == 2


def test_the_few_lines_of_the_manual_do_the_same(lines, tmp_path):
    program = re.search(r"```python\n(.*?)```", MANUAL.read_text(), re.DOTALL)[1]
    for export, code in ((lines, 0), (bent(lines), 1)):
        (tmp_path / "audit.jsonl").write_bytes(b"".join(export))
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program], cwd=tmp_path, timeout=60, check=False
        )
        assert done.returncode == code


def test_each_line_is_json_that_reads_back_as_the_event(lines):
    line = json.loads(lines[1])
    seal = AuditSeal.objects.select_related("event").get(seq=7)
    assert (line["seq"], line["hash"], line["event"]["after"]) == (7, seal.hash, seal.event.after)
