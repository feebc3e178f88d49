"""The steps of a message along a lane, by the names that the tests' worlds use."""

from adapters.conformance.steps import OPERATORS, key
from adapters.conformance.steps import LaneSteps as LaneWorld

__all__ = ["OPERATORS", "LaneWorld", "key"]
