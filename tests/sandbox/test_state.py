"""The world in its file: kept over stops and kills; and the demo company that a new one holds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from sandbox.records import CONTACT_TYPES
from sandbox.seed import demo_world
from sandbox.server import Server
from sandbox.testing import EXTERNAL_ID, MANAGEMENT_ID, PAGE_ACCOUNT_ID, PORTAL_ROLE, STANDALONE_IDS, Sandbox

from .conftest import SESSION, client_maker

DETAILS = {"name": "Zoë", "title": "T", "email": "zoe@example.com", "phone": "1"}


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    kept = Sandbox(accounts=40, state=tmp_path / "world.jsonl", quota_scale=0).start()
    kept.set_contact(PAGE_ACCOUNT_ID, "SECURITY", **DETAILS)
    kept.set_contact(PAGE_ACCOUNT_ID, "BILLING")
    kept.set_account("000000000042", name="joined", unit="Payments/Cards")
    kept.switch(trusted_access=False, delegated_admin="000000000042")
    role = f"arn:aws:iam::{STANDALONE_IDS[0]}:role/{PORTAL_ROLE}"
    sts = client_maker(kept)("sts")
    keys = sts.assume_role(RoleArn=role, RoleSessionName="portal", ExternalId=EXTERNAL_ID)["Credentials"]
    before = list(kept.world.events())
    kept.restart()
    try:
        assert list(kept.world.events()) == before
        assert kept.contact(PAGE_ACCOUNT_ID, "SECURITY") == DETAILS
        assert kept.contact(PAGE_ACCOUNT_ID, "BILLING") is None
        session = client_maker(kept)(
            "sts",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        assert session.get_caller_identity()["Account"] == STANDALONE_IDS[0]
    finally:
        kept.stop()


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def run(processes: list, *words: str) -> str:
    command = [sys.executable, "-m", "sandbox", "--port", "0", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    processes.append(process)
    line = process.stdout.readline()
    assert line.startswith("sandbox listening on http://127.0.0.1:")
    return line.split()[-1]


def account_client(url: str):
    return SESSION.client(
        "account",
        "us-east-1",
        endpoint_url=url,
        aws_access_key_id=f"SANDBOX{MANAGEMENT_ID}",
        aws_secret_access_key="any",
    )


def test_a_kill_loses_nothing_that_was_answered(tmp_path: Path, processes: list) -> None:
    state = tmp_path / "world.jsonl"
    words = ("--state", str(state), "--accounts", "10", "--switch", "quota_scale=0")
    account = account_client(run(processes, *words))
    for number in range(50):
        account.put_alternate_contact(
            AlternateContactType="SECURITY",
            Name=f"Number {number}",
            Title="T",
            EmailAddress="a@b.co",
            PhoneNumber="1",
        )
    processes[0].kill()
    processes[0].wait()
    with state.open("ab") as file:
        file.write(b'{"kind":"contact","acc')
    again = account_client(run(processes, *words))
    contact = again.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]
    assert contact["Name"] == "Number 49"


def test_two_sandboxes_cannot_share_a_file(tmp_path: Path) -> None:
    state = tmp_path / "world.jsonl"
    with Sandbox(accounts=3, state=state) as first:
        command = [sys.executable, "-m", "sandbox", "--state", str(state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, str(state) in done.stderr) == (2, True)
        first.set_contact(PAGE_ACCOUNT_ID, "SECURITY", **DETAILS)
        first.restart()
        assert first.contact(PAGE_ACCOUNT_ID, "SECURITY") == DETAILS


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(processes: list, ending: signal.Signals) -> None:
    run(processes, "--accounts", "3")
    processes[0].send_signal(ending)
    assert processes[0].wait(timeout=10) == 0


def test_a_bad_switch_is_wrong_usage() -> None:
    command = [sys.executable, "-m", "sandbox", "--switch", "nonsense=1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_a_taken_port_is_said_plainly(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(sandbox.aws, port=int(sandbox.url.rpartition(":")[2]))


def test_the_same_seed_builds_the_same_world() -> None:
    first, second, other = (demo_world(seed=seed) for seed in (7, 7, 8))
    for world in (first, second, other):
        world.trusted.clear()
    assert list(first.events()) == list(second.events())
    assert list(first.events()) != list(other.events())


def test_the_company_has_what_real_ones_have() -> None:
    world = demo_world()
    members = world.members()
    contacts = [world.contact(account.account_id, kind) for account in members for kind in CONTACT_TYPES]
    texts = "\n".join(str(asdict(contact)) for contact in contacts if contact)
    assert len(members) == len({account.name for account in members}) == 150
    assert {account.state for account in members} == {
        "ACTIVE",
        "SUSPENDED",
        "CLOSED",
        "PENDING_CLOSURE",
        "PENDING_ACTIVATION",
    }
    assert world.accounts[PAGE_ACCOUNT_ID].state == "ACTIVE"
    assert any(account.account_id.startswith("0") for account in members)
    assert [world.is_member(account_id) for account_id in STANDALONE_IDS] == [False, False]
    assert contacts.count(None) > 30
    for odd in ("00000000000", "'Mx'", "Zoë Müller", "田中", "gmail.com", "'  Platform On-call '"):
        assert odd in texts
    people = [{world.contact(account.account_id, kind) for kind in CONTACT_TYPES} for account in members]
    assert any(len(each) == 1 and None not in each for each in people)


def test_a_large_company_is_built_in_two_seconds() -> None:
    start = time.process_time()
    assert len(demo_world(10_000).members()) == 10_000
    assert time.process_time() - start < 2
