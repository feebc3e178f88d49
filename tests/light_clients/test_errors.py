"""The tree of refusals: drawn as it is, four kinds, and each tells what to do next."""

import inspect

import pytest

from light_clients import errors
from light_clients.errors import LightClientError, Misbehaviour, Misconfigured, ParentMismatch, Refused, Retry

CLASSES = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, LightClientError)]
KINDS = (Retry, Refused, Misbehaviour, Misconfigured)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_error_is_drawn_and_of_one_kind(error):
    assert error.__name__ in errors.__doc__
    if error is not LightClientError:
        assert sum(issubclass(error, kind) for kind in KINDS) == 1
        assert error.next_step.endswith(".")


def test_diagnostics_say_what_was_expected_and_found():
    error = ParentMismatch("The parent is another one.", expected=b"\x01\x02", found=7)
    assert error.name == "ParentMismatch"
    assert str(error) == "The parent is another one."
    assert error.diagnostics() == {
        "error": "ParentMismatch",
        "message": "The parent is another one.",
        "expected": "0x0102",
        "found": 7,
        "next_step": ParentMismatch.next_step,
    }


def test_diagnostics_leave_out_what_is_not_known():
    assert set(Retry("Wait.").diagnostics()) == {"error", "message", "next_step"}


def test_misbehaviour_carries_both_headers():
    error = Misbehaviour("Two blocks.", height=9, evidence=(b"\xaa", b"\xbb"))
    told = error.diagnostics()
    assert (told["height"], told["header_a"], told["header_b"]) == (9, "0xaa", "0xbb")
