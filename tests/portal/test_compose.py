"""The commands that docker-compose.yml names, started by hand on PostgreSQL and a Redis-protocol server."""

import shlex
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from audit.context import worker_context
from audit.log import record
from audit.models import Action, AuditSeal
from tests.live import ROOT, LivePortal, answers, wait_until

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("migrate", "web", "worker-people", "worker", "beat")


def command_of(name: str, portal: LivePortal) -> list[str]:
    """The very command, but with the port and the directory of this test, and this Python."""
    text = " ".join(SERVICES[name]["command"].split())
    for container, here in {
        "0.0.0.0:8000": f"127.0.0.1:{portal.port}",
        "/tmp/": f"{portal.directory}/",
    }.items():
        text = text.replace(container, here)
    program, *arguments = shlex.split(text)
    return [str(Path(sys.executable).with_name(program)), *arguments]


@pytest.fixture
def portal(live_portal, tmp_path: Path) -> LivePortal:
    """No process yet, but the environment that docker-compose.yml gives, with its secret in a file."""
    secret = tmp_path / "secret_key"
    secret.write_text(settings.SECRET_KEY + "\n")
    portal = live_portal(SECRET_KEY_FILE=secret, TRUSTED_PROXY_COUNT=1)
    for name in ("SECRET_KEY", "HTTPS"):
        portal.environment.pop(name)
    return portal


@pytest.mark.postgres
def test_the_commands_bring_up_a_portal_that_works(portal: LivePortal):
    migrate = portal.run_command(*command_of("migrate", portal)[2:])
    assert migrate.returncode == 0, migrate.stderr

    for name in OURS[1:]:
        portal.launch(name, command_of(name, portal))
    wait_until(
        lambda: answers(f"{portal.url}/healthz"), "the web server answers", says=lambda: portal.log("web")
    )
    page = urllib.request.Request(f"{portal.url}/sign-in/", headers={"X-Forwarded-Proto": "https"})
    with urllib.request.urlopen(page, timeout=10) as answer:
        assert b"csrfmiddlewaretoken" in answer.read()

    event = record(Action.SIGNED_OUT, worker_context())
    wait_until(
        lambda: AuditSeal.objects.filter(event_id=event.pk).exists(),
        "beat and a worker have sealed an event",
        says=lambda: portal.log("beat") + portal.log("worker"),
    )
    wait_until(lambda: " ready." in portal.log("worker-people"), "the worker for people is ready")


def test_each_queue_has_a_worker():
    from portal.celery import app

    served = [shlex.split(SERVICES[name]["command"]) for name in ("worker", "worker-people")]
    queues = {queue for words in served for queue in words[words.index("--queues") + 1].split(",")}
    assert queues == {queue.name for queue in app.conf.task_queues}
    assert {entry["options"]["queue"] for entry in app.conf.beat_schedule.values()} <= queues


def test_no_secret_stands_in_the_file():
    for name in OURS:
        environment = SERVICES[name]["environment"]
        assert "SECRET_KEY" not in environment
        assert "@" not in environment["DATABASE_URL"].partition("portal@")[2]
        assert environment["SECRET_KEY_FILE"].startswith("/run/secrets/")


def test_everything_waits_for_what_it_needs():
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in OURS[1:]:
        waits_for = SERVICES[name]["depends_on"]
        assert waits_for["migrate"]["condition"] == "service_completed_successfully"
        assert waits_for["redis"]["condition"] == "service_healthy"
        assert SERVICES[name]["healthcheck"]["test"]


def test_the_image_holds_what_the_commands_need():
    copied = {
        line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")
    }
    assert {"portal", "audit", "orgs", "contacts", "templates", "static", "manage.py"} <= copied
    assert "\nUSER portal\n" in (ROOT / "Dockerfile").read_text()
