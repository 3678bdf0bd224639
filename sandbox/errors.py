"""What AWS says when it refuses a call."""


class Refusal(Exception):
    """A call that AWS answers with an error; `members` are extra fields of the error's body."""

    def __init__(self, status: int, code: str, message: str, **members: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.members = members


class StateInUse(OSError):
    """Another running sandbox keeps its world in the same file."""


class BadSwitch(ValueError):
    """A switch or a control request that makes no sense; the text says which and why."""
