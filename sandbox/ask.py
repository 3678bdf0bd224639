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

    @property
    def principal(self) -> str:
        """The "user/NAME" or "role/NAME" whose policies count."""
        kind, _, rest = self.arn.rpartition(":")[2].partition("/")
        return f"role/{rest.partition('/')[0]}" if kind == "assumed-role" else f"user/{rest}"


@dataclass(frozen=True, slots=True)
class Ask:
    caller: Caller
    operation: str
    values: Any  # JSON as it came; for STS the fields of the form
    world: World
    switches: Switches
    buckets: Buckets
    chance: Chance
