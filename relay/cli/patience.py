"""Waiting for what the recorder is about to write."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from relay.errors import NotNow

LOOK_S = 0.2

Made = TypeVar("Made")


def patient(attempt: Callable[[], Made], patience_s: float, reason: type[NotNow] = NotNow) -> Made:
    """Try until it can be done.

    Args:
        attempt: what is tried.
        patience_s: seconds after which it is given up.
        reason: the refusal that passes by itself.

    Raises:
        NotNow: it could not be done in time.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return attempt()
        except reason:
            if time.monotonic() >= deadline:
                raise
            time.sleep(LOOK_S)
