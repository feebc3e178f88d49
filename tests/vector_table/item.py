"""One row of the table of vectors: what was judged, what was due, what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from light_clients.errors import LightClientError

Verdict = Literal["accepted", "refused", "unusable"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of one vector file.

    Attributes:
        family: folder of the vectors' root, such as ``cometbft``.
        name: file and place in it, such as ``bisection/Skipping.json step 2``.
        expected: what it should be: by its own verdict, or by the second opinion that `why` names.
        found: what our verifier said.
        why: the name of the refusal, the second opinion, or why it cannot be used.
    """

    family: str
    name: str
    expected: Verdict
    found: Verdict
    why: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is as it should be; what cannot be used passes where that is expected and says why."""
        return self.expected == self.found and bool(self.why or self.found == "accepted")


def judged(family: str, name: str, expected: Verdict, judge: Callable[[], object], why: str = "") -> Item:
    """Judge one item.

    Args:
        family: see `Item`.
        name: see `Item`.
        expected: see `Item`.
        judge: returns where the item is accepted (whatever it returns) and raises a `LightClientError` where it is refused;
            another exception is a defect and leaves.
        why: a second opinion; the name of a refusal is added.

    Returns:
        The row.
    """
    try:
        judge()
    except LightClientError as error:
        return Item(family, name, expected, "refused", f"{why}; {error.name}" if why else error.name)
    return Item(family, name, expected, "accepted", why)


def unusable(family: str, name: str, why: str) -> Item:
    """A row for what no verifier can judge, with the reason."""
    return Item(family, name, "unusable", "unusable", why)
