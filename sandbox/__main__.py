"""Runs the local AWS: `python -m sandbox --port 0 --state FILE --accounts 150 --seed 7`."""

import argparse
import json
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from sandbox.errors import BadSwitch
from sandbox.journal import close_world, open_world
from sandbox.local_aws import LocalAws
from sandbox.seed import demo_world
from sandbox.server import Server
from sandbox.world import World


def main() -> int:
    """Serve until SIGTERM or SIGINT; exit 2 where a switch makes no sense."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    ending = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ending.set())

    def make_world() -> World:
        return demo_world(options.accounts, options.seed, options.partition)

    try:
        world = open_world(options.state, make_world) if options.state else make_world()
        server = Server(LocalAws(world, **dict(options.switch)), options.host, options.port)
    except (BadSwitch, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    server.start()
    print(f"sandbox listening on {server.url}", flush=True)
    ending.wait()
    server.stop()
    close_world(world)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A local AWS over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 chooses a free one")
    parser.add_argument("--state", type=Path, help="file that keeps the world; without it nothing is kept")
    parser.add_argument("--accounts", type=int, default=150, help="accounts of a new organization (150)")
    parser.add_argument("--seed", type=int, default=7, help="seed of a new world (7)")
    parser.add_argument("--partition", choices=("aws", "aws-cn", "aws-us-gov"), default="aws")
    parser.add_argument(
        "--switch",
        metavar="NAME=JSON",
        type=_switch,
        action="append",
        default=[],
        help="a switch, e.g. --switch quota_scale=0 --switch outage=closed; sandbox/README.md lists them",
    )
    return parser


def _switch(text: str) -> tuple[str, Any]:  # Any: JSON
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError("a switch is NAME=JSON")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
