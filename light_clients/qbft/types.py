"""The configuration of QBFT; its other nouns are those of `bft.types`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from light_clients.bft.types import BftConfiguration, Dialect


@dataclass(frozen=True, slots=True)
class QbftConfiguration(BftConfiguration):
    """What no header of QBFT says; the attributes are those of `BftConfiguration`."""

    dialects: ClassVar[tuple[Dialect, ...]] = (Dialect.BESU, Dialect.GOQUORUM)

    dialect: Dialect = Dialect.BESU
