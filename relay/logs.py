"""Logs: one JSON object a line on standard error, a line a batch; never a key, a signature or a URL with credentials."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog


def configure_logs(level: int = logging.INFO) -> None:
    """Set up structlog for a process of the hub."""
    structlog.configure(**_settings(level), cache_logger_on_first_use=True)
    for noisy in ("httpx", "httpcore", "urllib3", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


@contextmanager
def logs_of_a_command() -> Iterator[None]:
    """Have steps that a command takes by itself log warnings alone, and not on standard output, while the block runs."""
    before = structlog.get_config()
    structlog.configure(**_settings(logging.WARNING), cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


def _settings(level: int) -> dict[str, Any]:
    return {
        "processors": [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        "wrapper_class": structlog.make_filtering_bound_logger(level),
        "logger_factory": structlog.PrintLoggerFactory(file=sys.stderr),
    }
