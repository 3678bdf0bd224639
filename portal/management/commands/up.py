"""`manage.py up`: the whole portal on this machine, until Ctrl-C."""

import os
import signal
import sys
import threading
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from portal import demo, embedded
from portal.environment import number, text
from portal.installation import AlreadyUp, announce_sandbox, enter_sandbox, hold
from portal.services import ServiceMissing, database_problem, redis_problem, wait_for_redis
from portal.supervisor import PartsKeepDying, Supervisor

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    """Starts Redis, the sandbox, the web server, workers and beat, and keeps them running."""

    help = "Runs the whole portal on this machine until Ctrl-C."
    requires_system_checks: list[str] = []  # the database is asked first whether it answers; migrate checks

    def handle(self, *args: Any, **options: Any) -> None:
        for ending in ENDINGS:
            signal.signal(ending, signal.default_int_handler)
        self.supervisor = Supervisor(sys.stdout)
        self.port = int(number("PORT", 8000, low=1, high=65_535))
        try:
            with hold(settings.VAR_DIR) as self.lock:
                self._run()
        except (AlreadyUp, ServiceMissing, PartsKeepDying, PermissionError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.supervisor.say("Stopped.")

    def _run(self) -> None:
        try:
            self._start_services()
            self._prepare()
            for part in embedded.portal_parts(self.port, settings.VAR_DIR):
                self.supervisor.start(part)
            threading.Thread(target=self._welcome, daemon=True).start()
            self.supervisor.watch()
        finally:
            for ending in ENDINGS:
                signal.signal(ending, signal.SIG_IGN)  # stopping ends within seconds by itself
            self.supervisor.stop()

    def _start_services(self) -> None:
        if not embedded.is_free(self.port):
            raise ServiceMissing(f"Port {self.port} is taken. Choose another: make run PORT={self.port + 1}")
        os.environ["EMBEDDED"] = "true"
        if not text("REDIS_URL"):
            part = self.supervisor.start(embedded.redis_part())
            wait_for_redis(settings.REDIS_URL, lambda: part.is_running)
        if problem := redis_problem(settings.REDIS_URL) or database_problem():
            raise ServiceMissing(problem)
        if settings.AWS_SANDBOX:
            self._start_sandbox()

    def _start_sandbox(self) -> None:
        port = embedded.sandbox_port()
        part = self.supervisor.start(embedded.sandbox_part(port))
        embedded.wait_for_port(port, part)
        url = f"http://{embedded.HOST}:{port}"
        announce_sandbox(self.lock, url)
        enter_sandbox(url)

    def _prepare(self) -> None:
        self.supervisor.say("Preparing the database and the static files …")
        embedded.migrate()
        embedded.collect_static_files()
        if settings.AWS_SANDBOX:
            for problem in demo.connect():
                self.supervisor.say(problem)

    def _welcome(self) -> None:
        url = f"http://localhost:{self.port}/"
        if not embedded.wait_for_health(f"http://{embedded.HOST}:{self.port}/healthz"):
            return
        embedded.look_at_once()
        lines = [
            f"The portal is up: {url}",
            *self._sign_ins(),
            f"Ctrl-C stops it; all data stays in {os.path.relpath(settings.VAR_DIR)}.",
        ]
        for line in ["", *lines, ""]:
            self.supervisor.say(line)

    def _sign_ins(self) -> list[str]:
        if settings.AWS_SANDBOX:
            return demo.sign_ins().splitlines()
        if get_user_model().objects.exists():
            return []
        return ["Nobody can sign in yet. Make the first person: .venv/bin/python manage.py createsuperuser"]
