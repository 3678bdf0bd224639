"""One call as the three services see it: who asks for what, and the world that answers."""

from dataclasses import dataclass
from typing import Any

from sandbox.quotas import Buckets
from sandbox.switches import Chance, Switches
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Caller:
    account_id: str
    arn: str
    user_id: str
    is_session: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    caller: Caller
    operation: str
    values: Any  # JSON as it came; for STS the fields of the form
    world: World
    switches: Switches
    buckets: Buckets
    chance: Chance
