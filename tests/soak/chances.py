"""What an act of the soak is made of: a weighted menu of things that may happen, drawn by one seeded generator, and counted."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

Deed = Callable[[], None]
REMEMBERED = 40
"""Deeds that a failure shows, the last ones before it."""


@dataclass
class Menu:
    """Deeds by name and weight.

    Attributes:
        chance: the generator; the same seed draws the same deeds in the same order.
        done: how often each deed was done.
        latest: the names of the last deeds, for whoever looks for a failure's cause.
    """

    chance: random.Random
    deeds: dict[str, tuple[float, Deed]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    latest: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def add(self, name: str, weight: float, deed: Deed) -> None:
        """Put a deed on the menu."""
        self.deeds[name] = weight, deed

    def draw(self) -> str:
        """Do one deed; returns its name."""
        names = list(self.deeds)
        name = self.chance.choices(names, [self.deeds[name][0] for name in names])[0]
        self.latest.append(name)
        self.deeds[name][1]()
        self.done[name] += 1
        return name
