"""The sandbox with 10,000 accounts in 300 units, as a process of its own."""

from dataclasses import replace
from itertools import cycle
from typing import Self

from benchmarks.standin import LATENCY_MS, SEED, StandIn
from sandbox.company import MANAGEMENT_ID, ROOT_ID
from sandbox.journal import close_world, open_world
from sandbox.records import Unit
from sandbox.seed import demo_world
from sandbox.world import World

ACCOUNTS, UNITS = 10_000, 300
DIVISIONS = 14


class LargeStandIn(StandIn):
    """Always the sandbox: another stand-in has its own accounts."""

    def __enter__(self) -> Self:
        state = self._directory / "world.jsonl"
        close_world(open_world(state, large_world))
        self._other = ""
        self.url = self._start("sandbox", "--state", str(state), "--switch", f"latency_ms={LATENCY_MS}")
        return self


def large_world() -> World:
    """The demo company with divisions and teams, and its accounts spread over these."""
    world = demo_world(ACCOUNTS, SEED)
    divisions = [Unit(_unit_id(number), f"Division {number}", ROOT_ID) for number in range(DIVISIONS)]
    numbers = range(DIVISIONS, UNITS - len(world.units) + 1)  # the root is no unit
    above = cycle(divisions)
    teams = [Unit(_unit_id(number), f"Team {number}", next(above).unit_id) for number in numbers]
    for unit in [*divisions, *teams]:
        world.set_unit(unit)
    places = cycle(unit_id for unit_id in world.units if unit_id != ROOT_ID)
    for account in world.members():
        if account.account_id != MANAGEMENT_ID:
            world.set_account(replace(account, parent_id=next(places)))
    return world


def _unit_id(number: int) -> str:
    return f"ou-{ROOT_ID[2:]}-{number:08d}"
