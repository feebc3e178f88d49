"""How a check says what is wrong, in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from adapters.protocol import AdapterError, Rejected

Result = TypeVar("Result")
LINE_LETTERS = 300


class Broken(AssertionError):
    """The adapter does not do what it has to; the text says what, in one line."""


class NotHere(Exception):
    """The check has no subject on this ledger (no network in between, no nonces); the text says why."""


def require(holds: object, wrong: str) -> None:
    """Go on if something holds.

    Raises:
        Broken: it does not.
    """
    if not holds:
        raise Broken(wrong)


def refusal_of(action: Callable[[], object], what: str) -> Rejected:
    """The refusal that an action has to end in.

    Args:
        action: what is tried.
        what: the action in words, for the finding.

    Raises:
        Broken: it goes through, or ends in another error.
    """
    try:
        action()
    except Rejected as refusal:
        return refusal
    except AdapterError as error:
        raise Broken(f"{what}: {type(error).__name__} came where Rejected was due ({one_line(error)})") from error
    except Exception as error:
        raise Broken(f"{what}: {stranger(error)}") from error
    raise Broken(f"{what}: it was not refused")


def error_of(action: Callable[[], object], what: str) -> AdapterError:
    """The adapter's error that an action has to end in.

    Raises:
        Broken: it goes through, or ends in something that is no `AdapterError`.
    """
    try:
        action()
    except AdapterError as error:
        return error
    except Exception as error:
        raise Broken(f"{what}: {stranger(error)}") from error
    raise Broken(f"{what}: it was answered, and there is no answer")


def stranger(error: BaseException) -> str:
    """What is wrong with an error that is none of the adapter's."""
    return f"{type(error).__name__} escaped, which is no AdapterError ({one_line(error)})"


def one_line(error: object) -> str:
    """A text without line breaks, cut at 300 letters."""
    return " ".join(str(error).split())[:LINE_LETTERS]
