"""The configuration of legacy IBFT; its other nouns are those of `bft.types`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from light_clients.bft.types import BftConfiguration, Dialect


@dataclass(frozen=True, slots=True)
class IbftConfiguration(BftConfiguration):
    """What no header of legacy IBFT says; the attributes are those of `BftConfiguration`."""

    dialects: ClassVar[tuple[Dialect, ...]] = (Dialect.GOQUORUM_IBFT,)

    dialect: Dialect = Dialect.GOQUORUM_IBFT
