"""Forks Celery workers from a process that has imported everything, so that killing fifty of them is cheap.

Reads lines "worker", "slow worker" and "beat" on stdin and answers with the new process's id. A child is a
whole worker as in production (threads pool, every queue); only its start is faster.
"""

import os
import signal
import sys
from importlib import import_module

import django

django.setup()

from portal import aws  # noqa: E402
from portal.celery import app  # noqa: E402
from tests.faults import trial  # noqa: E402

app.loader.import_default_modules()
app.finalize()
# What a worker imports and reads on its way up: a birth costs 0.1 s of a core with it, 0.8 s without.
for name in ("apps.beat", "apps.worker", "bin.celery", "concurrency.thread", "worker.autoscale",
             "worker.components", "worker.consumer", "worker.control", "worker.strategy"):  # fmt: skip
    import_module(f"celery.{name}")
for name in ("kombu.transport.redis", "encodings.idna"):
    import_module(name)
for service in ("account", "sts"):
    aws._loader.load_service_model(service, "service-2")
if trial.VARIABLE in os.environ:
    trial.prepare(os.environ[trial.VARIABLE])

WORKER = ["worker", "-c", "6", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
COMMANDS = {
    "worker": WORKER,
    "slow worker": WORKER,
    "beat": ["beat", "--loglevel", "WARNING", "--schedule", os.environ["BEAT_SCHEDULE"]],
}


def give_birth(kind: str) -> int:
    """Fork one; the child never returns."""
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # the parent answers on stdout
    os.environ["AWS_SDK_UA_APP_ID"] = f"worker-{os.getpid()}"  # AWS's log says whose attempt it was
    if kind == "slow worker":
        trial.be_slow()
    try:
        app.start(COMMANDS[kind])
    finally:
        os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not mourned
    for line in sys.stdin:
        print(give_birth(line.strip()), flush=True)
