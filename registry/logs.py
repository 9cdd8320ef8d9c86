"""Structured logs: one JSON object a line on standard error. Values come from `extra` and are names, counts
and states; credentials, digests, tokens and request bodies are never passed to a logger. A traceback's texts
come from elsewhere, so what has the form of a digest or a token is blanked out there."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

import orjson

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}
_SECRET = re.compile(r"[0-9a-fA-F]{64,}|rmk_[A-Za-z0-9_-]{43}")


class JsonFormatter(logging.Formatter):
    """A record as JSON; control characters cannot break a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = _SECRET.sub("[blanked]", self.formatException(record.exc_info))
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:  # a lone surrogate, or a number beyond 64 bits
            return json.dumps(line, default=str)


def configure_logging(level: str) -> None:
    """Send all logs to standard error as JSON lines, from ``level`` on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # What no line shows need not be found out for each record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for noisy in ("uvicorn.access", "web3", "urllib3", "httpx", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
