"""How values lie in Redis: as JSON, so that whoever can write there cannot run code here."""

import json
from typing import Any


class JsonSerializer:
    """For Django's Redis cache, whose own serializer unpickles. Whole numbers stay countable by Redis.

    Why not pickle: https://docs.python.org/3/library/pickle.html (its first warning).
    """

    def dumps(self, value: Any) -> bytes | int:  # Any: what callers keep; JSON refuses the rest
        """Text, numbers, lists and mappings; raises TypeError for all else."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """The inverse of dumps; what is no JSON raises ValueError and is never run."""
        return json.loads(data)
