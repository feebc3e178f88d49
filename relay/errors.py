"""Errors that a person reads: one sentence of what is wrong, one of what to do next.

HubError            the command stops with exit code 2 and these two sentences
├─ BadInput         what was typed or configured cannot be used
├─ NotFound         no such chain, lane, message, operator, key, proposal
├─ Duplicate        it is there already
├─ NotAllowed       who asks may not have it
├─ NotNow           it cannot be done in the present state (frozen, closed, not running)
└─ LeaseLost        another worker took over this piece of work; leave without writing
"""

from __future__ import annotations


class HubError(Exception):
    """The base of every error that the hub raises on purpose.

    Attributes:
        message: what is wrong, one sentence.
        next_step: what the reader does next, one sentence, or empty.
    """

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(f"{message} {next_step}".strip())
        self.message = message
        self.next_step = next_step


class BadInput(HubError):
    """What was typed or configured cannot be used."""


class NotFound(HubError):
    """There is no such thing."""


class Duplicate(HubError):
    """It is there already."""


class NotAllowed(HubError):
    """Who asks may not have it."""


class NotNow(HubError):
    """It cannot be done in the present state."""


class LeaseLost(HubError):
    """Another worker holds the lease now; whatever was not yet committed is left to it."""
