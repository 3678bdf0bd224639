"""Log lines: the id of the request they belong to, and nothing of what a row holds."""

import logging
from contextvars import ContextVar
from typing import Any

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")


class RequestIdFilter(logging.Filter):
    """Gives log lines written during a request its id."""

    def filter(self, record: logging.LogRecord) -> bool:
        request_id = current_request_id.get()
        record.request = f" [{request_id}]" if request_id else ""
        return True


class LineFormatter(logging.Formatter):
    """Time, level, logger, message; a traceback without the values that PostgreSQL puts under DETAIL."""

    def __init__(self, *_: Any) -> None:
        super().__init__("{asctime} {levelname} {name} {message}{request}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(_without_values(super().format(record)))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """One line, whatever was said: a line break in a value must not look like another entry."""
        record.message = "\\n".join(_without_values(record.message))
        return super().formatMessage(record)


def _without_values(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("DETAIL: ")]
